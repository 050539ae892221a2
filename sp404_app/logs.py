"""Logs: one JSON object a line, in which nothing is written that a client sent.

Every record of this process is redacted when it is made, so that no handler, ours or a library's,
ever holds what was in it:

- A record of a library is written as the statement that made it stands in its source, without the
  values: their texts quote events, headers and rows.
- A record of ours is a constant text with fields. A field is written if `FORMS` knows its name and
  its value has that form, or if it is a number, an id, an error or a function.
- An error is written as its type and where it came from, never as what it says.
"""

import ast
import contextlib
import errno
import functools
import ipaddress
import logging
import re
import sys
import threading
import traceback
import uuid
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from pydantic import ValidationError
from structlog.contextvars import merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from sp404_app.settings import settings

HIDDEN = "…"
OURS = re.compile(r"(sp404_app|stripe_emulator)(\.|$)")
METHODS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "log")
CHATTY = (
    "alembic",
    "httpx",
    "httpcore",
    "urllib3",
    "asyncio",
    "stripe",
    "granian.access",
    "uvicorn.access",
)
DEPTH = 10  # errors that were caused by one another


def _is_ip(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False


def _form(pattern: str) -> Any:
    return re.compile(pattern, re.ASCII).fullmatch


# What a text has to look like to be written, by the name of its field.
FORMS: dict[str, Any] = {
    "at": _form(r"[\w./-]{1,200}:\d+"),
    "charge": _form(r"(ch|py)_\w{1,100}"),
    "check": _form(r"[a-z_]{1,40}"),
    "code": _form(r"[a-z_]{1,60}"),
    "constraint": _form(r"[a-z0-9_]{1,63}"),
    "error": _form(r"[A-Z]\w{0,80}"),
    "file": _form(r"[\w.-]{1,100}"),
    "ip": _is_ip,
    "kind": _form(r"[A-Z]\w{0,80}"),
    "method": _form("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"),
    "param": _form(r"[a-z0-9_\[\]]{1,60}"),
    "request": _form(r"req_\w{1,60}"),
    "request_id": _form(r"[0-9a-f]{32}"),
    "route": _form(r"pages|/[\w{}./-]{0,200}"),
    "stripe_event": _form(r"evt_\w{1,100}"),
    "reason": _form(r"[A-Za-z0-9 ,.'()-]{1,100}"),
    "subject": _form(r"[A-Za-z0-9 ,.'-]{1,100}"),
    "subscription": _form(r"sub_\w{1,100}"),
    "user_id": _form(r"[0-9a-f-]{36}"),
}
OF_OURS = ("event", "level", "logger", "timestamp", "exception")  # made here


def configure() -> None:
    """Redact all that this process logs, and send it to stderr as JSON; safe to repeat."""
    logging.setLogRecordFactory(Record)
    logging.raiseExceptions = False  # a record that cannot be written is not quoted either
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_stack, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(_level())
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    _hook()


def _level() -> str:
    try:
        return settings().log_level.upper()
    except ValidationError:  # the command that starts says which setting is wrong
        return "INFO"


class Record(logging.LogRecord):
    """A record without what a client sent, whoever made it and whoever writes it."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        """Take what `logging` gives, and keep what may be written."""
        super().__init__(*parts, **more)
        if not self.name:  # a copy of a record that was redacted
            return
        if not OURS.match(self.name):
            said = statement(self.pathname, self.lineno) or "a library's message"
            self.msg, self.args = f"{said} ({self.module}:{self.lineno})", ()
        elif isinstance(self.args, tuple):
            self.args = tuple(map(_plain, self.args))
        else:
            self.args = ()
        if self.exc_info and self.exc_info[1]:
            self.exc_text = stack(self.exc_info[1])
        self.exc_info = None


@lru_cache(maxsize=1000)
def statement(path: str, line: int) -> str:
    """Return the message of a logging call as its source has it: the text, without its values."""
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        message = node.args[node.func.attr == "log" :]
        if node.lineno == line and node.func.attr in METHODS and message:
            text = message[0].value if isinstance(message[0], ast.Constant) else None
            return text if isinstance(text, str) else ast.unparse(message[0])
    return ""


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep the fields of a line that have a known form; errors lose what they say."""
    error = event.pop("exc_info", None)
    error = sys.exc_info() if error is True else error
    error = error[1] if isinstance(error, tuple) else error
    if isinstance(error, BaseException):
        event["exception"] = stack(error)
    for name, value in event.items():
        if name not in OF_OURS and not name.startswith("_"):
            event[name] = _shown(name, value)
    return event


def _shown(name: str, value: object) -> object:
    form = FORMS.get(name)
    if isinstance(value, str) and form and form(value):
        return value
    return _plain(value)


def _plain(value: object) -> object:
    """Return what can be written of a value by its type alone."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, BaseException):
        return name_of(value)
    if isinstance(value, functools.partial):
        return _plain(value.func)
    if callable(value):
        return getattr(value, "__qualname__", HIDDEN)
    return HIDDEN


def stack(error: BaseException) -> str:
    """Return where an error came from and what it is, and what caused it; not what it says."""
    parts = [
        "".join(traceback.format_tb(one.__traceback__)) + name_of(one) for one in _chain(error)
    ]
    return "\ncaused by\n".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(DEPTH):
        if following is None:
            return
        yield following
        if isinstance(following, BaseExceptionGroup):
            yield from following.exceptions[:DEPTH]
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def name_of(error: BaseException) -> str:
    """Return an error's type, with the code of the system or the database, or what is missing."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(error, ImportError):
        code = error.name
    if isinstance(error, OSError) and error.errno:
        code = errno.errorcode.get(error.errno, error.errno)
    return f"{type(error).__name__}{f' ({code})' if code else ''}"


def _with_stack(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if event["_record"].exc_text:
        event["exception"] = event["_record"].exc_text
    return event


def _hook() -> None:
    """Log what Python itself would print: errors nobody caught, and warnings."""
    log = structlog.get_logger("sp404_app.process")

    def uncaught(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("uncaught error", exc_info=error)

    def in_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value and not isinstance(found.exc_value, SystemExit):
            log.error("uncaught error in a thread", exc_info=found.exc_value)

    def ignored(found: Any) -> None:
        log.error("error in a finalizer", exc_info=found.exc_value)

    def warned(_: Warning | str, kind: type[Warning], path: str, line: int, *__: object) -> None:
        log.warning("warning of Python", kind=kind.__name__, at=f"{path}:{line}")

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, ignored
    warnings.showwarning = warned
