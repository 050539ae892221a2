"""Errors of browsers: only their type and places in our scripts are kept."""

import io
import json

import pytest

from sp404_app.state.browser_errors import parse_browser_error, report_browser_error

CHROMIUM = """TypeError: cannot read 'my secret song.wav'
TypeError: cannot read 'my secret song.wav'
    at play (https://crate404.example/assets/player-B3x_9.js:1:2345)
    at https://crate404.example/assets/app-0f.js:12:7
    at https://elsewhere.example/hunter2.js:1:1"""
FIREFOX = """ReferenceError: hunter2 is not defined
play@https://crate404.example/assets/player-B3x_9.js:1:2345
@https://crate404.example/assets/app-0f.js?v=2:12:7"""


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


def test_the_log_has_no_message(own_logs: io.StringIO) -> None:
    report_browser_error(Exception(CHROMIUM))
    line = json.loads(own_logs.getvalue())
    assert (line["kind"], line["at"]) == ("TypeError", "assets/player-B3x_9.js:1:2345")
    assert "secret" not in own_logs.getvalue()
