"""Errors of JavaScript in a browser, which Reflex sends with the tab's events.

A browser may send anything, and an error's message may quote what a user typed. So only the type
of the error, and places in our own scripts, are logged and reported.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import structlog

from sp404_app.telemetry import metrics, sentry
from sp404_app.telemetry.sentry import ScriptPlace

MAX_TEXT_LENGTH, MAX_PLACES = 10_000, 30
TYPE = re.compile(r"\s*([A-Z][A-Za-z]{0,39}(?:Error|Exception))\b")
PLACE = re.compile(r"/(assets/[\w.-]{1,100}\.js)(?:\?[\w=.-]{0,40})?:(\d{1,7}):(\d{1,7})", re.ASCII)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrowserError:
    """The type of an error, and its places in our scripts, innermost first."""

    kind: str
    places: tuple[ScriptPlace, ...]


def report_browser_error(exception: Exception) -> None:
    """Count, log and report an error of a browser; Reflex passes its text in an exception."""
    metrics.BROWSER_ERRORS.inc()
    if not sentry.may_report_browser_error():
        return
    found = parse_browser_error(str(exception))
    places = [place for place in found.places if is_our_script(place.file)]
    first = places[0] if places else None
    at = f"{first.file}:{first.line}:{first.column}" if first else None
    log.warning("error in a browser", kind=found.kind, at=at)
    sentry.report_browser_error(found.kind, places)


def is_our_script(file: str) -> bool:
    """Return whether the built pages have this file; any other name is the browser's invention."""
    pages = Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web")) / "build" / "client"
    return (pages / file).is_file()


def parse_browser_error(text: str) -> BrowserError:
    """Read type and places from an error's text, as Chromium, Firefox and Safari write it."""
    text = text[:MAX_TEXT_LENGTH]
    kind = TYPE.match(text)
    places = [
        ScriptPlace(file, int(line), int(column)) for file, line, column in PLACE.findall(text)
    ]
    return BrowserError(kind[1] if kind else "Error", tuple(places[:MAX_PLACES]))
