"""The product can be installed as an app, by Chromium's criteria."""

from playwright.sync_api import Page

NO_WINDOW = "in-incognito"  # each test has a browser context of its own, like a private window


def test_chromium_finds_nothing_that_prevents_an_installation(page: Page) -> None:
    page.goto("/")
    session = page.context.new_cdp_session(page)
    found = session.send("Page.getAppManifest")
    assert found["url"].endswith("/manifest.webmanifest")
    assert found["errors"] == []
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in problems if each["errorId"] != NO_WINDOW] == []
    for path in ("/manifest.webmanifest", "/icon-192.png", "/icon-512.png"):
        assert page.request.get(path).ok
