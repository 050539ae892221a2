"""What a worker does about money: events, or the nightly comparison. Safe to run twice."""

import datetime as dt
import time

import structlog
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.models.columns import now
from sp404_app.services.billing import reconcile as comparison
from sp404_app.services.billing import webhooks
from sp404_app.services.infra import queue

log = structlog.get_logger()

BATCH_SECONDS = 5.0


def work(_: str = "") -> None:
    """Work on all events that are due, in this one process, as long as nobody else waits for long.

    What is left then is called for again.
    """
    queue.events_heard()
    until = time.monotonic() + BATCH_SECONDS
    while event_id := _claim():
        handle(event_id)
        if queue.took(queue.MONEY) or time.monotonic() > until:
            queue.call_for_events()
            return


def _claim() -> str | None:
    with transaction() as session:
        return webhooks.claim(session)


def handle(event_id: str) -> None:
    """Work on one event; one that fails is due again later, until a person has to look."""
    try:
        with transaction() as session:
            webhooks.handle(session, event_id)
    except OperationalError:  # the database went away: the event stays due
        log.exception("event lost its database", stripe_event=event_id)
    except Exception as error:  # the border where anything may come: it must be written down
        log.exception("event failed", stripe_event=event_id)
        reason = str(error) if isinstance(error, AppError) else type(error).__name__
        with transaction() as session:
            webhooks.failed(session, event_id, reason)


def reconcile(day: str = "") -> tuple[int, list[str], list[str]]:
    """Compare everybody with Stripe, one transaction each; keep a report and return it."""
    healed: list[str] = []
    problems: list[str] = []
    with transaction() as session:
        problems += comparison.strangers(session)
    with transaction() as session:
        everybody = comparison.everybody(session)
    for user_id in everybody:
        try:
            with transaction() as session:
                changes, wrong = comparison.one(session, user_id)
        except AppError as error:
            problems.append(f"{user_id}: {error}")
            continue
        healed += changes
        problems += wrong
    when = dt.date.fromisoformat(day) if day else now().date()
    with transaction() as session:
        comparison.report(session, when, len(everybody), healed, problems)
    if healed or problems:
        log.warning(
            "differences from Stripe, see the report", healed=len(healed), left=len(problems)
        )
    return len(everybody), healed, problems
