"""Sentences for the operator: plain lines in a terminal, JSON where a platform collects logs."""

import datetime as dt
import json
import sys
from typing import IO

from pydantic import ValidationError
from pydantic_settings import SettingsError

from sp404_app.settings import settings


def say(line: str) -> None:
    """Print a sentence to stdout at once."""
    _write(sys.stdout, line, "info")


def say_error(line: str) -> None:
    """Print a sentence to stderr at once."""
    _write(sys.stderr, line, "error")


def say_warning(line: str) -> None:
    """Print a warning to stderr at once."""
    _write(sys.stderr, line, "warning")


def _write(stream: IO[str], line: str, level: str) -> None:
    stream.write(f"{_as_json(line, level) if _in_json() else line}\n")
    stream.flush()


def _as_json(line: str, level: str) -> str:
    # The same fields as in `sp404_app.logs`, which would hide the text: it trusts no value. These
    # sentences contain names of settings, files and processes, and nothing that a client sent.
    fields = {"event": line, "level": level, "logger": "sp404_app.supervisor"}
    return json.dumps(fields | {"timestamp": dt.datetime.now(dt.UTC).isoformat()})


def _in_json() -> bool:
    try:
        return settings().logs_are_collected
    except (ValidationError, SettingsError):  # the sentence says which setting is invalid
        return False
