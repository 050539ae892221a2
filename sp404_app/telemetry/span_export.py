"""Send spans by OTLP over HTTP, with the known harmless parts only.

A span is rebuilt from attributes that are listed here, whatever an instrumentation collects now or
in future: no URL, header, cookie, address, message of an error or value of a statement.
"""

import logging
import mmap
import re
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status

from sp404_app.telemetry.tracing import FUNCTION

PAUSE_S = 30.0  # after a failure nothing is sent for as long
MAX_NAME_CHARS, MAX_VALUE_CHARS = 120, 2000
QUERY = "db.query.text"
RENAMED = {"db.statement": QUERY, "db.system": "db.system.name"}
# Searches have their words in the statement, so that PostgreSQL plans with them.
TEXT_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)")
KEPT = frozenset(
    {
        FUNCTION, QUERY, "db.system.name", "error.type", "http.request.method",
        "http.response.status_code", "http.route", "job.kind", "job.outcome", "job.queue",
        "reflex.event.background", "request_id", "stripe.resource",
    }
)  # fmt: skip
OF_EXCEPTIONS = frozenset({"exception.type"})

log = structlog.get_logger(__name__)


class Outage:
    """Whether the collector is out of reach, in memory that forked processes share.

    Each job runs in a new process. Without this, each would wait for a collector that hangs, and
    each would log the failure.
    """

    FORMAT = struct.Struct("d?")  # when to try again, on the monotonic clock; if sending failed

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, self.FORMAT.size)

    def is_recent(self) -> bool:
        """Return whether sending failed within the last half minute."""
        until, _ = self.FORMAT.unpack(self._memory[:])
        return time.monotonic() < until

    def may_report(self) -> bool:
        """Return whether nothing was reported so far; from now on, something was."""
        _, was_failed = self.FORMAT.unpack(self._memory[:])
        self._memory[:] = self.FORMAT.pack(0.0, True)
        return not was_failed

    def note(self, *, failed: bool) -> None:
        """Remember the result of sending; log when it changes."""
        _, was_failed = self.FORMAT.unpack(self._memory[:])
        self._memory[:] = self.FORMAT.pack(time.monotonic() + PAUSE_S if failed else 0.0, failed)
        if failed and not was_failed:
            log.warning(
                "the collector of traces does not take them: they are dropped until it does"
            )
        elif was_failed and not failed:
            log.info("the collector takes traces again")


class ScrubbingExporter(SpanExporter):
    """Hands scrubbed spans to another exporter, unless that failed a moment ago."""

    def __init__(self, sender: SpanExporter, outage: Outage) -> None:
        self._sender, self._outage, self._is_sending = sender, outage, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        if self._outage.is_recent():
            return SpanExportResult.FAILURE
        self._is_sending = True
        result = self._sender.export([scrub(each) for each in spans])
        self._is_sending = False
        self._outage.note(failed=result is not SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Stop trying to send; a collector that has not answered by now is out of reach."""
        if self._is_sending:  # `export` cannot note it: the process of a job ends now
            self._outage.note(failed=True)
        self._sender.shutdown()


class RootlessProcessor(BatchSpanProcessor):
    """Drops queries that belong to no trace, such as those by which Reflex cleans up."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span."""
        if span.parent or span.kind is not SpanKind.CLIENT:
            super().on_end(span)

    def stop(self, seconds: float) -> None:
        """Send what waits, for `seconds` at most, and nothing afterwards."""
        self._batch_processor.shutdown(timeout_millis=int(seconds * 1000))


def processor(outage: Outage) -> RootlessProcessor:
    """Return a processor that sends to the collector that the environment names.

    Raises:
        ValueError: If a variable of OpenTelemetry has an invalid value.
    """
    return RootlessProcessor(ScrubbingExporter(OTLPSpanExporter(), outage))


def provider(resource: Mapping[str, str]) -> TracerProvider:
    """Return a provider; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES replace our attributes.

    It is not the global one, so libraries that we do not instrument make no spans.

    Raises:
        ValueError: If a variable of OpenTelemetry has an invalid value.
    """
    # The SDK logs each batch that it cannot send, and each span that it drops.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    found = Resource.create().merge(Resource(resource)).merge(OTELResourceDetector().detect())
    return TracerProvider(resource=found, shutdown_on_exit=False)


def trace_redis(provider: TracerProvider) -> None:
    """Make a span of each command to Redis; it has the command without its arguments."""
    RedisInstrumentor().instrument(tracer_provider=provider)


def scrub(span: ReadableSpan) -> ReadableSpan:
    """Return a span with the known harmless parts only."""
    attributes = scrub_attributes(span.attributes or {})
    return ReadableSpan(
        name=_name(span.name, str(attributes.get(FUNCTION, ""))),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        events=[
            Event(each.name, _only(each.attributes or {}, OF_EXCEPTIONS), each.timestamp)
            for each in span.events
            if each.name == "exception"
        ],
        links=[Link(each.context) for each in span.links],
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def scrub_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that may be sent, by their present names."""
    named = {RENAMED.get(name, name): value for name, value in attributes.items()}
    kept = _only(named, KEPT)
    if QUERY in kept:
        kept[QUERY] = TEXT_LITERAL.sub("?", str(kept[QUERY]))
    return {
        name: value[:MAX_VALUE_CHARS] if isinstance(value, str) else value
        for name, value in kept.items()
        if value != ""
    }


def _only(attributes: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name in names}


def _name(name: str, function: str) -> str:
    """Return a span's name, with the class and the method of the handler if it has one."""
    handler = ".".join(function.split(".")[-2:])
    if handler and name.endswith(f".{handler.rpartition('.')[2]}"):  # Reflex: `…___state.handler`
        return handler
    return f"{name} {handler}".strip()[:MAX_NAME_CHARS]
