"""The installed app: Chromium's criteria, no connection, shared recordings, signing out."""

import base64
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.components.test_service_worker import KEPT, SEND_FORM
from tests.e2e import people
from tests.e2e.barriers import find_barriers
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.people import Visitor
from tests.product import Product
from tests.sounds import wav

NO_WINDOW = "in-incognito"  # each test has a browser context of its own, like a private window
# What the browser says of a request without a connection.
CUT = re.compile(r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|_event|WebSocket")
WAIT_S = 15.0
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def visitor(browser: Browser, product: Product) -> Visitor:
    """A user with two sounds, one of them with a name that is markup."""
    with browser.new_context(base_url=product.base_url) as context:
        page = context.new_page()
        visitor = people.sign_up(page, Outbox(product.home / "outbox"))
        people.sign_in(page, visitor)
        files = [
            FilePayload(name=f"{name}.wav", mimeType="audio/wav", buffer=wav(pitch))
            for name, pitch in ((MARKUP, 220.0), ("Take one", 440.0))
        ]
        page.get_by_test_id("choose-files").first.set_input_files(files)
        expect(page.get_by_test_id("sample-row")).to_have_count(2)
        return visitor


@pytest.fixture
def phone(browser: Browser, base_url: str) -> Iterator[BrowserContext]:
    """A browser in which service workers run."""
    screen = {"width": 390, "height": 844}
    with browser.new_context(
        base_url=base_url, viewport=screen, has_touch=True, service_workers="allow"
    ) as context:
        context.set_default_timeout(15_000)
        yield context


@pytest.fixture
def page(phone: BrowserContext) -> Iterator[Page]:
    """A page; an error in it fails the test."""
    errors: list[str] = []
    page = phone.new_page()
    PageMonitor(page, errors.append)
    yield page
    assert [error for error in errors if not CUT.search(error)] == []


def kept(page: Page) -> dict[str, list[str]]:
    return page.evaluate(KEPT)


def wait_kept(page: Page, ending: str) -> None:
    """Wait until a cache has an entry whose path ends like this."""
    until = time.monotonic() + WAIT_S
    while not any(path.endswith(ending) for paths in kept(page).values() for path in paths):
        assert time.monotonic() < until, kept(page)
        page.wait_for_timeout(50)


def sign_in(page: Page, visitor: Visitor) -> None:
    people.sign_in(page, visitor)
    wait_kept(page, "/samples/names")
    wait_kept(page, "/offline")


def sign_out(page: Page) -> None:
    page.get_by_role("link", name="Account").click()  # on a phone, the account page signs out
    page.locator(".account-head").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")
    expect(page.get_by_test_id("demo")).to_be_visible()


def share(page: Page, *names: str) -> None:
    """Send what Android sends when a person shares files with the app."""
    sound = base64.b64encode(wav(330.0)).decode()
    with page.expect_navigation(url="**/library"):
        page.evaluate(SEND_FORM, ["/share-target", list(names), sound])


def test_chromium_finds_nothing_that_prevents_an_installation(page: Page) -> None:
    page.goto("/")
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["url"].endswith("/manifest.webmanifest")
    assert found["errors"] == []
    assert found["manifest"]["shareTarget"]["action"].endswith("/share-target")
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in problems if each["errorId"] != NO_WINDOW] == []
    for path in ("/manifest.webmanifest", "/icon-192.png", "/icon-512.png"):
        assert page.request.get(path).ok


def test_without_a_connection_the_names_are_shown_and_what_was_played_plays(
    page: Page, visitor: Visitor
) -> None:
    sign_in(page, visitor)
    page.get_by_text("Take one").first.click()
    wait_kept(page, "/audio")
    page.context.set_offline(True)
    page.goto("/projects")
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    assert page.url.endswith("/projects")
    names = page.locator(".offline-title")
    expect(names).to_have_count(2)
    assert sorted(names.all_inner_texts()) == [MARKUP, "Take one"]
    assert page.locator("#names img").count() == 0
    assert not find_barriers(page)
    play = page.get_by_role("button", name="Play Take one")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    expect(play).to_have_attribute("aria-pressed", "false")  # it was heard to its end
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="No connection")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Projects").first).to_be_visible()
    page.goto("/offline")
    page.wait_for_url("**/library")


def test_a_shared_recording_is_added_when_the_person_agrees(page: Page, visitor: Visitor) -> None:
    sign_in(page, visitor)
    share(page, "Memo.m4a", "notes.pdf")
    offer = page.get_by_test_id("shared-files")
    expect(offer).to_contain_text("Memo.m4a, notes.pdf")
    assert not find_barriers(page)
    page.get_by_test_id("discard-shared").click()
    expect(offer).to_be_hidden()
    page.reload()
    wait_kept(page, "/samples/names")
    assert "shared" not in kept(page)
    share(page, "notes.pdf", "New take.wav")
    page.get_by_test_id("add-shared").click()
    expect(page.get_by_test_id("uploads")).to_contain_text("Not an audio file.")
    expect(page.get_by_test_id("sample-row").filter(has_text="New take")).to_be_visible()


def test_what_is_shared_while_signed_out_waits_for_the_sign_in(
    page: Page, visitor: Visitor
) -> None:
    sign_in(page, visitor)
    sign_out(page)
    share(page, "Memo.m4a")
    page.wait_for_url("**/login")
    people.sign_in(page, visitor)
    expect(page.get_by_test_id("shared-files")).to_contain_text("Memo.m4a")


def test_signing_out_erases_every_cache(page: Page, visitor: Visitor) -> None:
    sign_in(page, visitor)
    page.get_by_text("Take one").first.click()
    wait_kept(page, "/audio")
    share(page, "Memo.m4a")
    expect(page.get_by_test_id("shared-files")).to_be_visible()
    assert {name.partition("-")[0] for name in kept(page)} == {"static", "account", "shared"}
    sign_out(page)
    page.wait_for_timeout(300)
    assert kept(page) == {}
    page.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        page.goto("/library")


def test_a_session_that_ends_elsewhere_erases_what_was_kept(
    page: Page, visitor: Visitor, browser: Browser, base_url: str
) -> None:
    sign_in(page, visitor)
    with browser.new_context(base_url=base_url) as elsewhere:
        other = elsewhere.new_page()
        people.sign_in(other, visitor)
        for device in other.request.get("/api/me/sessions").json()["sessions"]:
            if not device["current"]:
                assert other.request.delete(f"/api/me/sessions/{device['id']}").ok
    page.reload()  # a tab that stays open notices it with its next event
    page.wait_for_url("**/login**")
    until = time.monotonic() + WAIT_S
    while kept(page):
        assert time.monotonic() < until, kept(page)
        page.wait_for_timeout(50)
