"""The sections of the account page, and the help with its forms."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.people import PASSWORD

SECTIONS = ("profile", "security", "devices", "tokens", "preferences", "data")
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
DROP_PICTURE = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 40 });
  canvas.getContext('2d').fillRect(0, 0, 40, 40);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  const carried = new DataTransfer();
  carried.items.add(new File([blob], 'me.png', { type: 'image/png' }));
  const target = document.querySelector('[data-testid=picture-drop]');
  for (const name of ['dragover', 'drop'])
    target.dispatchEvent(new DragEvent(name, {
      bubbles: true, cancelable: true, dataTransfer: carried,
    }));
}"""


@pytest.fixture
def account(page: Page, outbox: Outbox) -> Callable[[str], None]:
    """Open the account page of a new user at an address."""
    people.sign_in(page, people.sign_up(page, outbox))

    def opened(address: str = "/account") -> None:
        page.goto(address)
        expect(page.get_by_test_id("to-profile")).to_be_visible()

    return opened


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_links_lead_to_sections_and_the_one_that_is_read_is_marked(
    page: Page, account: Callable[[str], None], size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    account("/account")
    expect(page.get_by_test_id("to-profile")).to_have_attribute("aria-current", "location")
    for name in SECTIONS[1:]:
        page.get_by_test_id(f"to-{name}").click()
        expect(page).to_have_url(re.compile(f"#{name}$"))
        expect(page.locator(f"#{name}")).to_be_in_viewport()
        expect(page.get_by_test_id(f"to-{name}")).to_be_in_viewport()
    expect(page.get_by_test_id("to-data")).to_have_attribute("aria-current", "location")
    page.locator("main").evaluate("main => main.scrollTo(0, 0)")
    expect(page.get_by_test_id("to-profile")).to_have_attribute("aria-current", "location")
    expect(page.locator(".section-nav [aria-current]")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    # Only the part below the top bar scrolls.
    assert page.evaluate("document.documentElement.scrollHeight") <= size["height"]


def test_an_address_with_a_section_opens_there(page: Page, account: Callable[[str], None]) -> None:
    account("/account#tokens")
    expect(page.locator("#tokens")).to_be_in_viewport()
    expect(page.get_by_test_id("to-tokens")).to_have_attribute("aria-current", "location")
    page.go_back()
    page.go_forward()
    expect(page.locator("#tokens")).to_be_in_viewport()


def test_a_dropped_picture_is_the_photo(page: Page, account: Callable[[str], None]) -> None:
    account("/account")
    page.evaluate(DROP_PICTURE)
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.get_by_test_id("upload-panel")).to_have_count(0)  # it is no sound


def test_errors_get_the_focus_and_go_as_they_are_mended(
    page: Page, account: Callable[[str], None]
) -> None:
    account("/account#security")
    page.get_by_test_id("current_password").fill("wrong password")
    page.get_by_test_id("password").fill("violet otter canyon lamp")
    page.get_by_test_id("change-password").click()
    said, field = page.get_by_test_id("current_password-said"), page.locator("#current_password")
    expect(said).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.press("End")
    field.type("s")
    expect(said).to_be_hidden()
    expect(field).to_have_attribute("aria-invalid", "false")
    page.get_by_test_id("change-password").click()
    expect(said).to_be_visible()  # the same error again
    field.fill(PASSWORD)
    page.get_by_test_id("change-password").click()
    expect(page.get_by_text("Password changed.")).to_be_visible()


def test_a_password_can_be_shown(page: Page, account: Callable[[str], None]) -> None:
    account("/account#security")
    field, button = page.locator("#current_password"), page.get_by_test_id("show-current_password")
    field.fill("hunter2")
    expect(field).to_have_attribute("type", "password")
    button.click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value("hunter2")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(field).to_have_attribute("type", "password")


def test_the_sign_in_page_helps_as_well(page: Page) -> None:
    page.goto("/login")
    expect(page.get_by_test_id("demo")).to_be_visible()  # the page is hydrated
    page.get_by_test_id("show-password").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
