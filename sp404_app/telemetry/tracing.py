"""OpenTelemetry traces, if the standard variables name a collector; otherwise this does nothing.

A trace follows one action of a user: the request, its SQL, the job that it enqueued, and the pages
that show the result. Its id travels as a W3C `traceparent`: with a job in Redis, and with the event
that a change publishes. The SDK is imported when a collector is named only. `span_export` removes
everything from a span that a client sent.
"""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

import structlog

import sp404_app
from sp404_app import logs
from sp404_app.settings import settings
from sp404_app.telemetry import processes

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

    from sp404_app.telemetry.span_export import Outage, RootlessProcessor

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
STOP_TIMEOUT_S = 2.0  # of a job that ended, or a web server that stops, for its last spans
HANDLE_EVENTS = "handle events"  # name of the span in which a page shows a change
FUNCTION = "code.function.name"
Kind = Literal["INTERNAL", "SERVER", "CLIENT", "CONSUMER"]

log = structlog.get_logger(__name__)


class _Tracing:
    """What `start` made in this process."""

    tracer: "Tracer | None" = None
    processor: "RootlessProcessor | None" = None
    outage: "Outage | None" = None
    is_refused: bool = False  # the SDK reads its variables when it is imported, and refuses some
    service: str = ""


_tracing = _Tracing()


def is_wanted() -> bool:
    """Return whether the variables of OpenTelemetry name a collector and do not disable traces."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(os.environ.get(name, "").strip() for name in ENDPOINTS)


def is_on() -> bool:
    """Return whether this process makes spans."""
    return _tracing.tracer is not None


def prepare() -> None:
    """Import the SDK and name this service; call before a fork, so that each child saves the time.

    What is made here is shared with the children, above all whether the collector is out of reach.
    """
    if not is_wanted() or _tracing.outage or _tracing.is_refused:
        return
    try:
        from sp404_app.telemetry import span_export  # noqa: PLC0415 - imports the SDK
    except ValueError:
        _tracing.is_refused = True
        _report_wrong_value()
        return
    _tracing.outage = span_export.Outage()
    _tracing.service = f"crate404-{processes.role()}"


def start() -> "TracerProvider | None":
    """Make spans in this process from now on; return None without a collector. Idempotent.

    A thread sends the spans, and threads do not survive a fork: so call it after a fork.
    """
    if not is_wanted() or is_on():
        return None
    prepare()
    if not _tracing.outage:
        return None
    from sp404_app.telemetry import span_export  # noqa: PLC0415 - imported by `prepare` already

    try:
        provider = span_export.provider(_resource())
        processor = span_export.processor(_tracing.outage)
    except ValueError:
        if _tracing.outage.may_report():
            _report_wrong_value()
        return None
    provider.add_span_processor(processor)
    _tracing.processor, _tracing.tracer = processor, provider.get_tracer("sp404_app")
    span_export.trace_redis(provider)
    logs.add_fields_of(log_fields)
    return provider


def _report_wrong_value() -> None:
    log.warning("traces are off: a variable OTEL_… has a wrong value")


def _resource() -> Mapping[str, str]:
    return {
        "service.name": _tracing.service,
        "service.version": sp404_app.__version__,
        "service.instance.id": processes.name(),
        "deployment.environment.name": settings().sentry_environment or str(settings().env),
    }


def stop() -> None:
    """Send the last spans, for two seconds at most; spans that end later are lost."""
    if _tracing.processor:
        _tracing.processor.stop(STOP_TIMEOUT_S)


@asynccontextmanager
async def stop_at_end() -> AsyncIterator[None]:
    """Send the last spans of a web process when it stops: it ends without cleanup of modules."""
    yield
    stop()


@contextmanager
def span(
    name: str,
    kind: Kind = "INTERNAL",
    attributes: Mapping[str, Any] | None = None,
    parent: str = "",
) -> Iterator["Span | None"]:
    """Make a span of a block; an error of it is noted by its type.

    `parent` is the `traceparent` of one of our processes.
    """
    if _tracing.tracer is None:
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - imported by `start` already

    with _tracing.tracer.start_as_current_span(
        name,
        context_of(parent) if parent else None,
        SpanKind[kind],
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            note_failure(made, error)
            raise


def start_query(statement: str) -> "Span | None":
    """Start the span of an SQL statement; return None outside of a trace. The caller ends it."""
    if _tracing.tracer is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - imported by `start` already

    if not trace.get_current_span().is_recording():
        return None
    return _tracing.tracer.start_span(
        statement.split(None, 1)[0].upper() if statement.strip() else "SQL",
        kind=trace.SpanKind.CLIENT,
        attributes=query_attributes(statement),
    )


def query_attributes(statement: str) -> dict[str, str]:
    """Return the attributes of the span of an SQL statement."""
    return {"db.system.name": "postgresql", "db.query.text": statement}


def note_failure(failed: "Span", error: BaseException) -> None:
    """Mark a span as failed with the type of an error, without its message."""
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 - imported by `start` already

    failed.set_attribute("error.type", type(error).__name__)
    failed.set_status(StatusCode.ERROR)


def traceparent() -> str:
    """Return the `traceparent` of the present span, or ""."""
    if not is_on():
        return ""
    from opentelemetry import trace  # noqa: PLC0415 - imported by `start` already

    found = trace.get_current_span().get_span_context()
    if not found.is_valid:
        return ""
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"


def log_fields(parent: str = "") -> Mapping[str, str]:
    """Return the id of a trace as a field of log lines; by default, of the present one."""
    found = parent or traceparent()
    return {"trace_id": found.split("-")[1]} if found else {}


def context_of(parent: str) -> "Context":
    """Return a context with the span of a `traceparent`; one without a span if it is invalid."""
    from opentelemetry.context import Context  # noqa: PLC0415 - imported by `start` already
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract({"traceparent": parent}, Context())


@contextmanager
def handle_events(parents: Sequence[str]) -> Iterator[None]:
    """Make a span, in the trace of the first event, of what is done with some events.

    Whoever listens to events does so in a long span of the trace that opened the page. It is
    linked, and so are the traces of the other events.
    """
    if _tracing.tracer is None or not any(parents):
        yield
        return
    from opentelemetry import context, trace  # noqa: PLC0415 - imported by `start` already

    before, listener = context.get_current(), trace.get_current_span()
    first, *others = [context_of(each) for each in dict.fromkeys(parents) if each]
    linked = [listener, *(trace.get_current_span(each) for each in others)]
    handler = (getattr(listener, "attributes", None) or {}).get(FUNCTION, "")
    made = _tracing.tracer.start_span(
        HANDLE_EVENTS,
        first,
        trace.SpanKind.CONSUMER,
        {FUNCTION: handler},
        [trace.Link(each.get_span_context()) for each in linked],
    )
    context.attach(trace.set_span_in_context(made, before))
    try:
        yield
    finally:
        made.end()
        # Not `detach`: a generator that was left is closed in another task, where it would fail.
        context.attach(before)
