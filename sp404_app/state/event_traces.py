"""Traces of the events of pages: Reflex makes a span of each, named after its handler."""

from typing import TYPE_CHECKING

from reflex_base import otel

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def trace_events(provider: "TracerProvider") -> None:
    """Let Reflex make spans.

    Reflex continues the trace that a browser names with an event. Ours name none, and a client must
    not decide whether its events are sampled, nor add to the trace of another: each starts its own.
    """
    from opentelemetry.propagators.composite import CompositePropagator  # noqa: PLC0415 - only if wanted

    otel.enable(provider)
    otel._remote_propagator = CompositePropagator([])  # noqa: SLF001 - it has no setting
