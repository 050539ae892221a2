"""Create accounts and sign in through the pages."""

import re
import uuid
from dataclasses import dataclass

from playwright.sync_api import Page, expect

PASSWORD = "tape delay and dust"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Credentials of a user."""

    email: str
    password: str = PASSWORD


def sign_up(page: Page, outbox: object, email: str = "") -> Visitor:
    """Create an account on the pages and confirm it; this browser stays signed out."""
    visitor = Visitor(email or f"{uuid.uuid4().hex[:12]}@example.org")
    page.goto("/signup")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Email").fill(visitor.email)
    page.get_by_label("Password", exact=True).fill(visitor.password)
    page.get_by_test_id("submit").click()  # enabled after hydration
    message = outbox.newest(visitor.email)  # type: ignore[attr-defined]
    text = message.get_body(("plain",)).get_content()
    token = re.search(r"verify-email\?token=(\S+)", text).group(1)  # type: ignore[union-attr]
    answer = page.request.post("/api/auth/verify-email", data={"token": token})
    expect(answer).to_be_ok()
    return visitor


def sign_in(page: Page, visitor: Visitor) -> None:
    """Sign in on the login page and wait for the library."""
    page.goto("/login")
    expect(page.get_by_test_id("demo")).to_be_visible()  # the page is hydrated
    page.get_by_label("Email").fill(visitor.email)
    page.get_by_label("Password", exact=True).fill(visitor.password)
    page.keyboard.press("Enter")
    # Files chosen and keys pressed before the library is loaded would be lost.
    there = page.get_by_test_id("empty-library").or_(page.get_by_test_id("sample-row").first)
    expect(there).to_be_visible()
