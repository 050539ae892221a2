"""Errors of browsers: only their type and places in our scripts are kept."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sp404_app.state.browser_errors import parse_browser_error, report_browser_error
from sp404_app.telemetry import sentry

CHROMIUM = """TypeError: cannot read 'my secret song.wav'
TypeError: cannot read 'my secret song.wav'
    at play (https://crate404.example/assets/player-B3x_9.js:1:2345)
    at https://crate404.example/assets/app-0f.js:12:7
    at https://elsewhere.example/hunter2.js:1:1"""
FIREFOX = """ReferenceError: hunter2 is not defined
play@https://crate404.example/assets/player-B3x_9.js:1:2345
@https://crate404.example/assets/app-0f.js?v=2:12:7"""


@pytest.fixture(autouse=True)
def _uncounted() -> Iterator[None]:
    """Begin and end each test with no errors counted."""
    for recent in (sentry._recent, sentry._recent_of_browsers):
        recent.clear()
    yield
    for recent in (sentry._recent, sentry._recent_of_browsers):
        recent.clear()


@pytest.mark.parametrize(("text", "kind"), [(CHROMIUM, "TypeError"), (FIREFOX, "ReferenceError")])
def test_type_and_places_are_read(text: str, kind: str) -> None:
    found = parse_browser_error(text)
    assert found.kind == kind
    assert [(each.file, each.line, each.column) for each in found.places] == [
        ("assets/player-B3x_9.js", 1, 2345),
        ("assets/app-0f.js", 12, 7),
    ]


@pytest.mark.parametrize(
    "text", ["", "hunter2", "undefined: undefined\nundefined", "Hunter2Error: x", "x" * 1_000_000]
)
def test_anything_else_is_an_error_without_a_place(text: str) -> None:
    found = parse_browser_error(text)
    assert (found.kind, found.places) == ("Error", ())


def test_the_log_has_no_message_and_only_names_of_our_scripts(
    own_logs: io.StringIO, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("REFLEX_WEB_WORKDIR", str(tmp_path))
    report_browser_error(Exception(CHROMIUM))
    assets = tmp_path / "build" / "client" / "assets"
    assets.mkdir(parents=True)
    (assets / "player-B3x_9.js").touch()
    report_browser_error(Exception(CHROMIUM))
    invented, ours = map(json.loads, own_logs.getvalue().splitlines())
    assert "at" not in invented or invented["at"] is None
    assert (ours["kind"], ours["at"]) == ("TypeError", "assets/player-B3x_9.js:1:2345")
    assert "secret" not in own_logs.getvalue()


def test_errors_of_browsers_are_limited_and_do_not_displace_those_of_the_server(
    own_logs: io.StringIO,
) -> None:
    for _ in range(100):
        report_browser_error(Exception("TypeError: x"))
    assert len(own_logs.getvalue().splitlines()) <= sentry.MAX_BROWSER_REPORTS_PER_MINUTE
    assert sentry._count_report()
