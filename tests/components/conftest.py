"""A browser, and a page with the pad engine."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.browsers import launch_chromium
from tests.components.pad_page import Pads, PadServer


@pytest.fixture
def pad_server() -> Iterator[PadServer]:
    with PadServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


@pytest.fixture(scope="module")
def pad_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def pad_page(pad_browser: Browser, pad_server: PadServer) -> Iterator[Page]:
    """The page; an exception in it fails the test."""
    page = pad_browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    page.on("console", note)
    page.goto(pad_server.url)
    page.wait_for_function("window.engine")
    yield page
    page.close()
    assert not problems


@pytest.fixture
def pads(pad_page: Page, pad_server: PadServer) -> Pads:
    return Pads(pad_page, pad_server)
