"""Write the metrics of all processes of this host as text, and serve them where no web server is.

The sum over all processes never falls: the files of a process that has ended keep its counters.
Only its gauges, such as open websockets, are removed.
"""

import hmac
import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psutil
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from sp404_app.telemetry import metrics, processes

LIVE_GAUGES = "gauge_live*.db"


def write_metrics(collectors: Iterable[Any] = ()) -> bytes:
    """Return the metrics of all processes, and those of `collectors`, in Prometheus's format."""
    registry = CollectorRegistry()
    if folder := processes.folder():
        remove_gauges_of_dead(folder)
        registry.register(FileCollector(folder))
    for collector in collectors:
        registry.register(collector)
    text = generate_latest(registry)
    return text if folder else generate_latest(metrics.REGISTRY) + text


class FileCollector:
    """Add up the files of all processes.

    prometheus-client's collector fails on a file that a process has created and not filled yet, and
    for good if it was killed at that moment.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        files = [str(path) for path in self._folder.glob("*.db") if _size(path)]
        return MultiProcessCollector.merge(files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another scrape has removed the gauges of a process that has ended
        return 0


def remove_gauges_of_dead(folder: Path) -> None:
    """Remove the gauges of processes that have ended, however they ended."""
    for path in folder.glob(LIVE_GAUGES):
        pid = path.stem.rpartition("-")[2]
        if pid.isdigit() and not _is_running(int(pid)):
            with suppress(FileNotFoundError):  # another scrape has removed it
                path.unlink()


def _is_running(pid: int) -> bool:
    """Return whether a process runs; one that its parent has not noticed yet has ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def may_read(authorization: str, tokens: Iterable[str]) -> bool:
    """Return whether a header carries one of the tokens that open the metrics."""
    return any(
        hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()) for token in tokens
    )


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


class _Silent(WSGIRequestHandler):
    timeout = 10.0  # s; a connection that says nothing would hold its thread for ever

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Write no line for a scrape."""


def serve_metrics(host: str, port: int, tokens: Sequence[str]) -> None:
    """Serve /metrics in a thread, for a worker that runs without a web server on its host.

    With a token, a scrape needs it. Without one, only this machine may connect.

    Raises:
        OSError: If the port cannot be used.
    """
    address = host if tokens else "127.0.0.1"
    server = make_server(
        address,
        port,
        _application(tokens),
        server_class=_ServerOfIPv6 if ":" in address else _Server,
        handler_class=_Silent,
    )
    # A job that outlives its worker must not keep the port.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()


def _application(tokens: Sequence[str]) -> Callable[..., list[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        allowed = not tokens or may_read(environ.get("HTTP_AUTHORIZATION", ""), tokens)
        if environ.get("PATH_INFO") != "/metrics" or not allowed:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"Not found.\n"]
        text = write_metrics()
        start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
        return [text]

    return answer
