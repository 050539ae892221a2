"""What the metrics cost: requests and statements a second with them, divided by those without.

Both run in one process in short alternating turns, compared by CPU time. The
metrics go into memory-mapped files, as in the product. "Without" replaces counting and observing by
functions that do nothing.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="sp404-bench-"))

import httpx
from prometheus_client import Counter, Gauge, Histogram
from services import connected_services
from sqlmodel import text

from sp404_app import db, logs
from sp404_app.api.app import api, wrap_in_middleware

TURNS, CALLS_PER_TURN = 100, 50
METHODS = ((Counter, "inc"), (Gauge, "inc"), (Gauge, "dec"), (Gauge, "set"), (Histogram, "observe"))


@contextmanager
def no_metrics() -> Iterator[None]:
    """Count and observe nothing."""
    saved = [(kind, name, getattr(kind, name)) for kind, name in METHODS]
    for kind, name in METHODS:
        setattr(kind, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for kind, name, method in saved:
            setattr(kind, name, method)


async def seconds_of(call: Callable[[], Awaitable[object]]) -> float:
    """Return the CPU time of one turn: other load does not change it much."""
    started = time.process_time()
    for _ in range(CALLS_PER_TURN):
        await call()
    return time.process_time() - started


async def compare(name: str, call: Callable[[], Awaitable[object]]) -> None:
    """Print the ratio of the speeds, and the cost of one call."""
    await seconds_of(call)
    with_metrics, without, ratios = [], [], []
    for _ in range(TURNS):
        with_metrics.append(await seconds_of(call))
        with no_metrics():
            without.append(await seconds_of(call))
        ratios.append(without[-1] / with_metrics[-1])
    cost = (statistics.median(with_metrics) - statistics.median(without)) / CALLS_PER_TURN
    print(f"{name:40} {statistics.median(ratios):.3f} of the speed, {cost * 1e6:6.1f} µs a call")


async def main() -> None:
    """Measure a request without a database, one with it, and a statement."""
    transport = httpx.ASGITransport(wrap_in_middleware(api), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await compare("GET /api/health/live", lambda: client.get("/api/health/live"))
        await compare("GET /api/me without a token", lambda: client.get("/api/me"))

    def statement() -> None:
        with db.transaction() as session:
            session.execute(text("select 1"))

    async def run_statement() -> None:
        statement()

    await compare("a transaction with one statement", run_statement)


if __name__ == "__main__":
    os.environ["SP404_LOG_LEVEL"] = "WARNING"
    with connected_services():
        logs.configure()
        asyncio.run(main())
