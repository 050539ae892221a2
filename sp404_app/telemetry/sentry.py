"""Report unexpected errors to Sentry, if SP404_SENTRY_DSN is set.

`sp404_app.logs` passes on every error that it writes, so Sentry gets what the logs have, from web
processes and workers. An event is built from the parts that are known to be harmless: types, stack
frames of code, and fields that the logs may contain. So it has no message of an error, no request,
cookie, address, local variable or name of a file of a user, whatever the SDK collects in future.

`sentry_sdk` takes a third of a second to import, so it is imported when it is used only.
"""

import contextlib
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sp404_app
from sp404_app import logs
from sp404_app.settings import settings
from sp404_app.telemetry import processes

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_TIMEOUT_S = 2.0
MAX_REPORTS_PER_MINUTE = 60  # of each process: while a database is down, each request fails
MAX_BROWSER_REPORTS_PER_MINUTE = 20
KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk", "tags")
KEPT_OF_FRAMES = (
    "abs_path", "colno", "context_line", "filename", "function", "in_app", "lineno", "module",
    "post_context", "pre_context",
)  # fmt: skip
TAGS = frozenset(
    {"request_id", "trace_id", "reference", "route", "method", "stripe_event", "kind", "logger"}
)


def start() -> None:
    """Report the unexpected errors of this process from now on; do nothing without the setting."""
    dsn = settings().sentry_dsn
    if not dsn:
        return
    import sentry_sdk  # noqa: PLC0415 - see above

    sentry_sdk.init(
        dsn,
        release=f"crate-404@{sp404_app.__version__}",
        environment=settings().sentry_environment or settings().env,
        # Integrations hook into FastAPI, SQLAlchemy and others, and collect requests and queries.
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        send_default_pii=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="",
        before_send=scrub,
    )
    logs.report_errors_to(report)


def report(error: BaseException, fields: Mapping[str, Any]) -> None:
    """Send an error with fields of its log line; never raises."""
    import sentry_sdk  # noqa: PLC0415 - imported by `start` already

    if not _count_report():
        return
    with contextlib.suppress(Exception), sentry_sdk.new_scope() as scope:
        scope.set_tag("role", processes.role())
        for name in TAGS & fields.keys():
            scope.set_tag(name, str(fields[name]))
        scope.capture_exception(error)


_recent: deque[float] = deque(maxlen=MAX_REPORTS_PER_MINUTE)
_recent_of_browsers: deque[float] = deque(maxlen=MAX_BROWSER_REPORTS_PER_MINUTE)


def _count_report(recent: deque[float] = _recent) -> bool:
    """Count a report; return False if there were too many in the last minute."""
    now = time.monotonic()
    if len(recent) == recent.maxlen and now - recent[0] < 60:
        return False
    recent.append(now)
    return True


def may_report_browser_error() -> bool:
    """Count an error of a browser; return False if there were too many in the last minute.

    They are counted apart: anybody may send them, and they must not displace the server's own.
    """
    return _count_report(_recent_of_browsers)


@dataclass(frozen=True, slots=True)
class ScriptPlace:
    """A place in a script of ours."""

    file: str
    line: int
    column: int


def report_browser_error(kind: str, places: Sequence[ScriptPlace]) -> None:
    """Send an error of JavaScript, innermost place first; do nothing without the setting."""
    if not settings().sentry_dsn:
        return
    import sentry_sdk  # noqa: PLC0415 - imported by `start` already

    frames = [
        {"filename": f"app:///{each.file}", "lineno": each.line, "colno": each.column}
        for each in reversed(places)
    ]
    values = [{"type": kind, "stacktrace": {"frames": frames}}]
    # The SDK's type of an event knows Python only.
    event: Any = {"platform": "javascript", "level": "error", "exception": {"values": values}}
    sentry_sdk.capture_event(event)


def flush() -> None:
    """Send what waits; a process that is about to end without cleanup must call it."""
    if settings().sentry_dsn:
        import sentry_sdk  # noqa: PLC0415 - imported by `start` already

        sentry_sdk.flush(FLUSH_TIMEOUT_S)


def scrub(event: "Event", _: "Hint") -> "Event | None":
    """Return an event of the known harmless parts only."""
    plain: dict[str, Any] = dict(event)
    kept = {name: plain[name] for name in KEPT if name in plain}
    values = (plain.get("exception") or {}).get("values") or []
    kept["exception"] = {"values": [_scrub_exception(each) for each in values]}
    return kept  # type: ignore[return-value]


def _scrub_exception(exception: Mapping[str, Any]) -> dict[str, Any]:
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in KEPT_OF_FRAMES if name in frame} for frame in frames
            ]
        },
    }
