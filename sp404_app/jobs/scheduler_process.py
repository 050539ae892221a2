"""The scheduler process: housekeeping, in one of all schedulers that run."""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from typing import Final

from sp404_app.jobs.scheduler import housekeeping
from sp404_app.services.infra import library_use
from sp404_app.services.infra.leader import RENEW_S, Lease
from sp404_app.telemetry import metrics, processes, sentry

log = logging.getLogger(__name__)

LEASE_NAME: Final = "sp404:scheduler"


def main() -> None:
    """Keep house, or wait to do so, until a signal stops the process."""
    metrics.start_process(processes.SCHEDULER)
    sentry.start()
    library_use.show_use("scheduler")
    asyncio.run(_run())


async def _run() -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    lease = Lease(LEASE_NAME)
    log.info("scheduler %d is ready", os.getpid())
    try:
        while not stop.is_set():
            if await asyncio.to_thread(lease.take_or_renew):
                await _lead(lease, stop)
            else:
                await _wait(stop)
    finally:
        await asyncio.to_thread(lease.release)


async def _lead(lease: Lease, stop: asyncio.Event) -> None:
    log.info("scheduler %d leads", os.getpid())
    async with housekeeping():
        while not stop.is_set() and await asyncio.to_thread(lease.take_or_renew):
            await _wait(stop)


async def _wait(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), RENEW_S)
