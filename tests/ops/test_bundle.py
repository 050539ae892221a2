"""Pages are built once, are the same bytes everywhere, and survive an upgrade."""

import re
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from sp404_app.supervisor import orphans
from sp404_app.supervisor.home import Home
from tests.browsers import launch_chromium
from tests.ops import shipping
from tests.product import ROOT, Product, free_port, home_in, slot

pytestmark = pytest.mark.timeout(1800)  # each test builds the pages
LOGIN_TITLE = ('"Enter your code", "Sign in"', '"Enter your code", "Sign in here"')


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that is built here."""
    folder = tmp_path_factory.mktemp("shipped") / "bundle"
    with slot() as reused, home_in(reused) as product:
        environment = shipping.own_environment() | {"SP404_HOME": str(product.home)}
        shipping.build(folder, environment=environment)
    return folder


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch_chromium(playwright)
    yield browser
    browser.close()


def open_login(browser: Browser, address: str) -> str:
    """Open the sign-in page, wait for an answer of its state, and return the websocket's URL."""
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        with page.expect_websocket() as opened:
            page.goto(f"{address}/login")
        opened.value.wait_for_event("framereceived", lambda frame: "login_state" in str(frame))
        page.get_by_test_id("login").wait_for()
        return opened.value.url


def node_processes(product: Product) -> list[str]:
    marked: list[psutil.Process] = orphans._find_marked(Home(product.home).mark + "/")
    return [process.name() for process in marked if "node" in process.name()]


def test_another_host_folder_and_user_build_the_same_bytes(shipped: Path, tmp_path: Path) -> None:
    home = tmp_path / "a" / "very" / "deep" / "home"
    environment = shipping.bare_environment(
        SP404_HOME=str(home),
        SP404_ENV="production",
        SP404_PUBLIC_URL="https://sounds.example",
        PORT="4999",
        TZ="Asia/Tokyo",
        LANG="C",
    )
    checkout = shipping.another_checkout(tmp_path / "other", {})
    checkout.chmod(0o500)
    shipping.build(
        tmp_path / "bundle",
        environment=environment,
        checkout=checkout,
        prefix=shipping.unknown_user(),
    )
    assert shipping.digests(tmp_path / "bundle") == shipping.digests(shipped)
    assert (home / "cache" / "npm").is_dir()
    for path in (tmp_path / "bundle").rglob("*"):
        text = path.read_text(errors="replace") if path.is_file() else ""
        for local in ("sounds.example", "4999", str(tmp_path), "reflex_Var_"):
            assert local not in text or "plotly" in path.name, (path, local)


def test_a_shipped_bundle_is_served_without_node_on_https_and_any_port(
    shipped: Path, browser: Browser, tmp_path: Path
) -> None:
    port = free_port()
    address = f"https://localhost:{port}"
    before = shipping.digests(shipped)
    with shipping.product_with(shipped, SP404_PUBLIC_URL=address) as product:
        product.start()
        with shipping.https_in_front(product.port, port, tmp_path):
            assert open_login(browser, address).startswith(f"wss://localhost:{port}/_event")
        assert node_processes(product) == []
        assert list((product.home / "web").iterdir()) == []
        assert not (product.home / "cache" / "node").exists()
    assert shipping.digests(shipped) == before  # it may be read-only


def test_a_tab_opened_before_an_upgrade_still_loads_its_pages(
    shipped: Path, browser: Browser, tmp_path: Path
) -> None:
    upgrade = shipping.another_checkout(
        tmp_path / "upgrade", {"sp404_app/pages/auth/login.py": LOGIN_TITLE}
    )
    # As a container has it: HOME is there, and not ours.
    readable = tmp_path / "somebody"
    readable.mkdir(mode=0o500)
    environment = shipping.own_environment() | {
        "SP404_HOME": str(tmp_path / "home"),
        "HOME": str(readable),
    }
    shipping.build(
        tmp_path / "new",
        environment=environment,
        checkout=upgrade,
        prefix=shipping.unknown_user(),
    )
    assert list(readable.iterdir()) == []
    (old_chunk,) = (shipped / "build/client/assets").glob("_login_*.js")
    assert not (tmp_path / "new/build/client/assets" / old_chunk.name).exists()
    load = "name => import(`/assets/${name}`).then(page => typeof page.default)"

    with shipping.product_with(shipped) as product, browser.new_context() as context:
        page = context.new_page()
        product.start()
        page.goto(f"{product.base_url}/")
        assert context.request.get(f"{product.base_url}/login").ok
        product.stop()
        product.checkout = upgrade
        product.extra["SP404_BUNDLE_DIR"] = str(tmp_path / "new")
        product.start()
        assert page.evaluate(load, old_chunk.name) == "function"
        answer = context.request.get(f"{product.base_url}/assets/{old_chunk.name}")
        assert "immutable" in answer.headers["cache-control"]
        page.goto(f"{product.base_url}/login")
        page.get_by_role("heading", name="Sign in here").wait_for()


def test_the_exported_zips_are_served_and_exporting_edits_no_tracked_file(
    browser: Browser, tmp_path: Path
) -> None:
    recipe = re.search(r"^export:.*\n\t(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    assert "-m sp404_app build --zip" in recipe[1]
    before = tracked_files()
    with slot() as reused, home_in(reused) as builder:
        environment = shipping.own_environment() | {"SP404_HOME": str(builder.home)}
        shipping.build("--zip", tmp_path, environment=environment)
    assert tracked_files() == before
    site = tmp_path / "site"
    zipfile.ZipFile(tmp_path / "backend.zip").extractall(site)
    zipfile.ZipFile(tmp_path / "frontend.zip").extractall(site / ".web" / "build" / "client")
    with shipping.product_with(site / ".web") as product:
        product.checkout = site
        product.start()
        open_login(browser, product.base_url)


def tracked_files() -> str:
    """Return what git says about changed files; all of them are tracked."""
    command = ["git", "status", "--porcelain", "--untracked-files=no"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
