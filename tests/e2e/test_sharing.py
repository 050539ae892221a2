"""Public links in browsers: an owner and two visitors at once, pads, frames, passwords, reports."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e import people
from tests.e2e.conftest import OPERATOR, Outbox
from tests.e2e.pad_page import RENDER_TIMEOUT_MS, PadUser
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.people import Visitor
from tests.e2e.touch_targets import find_small_targets
from tests.product import Product

GONE = "This link doesn't work any more."


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """Fail the test if one of its pages reported an error that it does not expect."""
    errors: list[str] = []
    yield errors
    assert errors == []


@pytest.fixture
def owner(pad_user: PadUser, context: BrowserContext, errors: list[str]) -> Page:
    """A page of the owner."""
    pad_user.sign_in(context)
    page = context.new_page()
    PageMonitor(page, errors.append)
    return page


@pytest.fixture
def visitors(browser: Browser, base_url: str, errors: list[str]) -> Iterator[list[Page]]:
    """Two pages in browsers of their own, without an account."""
    with ExitStack() as stack:
        pages = []
        for _ in range(2):
            context = stack.enter_context(browser.new_context(base_url=base_url))
            context.set_default_timeout(15_000)
            page = context.new_page()
            PageMonitor(page, errors.append)
            pages.append(page)
        yield pages


def create_link(page: Page, download: str = "none", password: str = "") -> str:
    """Create a link in the open dialog; return its path."""
    dialog = page.get_by_test_id("share-dialog")
    expect(dialog).to_be_visible()
    before = dialog.get_by_test_id("share-link").count()
    dialog.get_by_test_id("new-download").select_option(download)
    dialog.get_by_test_id("share_password").fill(password)
    dialog.get_by_test_id("create-link").click()
    expect(dialog.get_by_test_id("share-link")).to_have_count(before + 1)
    address = dialog.get_by_test_id("share-url").first.input_value()
    return address[address.index("/s/") :]


def fill_sign_in(page: Page, guest: Visitor) -> None:
    """Sign in by the form that is open."""
    page.get_by_label("Email").fill(guest.email)
    page.get_by_label("Password", exact=True).fill(guest.password)
    page.keyboard.press("Enter")


def share_sample(page: Page, sample_id: str, download: str = "none", password: str = "") -> str:
    page.goto(f"/samples/{sample_id}")
    page.get_by_test_id("share").click()
    return create_link(page, download, password)


def make_project(owner: Page, user: PadUser) -> str:
    body = {"name": "Night kit", "sample_ids": user.ids("Velvet Kick", "Paper Snare", "Tight Hat")}
    answer = owner.request.post("/api/projects", data=body, headers={"Origin": user.origin})
    assert answer.status == 201, answer.text()
    return str(answer.json()["project"]["id"])


def test_two_visitors_listen_until_the_owner_revokes_the_link(
    owner: Page, visitors: list[Page], pad_user: PadUser, errors: list[str]
) -> None:
    path = share_sample(owner, pad_user.samples["Dusty Corner"])
    for page in visitors:
        page.goto(path)
        expect(page.locator("h1")).to_have_text("Dusty Corner")
        expect(page.locator("body[data-ready=true]")).to_be_visible()
        page.get_by_test_id("play").click()
        expect(page.locator(".share-sound.playing")).to_be_visible()
        expect(page.get_by_test_id("download")).to_have_count(0)
    visitors[0].get_by_test_id("seek").press("ArrowRight")
    expect(visitors[0].locator("[data-elapsed]")).not_to_have_text("0:00")
    visitors[0].get_by_test_id("play").click()
    expect(visitors[0].locator(".share-sound.playing")).to_have_count(0)
    owner.goto("/shares")
    link = owner.get_by_test_id("share-link").filter(has_text="Dusty Corner")
    reload_until(owner, "2 plays")
    expect(link).to_contain_text("2 plays")
    link.get_by_test_id("share-days").click()
    expect(link.get_by_test_id("day-table")).to_contain_text("2")
    link.get_by_test_id("ask-revoke").click()
    owner.get_by_test_id("revoke-link").click()
    expect(link).to_have_count(0)
    assert visitors[1].request.get(f"{path}/audio/1").status == 404
    for page in visitors:
        page.goto(path)
        expect(page.get_by_text(GONE)).to_be_visible()
    errors[:] = [each for each in errors if "404" not in each]


def reload_until(page: Page, text: str) -> None:
    """Reload until a text appears: counts are written every few seconds."""
    for _ in range(15):
        expect(page.get_by_test_id("share-link").first).to_be_visible()
        if page.get_by_text(text).count():
            return
        page.wait_for_timeout(1000)
        page.reload()


def test_visitors_play_pads_by_key_pointer_and_bank(
    owner: Page, visitors: list[Page], pad_user: PadUser
) -> None:
    project = make_project(owner, pad_user)
    owner.goto(f"/projects/{project}")
    owner.get_by_test_id("pads-menu").click()
    owner.get_by_test_id("menu-share").click()
    path = create_link(owner, "sp404")
    page = visitors[0]
    page.goto(path)
    expect(page.locator("body[data-ready=true]")).to_be_visible()
    first = page.locator(".pad:has([data-pad=A1])")
    expect(first).to_have_class(re.compile("ready"), timeout=RENDER_TIMEOUT_MS)
    page.keyboard.down("1")
    expect(first).to_have_class(re.compile("sounding"))
    page.keyboard.up("1")
    second = page.locator("[data-pad=A2]")
    second.hover()
    page.mouse.down()
    expect(page.locator(".pad:has([data-pad=A2])")).to_have_class(re.compile("sounding"))
    page.mouse.up()
    page.locator("#share-stop").click()
    expect(page.locator(".sounding")).to_have_count(0)
    with page.expect_download(timeout=RENDER_TIMEOUT_MS) as started:
        page.get_by_test_id("download").click()
    assert started.value.suggested_filename.endswith(".zip")


def test_a_visitor_with_an_account_saves_a_sound_and_sees_whose_it_was(
    owner: Page, visitors: list[Page], pad_user: PadUser, product: Product
) -> None:
    path = share_sample(owner, pad_user.samples["Velvet Kick"], "original")
    page = visitors[0]
    page.goto(path)
    page.get_by_test_id("save").click()
    expect(page).to_have_url(re.compile("/login[?]next=%2Fs%2F"))
    guest = people.sign_up(page, Outbox(product.home / "outbox"))
    page.goto(f"/login?next={path}")
    expect(page.get_by_test_id("demo")).to_be_visible()
    fill_sign_in(page, guest)
    expect(page.locator("h1")).to_have_text("Velvet Kick")
    page.get_by_test_id("save").click()
    expect(page.get_by_test_id("share-notice")).to_contain_text("1 sound saved to your library.")
    page.get_by_test_id("save").click()
    expect(page.get_by_test_id("share-notice")).to_contain_text("already in your library")
    sample = page.request.get("/api/samples").json()["samples"][0]
    page.goto(f"/samples/{sample['id']}")
    expect(page.get_by_test_id("sample-name")).to_have_value("Velvet Kick")
    expect(page.get_by_text("From", exact=True)).to_be_visible()


def test_a_visitor_without_an_account_returns_to_the_link_after_signing_up(
    owner: Page, visitors: list[Page], pad_user: PadUser, product: Product
) -> None:
    path = share_sample(owner, pad_user.samples["Velvet Kick"], "original")
    page = visitors[0]
    page.goto(path)
    page.get_by_test_id("save").click()
    expect(page).to_have_url(re.compile("/login"))
    guest = people.sign_up(page, Outbox(product.home / "outbox"))
    for expected in (path, "/library"):
        page.goto("/login")
        fill_sign_in(page, guest)
        expect(page).to_have_url(re.compile(f"{expected}$"))
        page.context.clear_cookies(name=re.compile("session[_0-9]*$"))


def test_a_refused_clipboard_is_reported(owner: Page, pad_user: PadUser) -> None:
    share_sample(owner, pad_user.samples["Velvet Kick"], "none")
    owner.goto("/shares")
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    link = owner.get_by_test_id("share-link").first
    link.get_by_test_id("copy-link").click()
    expect(owner.get_by_test_id("notice")).to_contain_text("Link copied.")
    address = link.get_by_test_id("share-url").input_value()
    assert owner.evaluate("navigator.clipboard.readText()") == address
    owner.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    link.get_by_test_id("copy-link").click()
    expect(owner.get_by_test_id("notice")).to_contain_text("Your browser didn’t allow it.")


def test_a_link_that_was_revoked_in_another_tab_disappears(owner: Page, pad_user: PadUser) -> None:
    share_sample(owner, pad_user.samples["Velvet Kick"], "none")
    other = owner.context.new_page()
    for page in (owner, other):
        page.goto("/shares")
        expect(page.get_by_test_id("share-link").first).to_be_visible()
    count = other.get_by_test_id("share-link").count()
    owner.get_by_test_id("ask-revoke").first.click()
    owner.get_by_test_id("revoke-link").click()
    expect(owner.get_by_test_id("share-link")).to_have_count(count - 1)
    other.get_by_test_id("ask-revoke").first.click()
    expect(other.get_by_test_id("share-link")).to_have_count(count - 1)
    other.close()


def test_a_shared_project_is_saved_and_a_shared_collection_is_downloaded_whole(
    owner: Page, pad_user: PadUser
) -> None:
    origin = {"Origin": pad_user.origin}
    owner.goto(f"/projects/{make_project(owner, pad_user)}")
    owner.get_by_test_id("pads-menu").click()
    owner.get_by_test_id("menu-share").click()
    owner.goto(create_link(owner, "original"))
    owner.get_by_role("button", name="Save to my projects").click()
    notice = owner.get_by_test_id("share-notice")
    expect(notice).to_contain_text("Saved to your projects; 3 sounds already in your library.")
    notice.get_by_role("link", name="Open").click()
    expect(owner).to_have_url(re.compile("/projects/"))
    made = owner.request.post(
        "/api/collections",
        data={"name": "Dust", "sample_ids": pad_user.ids("Velvet Kick", "Tight Hat")},
        headers=origin,
    ).json()
    shared = owner.request.post(
        "/api/shares",
        data={"collection_id": made["id"], "allow_download": "original"},
        headers=origin,
    ).json()
    owner.goto(shared["url"][shared["url"].index("/s/") :])
    with owner.expect_download(timeout=RENDER_TIMEOUT_MS) as started:
        owner.get_by_role("link", name="Download all as WAV").click()
    assert started.value.suggested_filename.endswith(".zip")


@pytest.mark.parametrize(("device", "rate"), [("SP-404MKII", 48_000), ("SP-404SX/A", 44_100)])
def test_a_visitor_downloads_a_shared_collection_for_a_device(
    owner: Page, visitors: list[Page], pad_user: PadUser, device: str, rate: int, tmp_path: Path
) -> None:
    origin = {"Origin": pad_user.origin}
    body = {"name": "Dust", "sample_ids": pad_user.ids("Velvet Kick", "Tight Hat")}
    made = owner.request.post("/api/collections", data=body, headers=origin).json()
    body = {"collection_id": made["id"], "allow_download": "sp404"}
    shared = owner.request.post("/api/shares", data=body, headers=origin).json()
    visitor = visitors[0]
    visitor.goto(shared["url"][shared["url"].index("/s/") :])
    with visitor.expect_download(timeout=RENDER_TIMEOUT_MS) as started:
        visitor.get_by_role("link", name=f"Download all for {device}").click()
    path = tmp_path / "all.zip"
    started.value.save_as(path)
    assert started.value.suggested_filename == f"Dust {device.replace('/', '-')}.zip"
    with ZipFile(path) as archive:
        waves = [archive.read(name) for name in archive.namelist() if name.lower().endswith(".wav")]
    assert [soundfile.info(io.BytesIO(data)).samplerate for data in waves] == [rate, rate]


def test_shared_pages_have_targets_for_fingers_and_keep_their_margins(
    owner: Page, visitors: list[Page], pad_user: PadUser
) -> None:
    origin = {"Origin": pad_user.origin}
    body = {"name": "Dust", "sample_ids": pad_user.ids("Velvet Kick", "Tight Hat")}
    collection = owner.request.post("/api/collections", data=body, headers=origin).json()
    body = {"collection_id": collection["id"], "allow_download": "sp404"}
    shared = owner.request.post("/api/shares", data=body, headers=origin).json()
    visitor = visitors[0]
    visitor.set_viewport_size({"width": 390, "height": 844})
    sound = share_sample(owner, pad_user.samples["Low Tom"])
    for path in (shared["url"][shared["url"].index("/s/") :], sound, f"{sound}/report"):
        visitor.goto(path)
        assert find_small_targets(visitor) == []
        bar = visitor.get_by_role("banner")
        edges = [box for child in bar.locator("> *").all() if (box := child.bounding_box())]
        assert min(box["x"] for box in edges) >= 12
        assert max(box["x"] + box["width"] for box in edges) <= 390 - 12


def test_a_link_with_a_password_opens_with_it(
    owner: Page, visitors: list[Page], pad_user: PadUser, errors: list[str]
) -> None:
    path = share_sample(owner, pad_user.samples["Low Tom"], password="sixteen pads and dust")
    page, other = visitors
    page.goto(path)
    expect(page.get_by_text("Low Tom")).to_have_count(0)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_text("Wrong password.")).to_be_visible()
    page.get_by_label("Password").fill("sixteen pads and dust")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("h1")).to_have_text("Low Tom")
    page.get_by_test_id("play").click()
    expect(page.locator(".share-sound.playing")).to_be_visible()
    other.goto(path)
    expect(other.locator("h1")).to_have_text("This link has a password")
    errors[:] = [each for each in errors if not re.search("401|422", each)]


def test_other_sites_show_the_embedded_page_and_no_other(
    owner: Page, visitors: list[Page], pad_user: PadUser, base_url: str, errors: list[str]
) -> None:
    path = share_sample(owner, pad_user.samples["Side Stick"])
    page = visitors[0]
    frames = "".join(
        f'<iframe src="{base_url}{path}{part}" name="f{number}" allow="autoplay"></iframe>'
        for number, part in enumerate(("/embed", ""))
    )
    with blog(frames) as address:
        page.goto(address)
        expect_only_the_embedded_page(page)
    assert any("frame-ancestors" in error for error in errors)
    errors.clear()  # the refused frame


@contextmanager
def blog(html: str) -> Iterator[str]:
    """Serve a page of another origin on this machine; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<!doctype html><link rel=icon href=data:,>{html}".encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def expect_only_the_embedded_page(page: Page) -> None:
    embedded = page.frame_locator("iframe[name=f0]")
    expect(embedded.locator("h1")).to_have_text("Side Stick")
    embedded.get_by_test_id("play").click()
    expect(embedded.locator(".share-sound")).to_be_visible()
    expect(page.frame_locator("iframe[name=f1]").get_by_test_id("play")).to_have_count(0)


