"""A collector of traces on this machine: OTLP over HTTP, as protobuf."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATH = "/v1/traces"


class OtlpSink:
    """What was received."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.paths: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Return the attributes of the service of each batch."""
        return [_plain(each.resource.attributes) for each in self._batches()]

    @property
    def spans(self) -> list[dict[str, Any]]:
        """Return the spans with the name of their service."""
        return [
            {
                "name": span.name,
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent": span.parent_span_id.hex(),
                "links": [link.trace_id.hex() for link in span.links],
                "service": _plain(batch.resource.attributes)["service.name"],
                "failed": span.status.code == 2,
                "events": [(each.name, _plain(each.attributes)) for each in span.events],
                **_plain(span.attributes),
            }
            for batch in self._batches()
            for scope in batch.scope_spans
            for span in scope.spans
        ]

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the spans of this name."""
        return [span for span in self.spans if span["name"] == name]

    def _batches(self) -> Iterator[Any]:
        for body in list(self.bodies):
            yield from ExportTraceServiceRequest.FromString(body).resource_spans


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def otlp_sink() -> Iterator[OtlpSink]:
    """Serve a collector until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            found.paths.append(self.path)
            found.may_answer.wait()
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = OtlpSink(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.may_answer.set()
        server.shutdown()
        server.server_close()
