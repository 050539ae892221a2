"""What happens by itself: lost jobs are taken up, old trash goes, waiting sounds get their turn."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from sp404_app.db import in_transaction
from sp404_app.jobs.email import send_overdue_emails
from sp404_app.models.columns import now
from sp404_app.services.account import data_export
from sp404_app.services.billing import customer_contact, emulator_setup, reconcile, webhooks
from sp404_app.services.infra import unsent_emails
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs, quota_backlog, reanalysis

log = logging.getLogger(__name__)

EVERY = 4.0  # seconds: with LOST_AFTER this keeps a killed worker's job below half a minute
MINUTELY, HOURLY = 15, 900  # rounds


@contextlib.asynccontextmanager
async def housekeeping() -> AsyncIterator[None]:
    """Run beside the web server, in each of its processes; rounds never collide."""
    tasks = [asyncio.create_task(_rounds()), asyncio.create_task(_overdue_emails())]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _rounds() -> None:
    count, renewing = 0, True
    while True:
        await _attempt(unsent_emails.requeue_due, now())
        await _attempt(jobs.take_up_lost, now())
        await _attempt(webhooks.call_for_due, now())
        if renewing or count % HOURLY == 0:
            renewing = await _attempt(reanalysis.renew) != 0
        if count % MINUTELY == 1:
            await _attempt(quota_backlog.queue_waiting)
            await _attempt(reconcile.call_nightly, now())
            await _attempt(emulator_setup.set_up_emulator)
            await _attempt(customer_contact.call_for_due)
        if count % HOURLY == 0:
            await _attempt(samples.purge_old_trash, now())
            await _attempt(data_export.purge_old, now())
            await _attempt(unsent_emails.purge_old_emails, now())
        count += 1
        await asyncio.sleep(EVERY)


async def _overdue_emails() -> None:
    """Send e-mails that no worker takes; apart, because a mail server may answer slowly."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await asyncio.to_thread(send_overdue_emails)
        except OperationalError as error:
            log.warning("housekeeping will try again: %s", error)
        except Exception:  # one mistake must not end all later rounds
            log.exception("overdue e-mails could not be sent")


async def _attempt(duty: Callable[..., int], *args: Any) -> int | None:
    """Do one duty and return what it says, None if it failed: then it has its next turn."""
    try:
        return await in_transaction(duty, *args)
    except (RedisError, OperationalError) as error:
        log.warning("housekeeping will try again: %s", error)
    except Exception:  # a mistake in one round must not end all of them, unseen
        log.exception("housekeeping failed in %s", duty)
    return None
