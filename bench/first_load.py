"""Bytes and first paint of the first visit of a page, compared with a blank Reflex app.

The paint is measured with nothing between browser and server, and over two emulated lines.

Both are built and served the same way in one run, and loaded by a real browser with an empty
cache.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from first_paint import Line, first_paints_ms
from instance import create_user, open_database, running_product
from library import sign_in_to_library
from playwright.sync_api import Browser, StorageState, sync_playwright

from sp404_app.supervisor.home import Home
from tests.browsers import launch_chromium
from tests.product import free_port

PATHS, BLANK = ("/", "/login", "/signup", "/library"), "blank Reflex app"
LINES = {"": None, "10 Mbit/s, 40 ms": Line(10, 40), "1.6 Mbit/s, 150 ms": Line(1.6, 150)}
BLANK_APP = (
    "import reflex as rx\napp = rx.App()\napp.add_page(lambda: rx.el.p('blank'), route='/')\n"
)
BLANK_CONFIG = (
    "import reflex as rx\nconfig = rx.Config(app_name='blank', telemetry_enabled=False)\n"
)


def main() -> None:
    """Measure and print."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        with running_product() as instance:
            with open_database(instance) as session:
                create_user(session)
            found = {
                path: transferred_bytes(
                    browser, instance.base_url, path, signed_in=path == "/library"
                )
                for path in PATHS
            }
            states = {"/library": sign_in(browser, instance.base_url)}
            with serve_blank_app(Home(instance.home).node) as url:
                base = transferred_bytes(browser, url, "/", signed_in=False)
                urls = {BLANK: url} | {path: instance.base_url + path for path in PATHS}
                paints = {
                    title: first_paints_ms(browser, urls, states, line)
                    for title, line in LINES.items()
                }
        browser.close()
    for name, size in ({BLANK: base} | found).items():
        print(f"{name:18} {size / 1000:7.1f} kB   {size / base:.2f} x")
    for title, found_ms in paints.items():
        print(f"\nfirst paint {title}")
        for name, paint in found_ms.items():
            print(f"{name:18} {paint:5.0f} ms   {paint / found_ms[BLANK]:.2f} x")


def sign_in(browser: Browser, base_url: str) -> StorageState:
    """Return the cookies of a browser that is signed in."""
    context = browser.new_context(base_url=base_url, service_workers="block")
    sign_in_to_library(context.new_page(), base_url, empty=True)
    state = context.storage_state()
    context.close()
    return state


def transferred_bytes(browser: Browser, base_url: str, path: str, *, signed_in: bool) -> int:
    """Return the bytes on the wire until the page is idle."""
    # Bytes that a service worker requests are not counted as those of the page.
    context = browser.new_context(base_url=base_url, service_workers="block")
    page = context.new_page()
    if signed_in:
        sign_in_to_library(page, base_url, empty=True)
        page.close()
        context.request.dispose()
        page = context.new_page()
    sizes: list[int] = []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path)
    page.wait_for_timeout(3000)
    context.close()
    return int(sum(sizes))


@contextmanager
def serve_blank_app(node: Path) -> Iterator[str]:
    """Build and serve an app with one empty page, with the same packages."""
    port = free_port()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        (folder / "blank").mkdir()
        (folder / "blank" / "blank.py").write_text(BLANK_APP)
        (folder / "rxconfig.py").write_text(BLANK_CONFIG)
        environment = os.environ | {
            "REFLEX_USE_NPM": "1",
            "PATH": f"{node}:{os.environ['PATH']}",
        }
        serve = subprocess.Popen(
            [
                *(sys.executable, "-m", "reflex", "run", "--env", "prod"),
                *("--frontend-port", str(port), "--backend-port", str(port)),
            ],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(port)
            yield f"http://localhost:{port}"
        finally:
            serve.terminate()
            serve.wait(20)


def wait_for_port(port: int, seconds: float = 300) -> None:
    """Wait until a port accepts connections."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.5)
    raise SystemExit("the blank app did not start")


if __name__ == "__main__":
    main()
