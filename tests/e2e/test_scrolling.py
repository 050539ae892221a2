"""Scrolling a long list: one request at a time, and rows are always loaded in the end."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, WebSocket, expect

from tests.e2e import people, seed_data
from tests.e2e.conftest import Outbox
from tests.product import Product
from tests.sounds import wav

COUNT = 3000
ASKED, ANSWERED = re.compile(r"library_state\.show_from"), re.compile(r'"answered_rx_state_":')
# Scrolls by 250 pixels per frame; resolves with the number of frames until all rows are loaded.
FLING = """
(frames) => new Promise((resolve) => {
  const list = document.querySelector("[data-testid=table]");
  let frame = 0;
  const whole = () => {
    const box = list.getBoundingClientRect();
    const rows = [...document.querySelectorAll("[data-testid=sample-row]")];
    if (!rows.length) return false;
    const [first, last] = [rows[0], rows.at(-1)].map((row) => row.getBoundingClientRect());
    return first.top <= box.top && last.bottom >= box.bottom - 1;
  };
  const step = () => {
    frame += 1;
    if (frame < frames) list.scrollTop += 250;
    if (frame >= frames && whole()) resolve(frame - frames);
    else if (frame > frames + 1200) resolve(-1);
    else requestAnimationFrame(step);
  };
  step();
})
"""


@pytest.fixture
def long_list(page: Page, outbox: Outbox, product: Product) -> Page:
    people.sign_in(page, people.sign_up(page, outbox))
    file = FilePayload(name="Tone.wav", mimeType="audio/wav", buffer=wav(440, 0.5))
    page.get_by_test_id("choose-files").set_input_files(file)
    expect(page.get_by_test_id("name")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(0, timeout=seed_data.ANALYSIS_TIMEOUT_MS)
    sample_id = page.request.get("/api/samples").json()["samples"][0]["id"]
    seed_data.add_rows(product, sample_id, COUNT)
    return page


def listen(page: Page, note: Callable[[str], None]) -> None:
    def opened(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: note(f"sent {frame}"))
        socket.on("framereceived", lambda frame: note(f"got {frame}"))

    page.on("websocket", opened)


def test_fast_scrolling_sends_one_request_at_a_time(long_list: Page) -> None:
    waiting, most, asked = 0, 0, 0

    def note(frame: str) -> None:
        nonlocal waiting, most, asked
        if frame.startswith("sent") and ASKED.search(frame):
            waiting, asked = waiting + 1, asked + 1
            most = max(most, waiting)
        elif frame.startswith("got") and ANSWERED.search(frame):
            waiting = 0

    listen(long_list, note)
    long_list.reload()
    expect(long_list.get_by_test_id("total")).to_have_text(str(COUNT + 1))
    late = long_list.evaluate(FLING, 300)
    assert 0 <= late < 600  # number of frames; the limit is for a busy machine
    assert asked > 2
    assert most == 1


def test_a_search_during_scrolling_shows_its_first_row(long_list: Page) -> None:
    long_list.reload()
    expect(long_list.get_by_test_id("total")).to_have_text(str(COUNT + 1))
    long_list.evaluate(FLING, 60)
    long_list.get_by_test_id("search").fill("2999")
    expect(long_list.get_by_test_id("name")).to_have_text(["More 2999"])
    long_list.get_by_test_id("search").fill("")
    expect(long_list.get_by_test_id("total")).to_have_text(str(COUNT + 1))
    assert long_list.get_by_test_id("table").evaluate("list => list.scrollTop") == 0
    expect(long_list.get_by_test_id("sample-row").first).to_be_in_viewport()


def test_scrolling_works_after_returning_to_the_page(long_list: Page) -> None:
    """The server must not treat requests of the new page as answered by the old one."""
    long_list.reload()
    expect(long_list.get_by_test_id("total")).to_have_text(str(COUNT + 1))
    assert long_list.evaluate(FLING, 60) >= 0
    long_list.get_by_role("link", name="Usage").first.click()
    long_list.wait_for_url(re.compile("/usage"))
    long_list.get_by_role("link", name="Library").first.click()
    expect(long_list.get_by_test_id("sample-row").first).to_be_visible()
    assert long_list.evaluate(FLING, 60) >= 0
