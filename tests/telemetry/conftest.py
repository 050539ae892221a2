"""A process that makes traces."""

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.instrumentation.redis import RedisInstrumentor
from reflex_base import otel

from sp404_app import logs
from sp404_app.telemetry import processes, tracing
from tests.otlp_sink import OtlpSink, otlp_sink


@pytest.fixture
def sink(environment: pytest.MonkeyPatch) -> Iterator[OtlpSink]:
    """Return a collector that the environment names."""
    with otlp_sink() as found:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.endpoint)
        environment.setattr(logs, "_sources", [])
        environment.setattr(tracing, "_tracing", tracing._Tracing())
        environment.setattr(processes._process, "role", processes.WEB)
        yield found
        tracing.stop()
        if RedisInstrumentor().is_instrumented_by_opentelemetry:
            RedisInstrumentor().uninstrument()
        otel.disable()


@pytest.fixture
def spans(sink: OtlpSink) -> Callable[[], OtlpSink]:
    """Start traces; return a function that ends them and returns the collector."""
    assert tracing.start()

    def ended() -> OtlpSink:
        tracing.stop()
        return sink

    return ended
