"""How tests start Chromium: the installed one, else Playwright's build."""

import shutil

from playwright.sync_api import Browser, Playwright

INSTALLED = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


def launch_chromium(playwright: Playwright, *flags: str) -> Browser:
    """Start Chromium without a window, with `flags` after those of all tests."""
    installed = next(filter(None, map(shutil.which, INSTALLED)), None)
    return playwright.chromium.launch(executable_path=installed, args=[*FLAGS, *flags])