def test_an_operator_takes_down_a_reported_link(
    owner: Page,
    visitors: list[Page],
    pad_user: PadUser,
    product: Product,
    errors: list[str],
) -> None:
    path = share_sample(owner, pad_user.samples["Open Hat"])
    page, office = visitors
    page.goto(path)
    page.get_by_role("link", name="Report this link").click()
    page.get_by_label("Reason").select_option("copyright")
    page.get_by_label("What should we know?").fill("This is my hat.")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    outbox = Outbox(product.home / "outbox")
    operator = people.sign_up(office, outbox, OPERATOR) if not outbox.to(OPERATOR) else None
    people.sign_in(office, operator or people.Visitor(OPERATOR))
    office.goto("/operator")
    report = office.get_by_test_id("share-report").filter(has_text="This is my hat.")
    confirm = office.locator("#proof")
    expect(report.or_(confirm).first).to_be_visible()
    if confirm.count():
        confirm.fill(people.PASSWORD)
        confirm.press("Enter")
    expect(report).to_contain_text("It infringes copyright")
    report.get_by_test_id("take-down").click()
    expect(office.get_by_test_id("report-said")).to_have_text("Link taken down.")
    page.goto(path)
    expect(page.get_by_text(GONE)).to_be_visible()
    owner.goto("/shares")
    link = owner.get_by_test_id("share-link").filter(has_text="Open Hat")
    expect(link).to_contain_text("Taken down by the operator")
    errors[:] = [each for each in errors if "404" not in each]
