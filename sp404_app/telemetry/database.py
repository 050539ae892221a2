"""Measure an engine: the time of each statement, and how many connections of its pool are in use.

Each statement within a trace is a span, too: the OpenTelemetry instrumentation of SQLAlchemy does
not support SQLAlchemy 2.1.

Jobs are not counted in the use of the pool: a job that is killed would leave its connection in the
sum, and it has a pool of its own.
"""

import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from sp404_app.telemetry import metrics, processes, tracing

OPERATIONS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
STARTED = "sp404_started"
SPAN = "sp404_span"  # attribute of an execution context


def measure_engine(engine: Engine, max_connections: int) -> None:
    """Measure the statements of an engine and the use of its pool."""
    event.listen(engine, "before_cursor_execute", _note_start)
    event.listen(engine, "after_cursor_execute", _observe)
    event.listen(engine, "handle_error", _end_failed)
    event.listen(engine, "checkout", lambda *_: _change_use(1))
    event.listen(engine, "checkin", lambda *_: _change_use(-1))
    if processes.role() != processes.JOBS:
        metrics.CONNECTIONS_MAX.set(max_connections)


def _note_start(
    connection: Any, _: object, statement: str, __: object, execution: Any, ___: object
) -> None:
    connection.info[STARTED] = time.perf_counter()
    if execution and (span := tracing.start_query(statement)):
        setattr(execution, SPAN, span)


def _observe(
    connection: Any, _: object, statement: str, __: object, execution: Any, ___: object
) -> None:
    seconds = time.perf_counter() - connection.info.get(STARTED, time.perf_counter())
    operation = statement[:6].upper()
    label = operation.lower() if operation in OPERATIONS else "other"
    metrics.DATABASE_SECONDS.labels(label).observe(seconds)
    if span := getattr(execution, SPAN, None):
        span.end()


def _end_failed(failure: ExceptionContext) -> None:
    if span := getattr(failure.execution_context, SPAN, None):
        tracing.note_failure(span, failure.original_exception)
        span.end()


def _change_use(by: int) -> None:
    if processes.role() != processes.JOBS:
        metrics.CONNECTIONS_IN_USE.inc(by)
