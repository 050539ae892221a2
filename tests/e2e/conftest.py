"""Browser tests: the product is started once, and every test gets a new browser context."""

import email
import email.policy
import time
from collections.abc import Iterator
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from sqlmodel import text

from tests.browsers import launch_chromium
from tests.e2e import pad_page
from tests.e2e.late_answers import LateAnswers
from tests.e2e.pad_page import PadPage, PadUser
from tests.e2e.page_monitor import PageMonitor
from tests.product import Product, home_in, product_database, slot

MAIL_TIMEOUT_S = 10.0
LEAVING = "WebSocket is already in CLOSING"  # logged when a page is left while it sends
OPERATOR = "operator@example.org"
RENAME_DEMO_SQL = (
    "update users set email = 'demo-' || id || '@example.org' where email = 'demo@example.com'"
)
expect.set_options(timeout=15_000)  # the machine may be busy with other tests


class Outbox:
    """The emails in the product's development outbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def to(self, address: str) -> list[EmailMessage]:
        """Return the emails to an address, oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if address.lower() in str(message["To"]).lower():
                found.append(message)
        return found

    def newest(self, address: str, seconds: float = MAIL_TIMEOUT_S) -> EmailMessage:
        """Return the newest email to an address; wait for it if there is none yet."""
        until = time.monotonic() + seconds
        while not (mails := self.to(address)):
            assert time.monotonic() < until, f"no mail to {address} in {self.folder}"
            time.sleep(0.1)
        return mails[-1]


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    with slot() as folder, home_in(folder) as product:
        # All these tests share one IP address.
        product.extra["SP404_SIGN_INS_PER_MINUTE"] = "1000"
        product.extra["SP404_REQUESTS_PER_MINUTE"] = "2000"  # a test prepares faster than a user
        product.extra["SP404_OPERATORS"] = OPERATOR
        product.start()
        try:
            yield product
        finally:
            product.stop()


@pytest.fixture(autouse=True)
def fresh_demo_account(request: pytest.FixtureRequest) -> None:
    """Give a repeated test a new demo account: its first try may have changed the sounds."""
    if getattr(request.node, "execution_count", 1) > 1:
        product = request.getfixturevalue("product")
        with product_database(product) as session:
            session.connection().execute(text(RENAME_DEMO_SQL))
        product.stop()
        product.start()  # the start creates the account


@pytest.fixture(scope="package")
def base_url(product: Product) -> str:
    return product.base_url


@pytest.fixture
def outbox(product: Product) -> Outbox:
    return Outbox(product.home / "outbox")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Closed after this package: its event loop would break later asyncio tests.
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose contexts have no service workers, unless a test allows them.

    `page.route` and the monitor of a page would not see what a worker requests.
    """
    browser = launch_chromium(playwright)
    new_context = partial(browser.new_context, service_workers="block")
    browser.new_context = new_context  # type: ignore[method-assign]
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser, base_url: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=base_url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="package")
def pad_user(product: Product, browser: Browser, base_url: str) -> PadUser:
    """A user with sounds for pads."""
    with browser.new_context(base_url=base_url) as context:
        context.set_default_timeout(15_000)
        outbox = Outbox(product.home / "outbox")
        return pad_page.create_pad_user(product, context.new_page(), outbox)


@pytest.fixture
def recorder(context: BrowserContext, product: Product) -> Iterator[None]:
    """Record what the context's pages play."""
    with pad_page.recorder(context, product):
        yield


@pytest.fixture
def pad_errors(page: Page) -> Iterator[list[str]]:
    """Fail the test if its page reported an error."""
    errors: list[str] = []
    PageMonitor(page, errors.append)
    yield errors
    assert [error for error in errors if not is_expected(error)] == []


def is_expected(error: str) -> bool:
    """Return whether an error of the pad page is no fault.

    The audio of a pad may be requested at the moment at which the pad is cleared.
    """
    is_gone = "404" in error and ("/pads/" in error or "status of 404" in error)
    return LEAVING in error or is_gone


@pytest.fixture
def kit(pad_user: PadUser, page: Page, pad_errors: list[str]) -> PadPage:
    """The pad page of a new project with three sounds on A1 to A3, ready to play."""
    kit = PadPage.create(pad_user, page, ("Velvet Kick", "Paper Snare", "Tight Hat"))
    kit.expect_ready("A1", "A2", "A3")
    return kit


@pytest.fixture
def late(page: Page) -> LateAnswers:
    """Hold back the server's answers to the page, from when a test asks for it."""
    return LateAnswers(page)
