"""One item of the check, its result, and the time limit of each."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sp404_app.settings import Settings

TIME_LIMIT_S = 3.0


class Status(StrEnum):
    """Only `MISSING` fails the check."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an item found, in one sentence that says what to do; it holds no secret."""

    status: Status
    message: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What is checked: the settings, and the folder with the backups if it is known."""

    settings: Settings
    backups: Path | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A named check."""

    name: str
    run: Callable[[Scope], Finding]


@dataclass(frozen=True, slots=True)
class Result:
    """The finding of a named item."""

    name: str
    status: Status
    message: str


def ok(message: str) -> Finding:
    """Return that nothing has to be done."""
    return Finding(Status.OK, message)


def warning(message: str) -> Finding:
    """Return something that an operator should know."""
    return Finding(Status.WARNING, message)


def missing(message: str) -> Finding:
    """Return something without which the library must not go live."""
    return Finding(Status.MISSING, message)


def run_items(items: Sequence[Item], scope: Scope, limit_s: float = TIME_LIMIT_S) -> list[Result]:
    """Run all items at once; one that has no result after `limit_s` seconds is missing."""
    findings: dict[str, Finding] = {}
    threads = [
        # Daemons: a connection that hangs must not keep the command from ending.
        threading.Thread(target=_run_item, args=[item, scope, findings], daemon=True)
        for item in items
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + limit_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    too_late = missing(f"No answer within {limit_s:g} seconds.")
    done = dict(findings)
    return [Result(item.name, *_fields(done.get(item.name, too_late))) for item in items]


def _run_item(item: Item, scope: Scope, findings: dict[str, Finding]) -> None:
    try:
        findings[item.name] = item.run(scope)
    except Exception as error:  # noqa: BLE001 - a bug in one item must not hide the others
        # The text of an unknown error could hold a password.
        findings[item.name] = missing(f"The check itself failed ({type(error).__name__}).")


def _fields(finding: Finding) -> tuple[Status, str]:
    return finding.status, finding.message
