"""Housekeeping: requeue lost jobs, purge old rows, send overdue e-mails."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from sp404_app.db import in_transaction
from sp404_app.errors import Unavailable
from sp404_app.jobs import cleanup
from sp404_app.jobs.email import send_overdue_emails
from sp404_app.models.columns import now
from sp404_app.services.billing import customer_contact, emulator_setup, reconcile, webhooks
from sp404_app.services.infra import object_deletions, unsent_emails
from sp404_app.services.processing import jobs, quota_backlog, reanalysis
from sp404_app.services.sample import folder_refresh
from sp404_app.services.sharing import share_counts
from sp404_app.settings import settings
from sp404_app.telemetry import metrics

log = logging.getLogger(__name__)

INTERVAL_S = 4.0
# With `jobs.SUSPECT_AFTER`, a killed worker's job is queued again within 5 s, as are all jobs if
# Redis has lost its queues.
LOST_JOBS_INTERVAL_S = 1.0
ROUNDS_PER_MINUTE, ROUNDS_PER_HOUR = 15, 900


@contextlib.asynccontextmanager
async def housekeeping() -> AsyncIterator[None]:
    """Keep house until the context ends; row locks let several processes do so at once."""
    tasks = [asyncio.create_task(work()) for work in (_rounds, _lost_jobs, _overdue_emails)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _rounds() -> None:
    count, renewing = 0, True
    while True:
        await _run_task(unsent_emails.requeue_due, now())
        if settings().billing:
            await _run_task(webhooks.enqueue_if_events_due, now())
        await _run_task(share_counts.write_counts)
        await _run_task(folder_refresh.refresh_changed_folders)
        if renewing or count % ROUNDS_PER_HOUR == 0:
            renewing = await _run_task(reanalysis.enqueue_outdated_samples) != 0
        if count % ROUNDS_PER_MINUTE == 1:
            await _run_task(quota_backlog.enqueue_waiting_samples)
            await _run_task(object_deletions.delete_due_objects, now())
            if settings().billing:
                await _run_task(reconcile.enqueue_nightly_reconcile, now())
                await _run_task(emulator_setup.set_up_emulator)
                await _run_task(customer_contact.enqueue_if_contacts_due)
        if count % ROUNDS_PER_HOUR == 0:
            for clean_up in cleanup.HOURLY:
                await _run_task(clean_up, now())
        count += 1
        metrics.HOUSEKEEPING_AT.set(time.time())
        await asyncio.sleep(INTERVAL_S)


async def _lost_jobs() -> None:
    while True:
        await _run_task(jobs.suspect_queued_jobs)
        await _run_task(jobs.requeue_lost_jobs, now())
        await asyncio.sleep(LOST_JOBS_INTERVAL_S)


async def _overdue_emails() -> None:
    """Send e-mails that no worker takes; a separate task, because mail servers can be slow."""
    while True:
        await asyncio.sleep(INTERVAL_S)
        try:
            await asyncio.to_thread(send_overdue_emails)
        except OperationalError as error:
            log.warning("housekeeping will try again: %s", error)
        except Exception:  # a bug in one round must not end all later rounds
            log.exception("overdue e-mails could not be sent")


async def _run_task(task: Callable[..., int], *args: Any) -> int | None:
    """Run a task in a transaction; return its result, or None if it failed."""
    try:
        return await in_transaction(task, *args)
    except (RedisError, OperationalError, Unavailable) as error:
        metrics.HOUSEKEEPING_FAILURES.inc()
        log.warning("housekeeping will try again: %s", error)
    except Exception:  # a bug in one task must not end all later rounds
        metrics.HOUSEKEEPING_FAILURES.inc()
        log.exception("housekeeping failed in %s", task)
    return None
