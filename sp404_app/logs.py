"""Structured logs: one JSON object a line, without any value that a client sent.

Each record is redacted when it is created, so no handler, of the app or of a library, can write
what it contained:

- A record of a library is replaced by the source text of its logging call, without the values,
  because those may quote events, headers and rows.
- A record of the app is a constant text with fields. A field is written if `FORMS` contains its
  name and its value matches, or if it is a number, an id, an error or a function.
- An error is written as its type and traceback, without its message.
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
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from psycopg import errors
from pydantic import ValidationError
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

from sp404_app.settings import settings

HIDDEN = "…"
APP_LOGGERS = re.compile(r"(sp404_app|stripe_emulator)(\.|$)")
METHODS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "log")
WARNINGS_ONLY = (
    "alembic",
    "httpx",
    "httpcore",
    "urllib3",
    "asyncio",
    "stripe",
    "granian.access",
    "uvicorn.access",
)
MAX_CHAIN_LENGTH = 10  # of errors caused by one another
MISSING_IN_DATABASE = (
    errors.InsufficientPrivilege,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.UndefinedTable,
)


def _is_ip(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(text))
    return False


def _form(pattern: str) -> Any:
    return re.compile(pattern, re.ASCII).fullmatch


# The pattern that a text field must match to be written, by field name.
FORMS: dict[str, Any] = {
    "at": _form(r"[\w./-]{1,200}:\d+(:\d+)?"),
    "charge": _form(r"(ch|py)_\w{1,100}"),
    "check": _form(r"[a-z_]{1,40}"),
    "code": _form(r"[a-z_]{1,60}"),
    "constraint": _form(r"[a-z0-9_]{1,63}"),
    "error": _form(r"[A-Z]\w{0,80}"),
    "file": _form(r"[\w.-]{1,100}"),
    "ip": _is_ip,
    "kind": _form(r"[A-Za-z]\w{0,80}"),
    "method": _form("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS"),
    "outcome": _form("done|refused|timeout|failed|no_database|killed"),
    "param": _form(r"[a-z0-9_\[\]]{1,60}"),
    "queue": _form(r"[a-z]{1,20}"),
    "reference": _form(r"[0-9a-f]{8}"),
    "request": _form(r"req_\w{1,60}"),
    "request_id": _form(r"[A-Za-z0-9._-]{8,64}"),
    "route": _form(r"pages|/[\w{}./-]{0,200}"),
    "trace_id": _form(r"[0-9a-f]{32}"),
    "stripe_mode": _form("live|test|emulator"),
    "stripe_event": _form(r"evt_\w{1,100}"),
    "reason": _form(r"[A-Za-z0-9 ,.'()-]{1,100}"),
    "subject": _form(r"[A-Za-z0-9 ,.'-]{1,100}"),
    "subscription": _form(r"sub_\w{1,100}"),
    "user_id": _form(r"[0-9a-f-]{36}"),
}
ErrorReport = Callable[[BaseException, Mapping[str, Any]], None]
OF_OURS = ("event", "level", "logger", "timestamp", "exception")  # fields added in this module


def configure() -> None:
    """Redact all log records of this process and write them to stderr as JSON; idempotent."""
    logging.setLogRecordFactory(Record)
    logging.raiseExceptions = False  # otherwise a record that cannot be formatted is printed
    shared: list[Processor] = [
        merge_contextvars,
        _add_fields,
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
    for name in WARNINGS_ONLY:
        logging.getLogger(name).setLevel(logging.WARNING)
    _install_hooks()


def _level() -> str:
    try:
        return settings().log_level.upper()
    except ValidationError:  # the command reports the invalid setting itself
        return "INFO"


# An error of what sends the reports is not reported, or it would send itself for ever.
REPORTERS = ("sentry_sdk", "urllib3")


class Record(logging.LogRecord):
    """A log record that is redacted when it is created."""

    def __init__(self, *parts: Any, **more: Any) -> None:
        """Replace message, arguments and error by what may be written."""
        super().__init__(*parts, **more)
        if not self.name:  # a copy of a redacted record
            return
        from_structlog = isinstance(self.msg, dict)  # reported by `redact`, with its fields
        if not APP_LOGGERS.match(self.name):
            source = statement(self.pathname, self.lineno) or "a library's message"
            self.msg, self.args = f"{source} ({self.module}:{self.lineno})", ()
        elif isinstance(self.args, tuple):
            self.args = tuple(map(_plain, self.args))
        else:
            self.args = ()
        if self.exc_info and self.exc_info[1]:
            self.exc_text = stack(self.exc_info[1])
            if not from_structlog and self.name.partition(".")[0] not in REPORTERS:
                _report(self.exc_info[1], {"logger": self.name, "level": self.levelname.lower()})
        self.exc_info = None


@lru_cache(maxsize=1000)
def statement(path: str, line: int) -> str:
    """Return the message of a logging call from its source: the text without its values."""
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError, RecursionError, SystemError):
        # Python 3.11 sometimes miscounts the recursion of its parser: "recursion depth mismatch".
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
    """Hide fields that match no pattern, and replace an error by its type and traceback."""
    error = event.pop("exc_info", None)
    error = sys.exc_info() if error is True else error
    error = error[1] if isinstance(error, tuple) else error
    if isinstance(error, BaseException):
        event["exception"] = stack(error)
    for name, value in event.items():
        if name not in OF_OURS and not name.startswith("_"):
            event[name] = _allowed(name, value)
    if isinstance(error, BaseException):
        _report(error, event)
    return event


def report_errors_to(report: ErrorReport) -> None:
    """Pass each logged error and the fields of its line to a function; idempotent."""
    if report not in _reports:
        _reports.append(report)


_reports: list[ErrorReport] = []


def add_fields_of(source: Callable[[], Mapping[str, str]]) -> None:
    """Add the fields that a function returns to each line that lacks them; idempotent."""
    if source not in _sources:
        _sources.append(source)


_sources: list[Callable[[], Mapping[str, str]]] = []


def _add_fields(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for source in _sources:
        event = {**source(), **event}
    return event


def _report(error: BaseException, fields: Mapping[str, Any]) -> None:
    if fields.get("level") in {"error", "critical"}:
        for report in _reports:
            report(error, get_contextvars() | dict(fields))


def _allowed(name: str, value: object) -> object:
    form = FORMS.get(name)
    if isinstance(value, str) and form and form(value):
        return value
    return _plain(value)


def _plain(value: object) -> object:
    """Return a value if its type alone makes it safe to write, otherwise `HIDDEN`."""
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
    """Return the tracebacks and types of an error and its causes, without their messages."""
    parts = [
        "".join(traceback.format_tb(one.__traceback__)) + name_of(one) for one in _chain(error)
    ]
    return "\ncaused by\n".join(parts)


def _chain(error: BaseException) -> Iterator[BaseException]:
    following: BaseException | None = error
    for _ in range(MAX_CHAIN_LENGTH):
        if following is None:
            return
        yield following
        if isinstance(following, BaseExceptionGroup):
            yield from following.exceptions[:MAX_CHAIN_LENGTH]
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)


def name_of(error: BaseException) -> str:
    """Return an error's type with its errno, its SQLSTATE or the name of the missing module.

    If a table, column, function or right is missing, PostgreSQL's message names it, and no value.
    """
    cause = getattr(error, "orig", error)
    code = getattr(cause, "sqlstate", None)
    if isinstance(cause, MISSING_IN_DATABASE):
        code = f"{code}: {cause.diag.message_primary}"
    if isinstance(error, ImportError):
        code = error.name
    if isinstance(error, OSError) and error.errno:
        code = errno.errorcode.get(error.errno, error.errno)
    return f"{type(error).__name__}{f' ({code})' if code else ''}"


def _with_stack(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if event["_record"].exc_text:
        event["exception"] = event["_record"].exc_text
    return event


def _install_hooks() -> None:
    """Log what Python would print: uncaught errors and warnings."""
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
