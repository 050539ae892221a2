"""Error reports, received by a server on this machine that speaks Sentry's protocol."""

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from sp404_app import logs
from sp404_app.services.infra import queue
from sp404_app.settings import Settings, settings
from sp404_app.state.browser_errors import report_browser_error
from sp404_app.telemetry import sentry

SECRETS = (
    "hunter2", "ada@example.org", "203.0.113.7", "my secret song.wav",
    "sp404_session", "Bearer abc",
)  # fmt: skip


class Sink:
    """The envelopes that were received."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.bodies: list[str] = []
        self.received = threading.Semaphore(0)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the events: in an envelope, a header for itself and one for each item."""
        parsed = [[json.loads(line) for line in body.splitlines()] for body in self.bodies]
        return [
            payload
            for _, *items in parsed
            for header, payload in zip(items[::2], items[1::2], strict=True)
            if header["type"] == "event"
        ]


@pytest.fixture
def sink(environment: pytest.MonkeyPatch) -> Iterator[Sink]:
    found = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.paths.append(self.path)
            found.bodies.append(body.decode())
            answer = b"{}"
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            found.received.release()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment.setenv("SP404_SENTRY_DSN", f"http://public@127.0.0.1:{server.server_port}/404")
    environment.setenv("SP404_SENTRY_ENVIRONMENT", "staging")
    settings.cache_clear()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def started(sink: Sink, own_logs: object, environment: pytest.MonkeyPatch) -> Sink:
    environment.setattr(logs, "_reports", [])
    environment.setenv("SP404_SENTRY_ENVIRONMENT", "staging")
    sentry._recent.clear()
    sentry.start()
    return sink


def fail(**local: str) -> None:
    everything = {**local, "cookie": "sp404_session=abc", "token": "Bearer abc"}
    try:
        {}[str(everything)]
    except KeyError as error:
        raise ValueError(f"cannot read {everything}") from error


def log_failure(log: Callable[..., None], *arguments: object, **fields: object) -> None:
    try:
        fail(password="hunter2", email="ada@example.org", file="my secret song.wav")
    except ValueError:
        log(*arguments, **fields)


def test_an_error_is_reported_with_release_environment_and_request(started: Sink) -> None:
    log = structlog.get_logger("sp404_app.access")
    with bound_contextvars(request_id="0" * 31 + "1", user_id="ada@example.org"):
        log_failure(log.exception, "unexpected error", route="/api/me", ip="203.0.113.7")
    sentry.flush()
    (event,) = started.events
    assert started.paths == ["/api/404/envelope/"]
    assert event["environment"] == "staging"
    assert event["release"].startswith("crate-404@")
    assert event["tags"]["request_id"] == "0" * 31 + "1"
    assert event["tags"]["route"] == "/api/me"
    types = [each["type"] for each in event["exception"]["values"]]
    assert types == ["KeyError", "ValueError"]
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames] == ["log_failure", "fail"]


def test_nothing_private_is_sent(started: Sink) -> None:
    library = logging.getLogger("a library")
    ours = logging.getLogger("sp404_app.jobs.runner")
    with bound_contextvars(email="ada@example.org", cookie="sp404_session=abc"):
        log_failure(library.exception, "cannot send to %s", "ada@example.org")
        log_failure(ours.exception, "job %s failed", "my secret song.wav")
        log_failure(structlog.get_logger().exception, "hunter2", ip="203.0.113.7")
    sentry.flush()
    events = started.events
    assert len(events) == 3
    # The source of this test, which an event quotes, contains some of the words.
    code = {"context_line", "pre_context", "post_context"}
    for event in events:
        for exception in event["exception"]["values"]:
            for frame in exception["stacktrace"]["frames"]:
                for name in code & frame.keys():
                    frame[name] = ""
    values = json.dumps(events)
    assert [secret for secret in SECRETS if secret in values] == []
    assert '"vars"' not in values
    for event in events:
        assert not {"request", "user", "breadcrumbs", "server_name", "contexts", "extra"} & set(
            event
        )


def test_an_error_of_a_browser_is_reported_by_type_and_place(
    started: Sink, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    (tmp_path / "build" / "client" / "assets").mkdir(parents=True)
    (tmp_path / "build" / "client" / "assets" / "app-1.js").touch()
    sentry._recent_of_browsers.clear()
    report_browser_error(
        Exception("TypeError: hunter2\n    at f (https://x.example/assets/app-1.js:3:4)")
    )
    sentry.flush()
    (event,) = started.events
    assert event["platform"] == "javascript"
    assert event["exception"]["values"] == [
        {
            "type": "TypeError",
            "module": None,
            "stacktrace": {
                "frames": [{"filename": "app:///assets/app-1.js", "lineno": 3, "colno": 4}]
            },
        }
    ]
    assert "hunter2" not in "".join(started.bodies)


def test_warnings_and_expected_errors_are_not_reported(started: Sink) -> None:
    log = logging.getLogger("sp404_app.jobs")
    log_failure(log.warning, "housekeeping will try again", exc_info=True)
    log.error("mail given up")
    sentry.flush()
    assert started.bodies == []


def test_a_flood_of_errors_is_limited(started: Sink) -> None:
    log = logging.getLogger("sp404_app.jobs")
    for _ in range(sentry.MAX_REPORTS_PER_MINUTE + 5):
        log_failure(log.exception, "no database")
        sentry.flush()
    assert len(started.events) == sentry.MAX_REPORTS_PER_MINUTE


def test_without_the_setting_the_sdk_is_not_imported() -> None:
    code = (
        "import sys; import sp404_app.sp404_app; from sp404_app.jobs import worker\n"
        "from sp404_app.telemetry import sentry; sentry.start(); sentry.flush()\n"
        "assert 'sentry_sdk' not in sys.modules"
    )
    environment = {k: v for k, v in os.environ.items() if k != "SP404_SENTRY_DSN"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)


def test_an_error_in_a_workers_job_is_reported(
    services: Settings, sink: Sink, environment: pytest.MonkeyPatch
) -> None:
    queue.enqueue_function("sp404_app.jobs.runner.run", "no id of a job")
    process = subprocess.Popen([sys.executable, "-m", "sp404_app", "worker"], env=os.environ)
    try:
        assert sink.received.acquire(timeout=120)
    finally:
        process.terminate()
        process.wait()
    (event,) = sink.events
    assert event["tags"]["role"] == "jobs"
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert "no id of a job" not in "".join(sink.bodies)
