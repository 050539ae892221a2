"""The upload queue in a browser, with a server whose responses the tests define."""

import http.server
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

import sp404_app
from tests.browsers import launch_chromium

SCRIPT = Path(sp404_app.__file__).parent / "components" / "upload_queue.js"
PAGE = b"""<input type=file multiple><script type=module>
  import * as queue from "/upload_queue.js";
  window.queue = queue;
  document.querySelector("input").onchange = (event) => queue.addChosen(event.target.files);
</script>"""
Answer = tuple[int, Any, dict[str, str]]
Rule = Callable[[str, int], Answer]


def added(name: str, _: int = 1) -> Answer:
    return 201, {"samples": [{"id": name}], "rejected": []}, {}


def server_error(_: str, __: int) -> Answer:
    return 500, {"error": "Something went wrong on our side."}, {}


class Server(http.server.ThreadingHTTPServer):
    """Serves the script; `rule` returns the response to the n-th try of a file."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rule: Rule = added
        self.tries: Counter[str] = Counter()
        self.lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        script = self.path == "/upload_queue.js"
        kind = "text/javascript" if script else "text/html"
        self.reply(200, SCRIPT.read_bytes() if script else PAGE, {"Content-Type": kind})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = body.split(b'filename="')[1].split(b'"')[0].decode()
        with self.server.lock:
            self.server.tries[name] += 1
            number = self.server.tries[name]
        status, answer, headers = self.server.rule(name, number)
        if status == 0:
            self.close_connection = True
            self.connection.close()
            return
        self.reply(status, json.dumps(answer).encode(), headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    """A page with only the queue, and a clock that the tests advance."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        page = browser.new_page()
        page.clock.install()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_function("window.queue")
        yield page
        browser.close()


def choose(page: Page, *names: str) -> None:
    page.set_input_files(
        "input",
        [{"name": name, "mimeType": "audio/wav", "buffer": b"sound"} for name in names],
    )


def states(page: Page) -> dict[str, str]:
    found = page.evaluate("queue.getSnapshot().items.map((item) => [item.name, item.state])")
    return dict(found)


def reason(page: Page, name: str) -> str:
    script = "(name) => queue.getSnapshot().items.find((item) => item.name === name).reason"
    return page.evaluate(script, name)


def advance_until(page: Page, name: str, state: str) -> None:
    """Advance the page's clock by a second at a time until the file has the state."""
    for _ in range(120):
        if states(page)[name] == state:
            return
        page.clock.run_for(1000)
        page.wait_for_timeout(20)
    raise AssertionError(states(page))


def test_a_failing_file_is_retried_a_few_times_while_others_continue(
    page: Page, server: Server
) -> None:
    server.rule = lambda name, n: server_error(name, n) if name.startswith("bad") else added(name)
    good = [f"{n}.wav" for n in range(8)]
    choose(page, "bad1.wav", "bad2.wav", "bad3.wav", *good)
    for name in good:
        advance_until(page, name, "done")
    assert states(page)["bad1.wav"] in ("paused", "sending")
    for name in ("bad1.wav", "bad2.wav", "bad3.wav"):
        advance_until(page, name, "failed")
        assert server.tries[name] == 5
    assert "Upload failed after 5 tries. Something went wrong on our side." in reason(
        page, "bad1.wav"
    )
    page.clock.run_for(600_000)
    assert server.tries["bad1.wav"] == 5  # no further retries
    assert not page.evaluate("queue.hasActive()")

    server.rule = added
    page.evaluate("queue.retry()")
    for name in ("bad1.wav", "bad2.wav", "bad3.wav"):
        advance_until(page, name, "done")


def test_retry_delays_increase(page: Page, server: Server) -> None:
    server.rule = server_error
    page.evaluate(
        """() => {
          window.sentAt = [];
          const send = XMLHttpRequest.prototype.send;
          XMLHttpRequest.prototype.send = function (...args) {
            window.sentAt.push(Date.now());
            return send.apply(this, args);
          };
        }"""
    )
    choose(page, "bad.wav")
    waited = []
    for tried in range(1, 5):
        advance_until(page, "bad.wav", "paused")
        paused_at = page.evaluate("Date.now()")
        while len(page.evaluate("sentAt")) == tried:  # the page's clock advances only here
            page.clock.run_for(500)
        waited.append(page.evaluate("sentAt")[tried] - paused_at)
    assert waited == sorted(waited)
    assert waited[-1] >= 8 * waited[0]


@pytest.mark.parametrize("lost", [1, 4])
def test_uploads_resume_when_the_connection_is_back(page: Page, server: Server, lost: int) -> None:
    server.rule = lambda name, n: (0, {}, {}) if n <= lost else added(name)
    choose(page, "a.wav", "b.wav", "c.wav", "d.wav")
    for name in ("a.wav", "b.wav", "c.wav", "d.wav"):
        advance_until(page, name, "done")
        assert server.tries[name] == lost + 1


def test_retry_after_is_respected(page: Page, server: Server) -> None:
    busy = 429, {"code": "rate_limited", "error": "Too many."}, {"Retry-After": "30"}
    server.rule = lambda name, n: busy if n <= 7 else added(name)
    choose(page, "a.wav")
    advance_until(page, "a.wav", "paused")
    page.clock.run_for(25_000)
    page.wait_for_timeout(200)
    assert server.tries["a.wav"] == 1
    for _ in range(10):
        page.clock.run_for(31_000)
        page.wait_for_timeout(100)
    assert states(page)["a.wav"] == "done"


def test_a_file_moved_after_the_drop_is_marked_as_gone(
    page: Page, server: Server, tmp_path: Path
) -> None:
    server.rule = server_error
    there, moved = tmp_path / "there.wav", tmp_path / "moved.wav"
    for path in (there, moved):
        path.write_bytes(b"sound")
    page.set_input_files("input", [there, moved])
    advance_until(page, "moved.wav", "paused")
    advance_until(page, "there.wav", "paused")
    moved.rename(tmp_path / "elsewhere.wav")
    server.rule = added
    advance_until(page, "there.wav", "done")
    advance_until(page, "moved.wav", "gone")
    assert "moved, changed or deleted" in reason(page, "moved.wav")


def test_rejected_members_of_an_archive_are_listed(page: Page, server: Server) -> None:
    here = {"sample_id": "7"}
    rejected = [
        {"filename": "kit.zip/a.wav", "code": "bad_audio", "error": "Damaged."},
        {"filename": "kit.zip/b.wav", "code": "duplicate", "error": "Here.", "details": here},
    ]
    samples = [{"id": "1"}, {"id": "2"}]
    server.rule = lambda *_: (201, {"samples": samples, "rejected": rejected}, {})
    choose(page, "kit.zip", "kit.rar")
    advance_until(page, "kit.zip", "done")
    assert states(page) == {
        "kit.zip": "done",
        "kit.rar": "refused",
        "kit.zip/a.wav": "refused",
        "kit.zip/b.wav": "duplicate",
    }
    assert page.evaluate("queue.getSnapshot().items[0].added") == 2
    server.rule = lambda *_: (422, {"samples": [], "rejected": rejected, "error": "x"}, {})
    choose(page, "bad.zip")
    advance_until(page, "bad.zip", "refused")


@pytest.mark.parametrize("answer", ["", "words", None, {}])
def test_an_invalid_response_blocks_no_other_file(page: Page, server: Server, answer: Any) -> None:
    server.rule = lambda name, n: (201, answer, {}) if name == "odd.wav" and n < 3 else added(name)
    choose(page, "odd.wav", "a.wav")
    advance_until(page, "a.wav", "done")
    advance_until(page, "odd.wav", "done")
