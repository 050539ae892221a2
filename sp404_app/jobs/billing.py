"""Billing jobs: handle webhook events, and reconcile with Stripe. Idempotent."""

import datetime as dt
import time

import structlog
from sqlalchemy.exc import OperationalError

from sp404_app.db import transaction
from sp404_app.errors import AppError
from sp404_app.models.columns import now
from sp404_app.services.billing import reconcile as reconciliation
from sp404_app.services.billing import webhooks
from sp404_app.services.infra import queue
from sp404_app.settings import settings
from sp404_app.telemetry import metrics

log = structlog.get_logger()

BATCH_SECONDS = 5.0


def handle_due_events(_: str = "") -> None:
    """Handle due webhook events, one transaction each, in this one job.

    It stops after BATCH_SECONDS, or earlier if other queues have waited long enough, and then
    enqueues itself for the rest.
    """
    queue.reset_stripe_events_flag()
    if not settings().billing:  # queued before it was turned off; the events stay due
        return
    deadline = time.monotonic() + BATCH_SECONDS
    while event_id := _claim_event():
        handle_event(event_id)
        if queue.count_taken_job(queue.HIGH) or time.monotonic() > deadline:
            queue.enqueue_stripe_events()
            return


work = handle_due_events  # the name in jobs that an earlier release enqueued


def _claim_event() -> str | None:
    with transaction() as session:
        return webhooks.claim_event(session)


def handle_event(event_id: str) -> None:
    """Handle one event; on failure schedule its next attempt."""
    try:
        with transaction() as session:
            webhooks.handle_event(session, event_id)
    except OperationalError:  # no database to record a failure in; the event stays due
        log.exception("event not handled: database unavailable", stripe_event=event_id)
    except Exception as error:  # outermost handler: any failure must be recorded with the event
        metrics.WEBHOOKS.labels("failed").inc()
        log.exception("event handling failed", stripe_event=event_id)
        reason = str(error) if isinstance(error, AppError) else type(error).__name__
        with transaction() as session:
            webhooks.record_failure(session, event_id, reason)
    else:
        metrics.WEBHOOKS.labels("handled").inc()


def reconcile(day: str = "") -> tuple[int, list[str], list[str]]:
    """Sync every customer with Stripe, one transaction each, and save a report.

    Returns the number of customers checked, the differences fixed, and the problems left. Without
    billing nothing is checked.
    """
    if not settings().billing:
        return 0, [], []
    fixed: list[str] = []
    problems: list[str] = []
    with transaction() as session:
        problems += reconciliation.find_unknown_payers(session)
    with transaction() as session:
        user_ids = reconciliation.list_billed_users(session)
    for user_id in user_ids:
        try:
            with transaction() as session:
                changes, unsolved = reconciliation.reconcile_user(session, user_id)
        except AppError as error:
            problems.append(f"{user_id}: {error}")
            continue
        fixed += changes
        problems += unsolved
    report_day = dt.date.fromisoformat(day) if day else now().date()
    with transaction() as session:
        reconciliation.save_report(session, report_day, len(user_ids), fixed, problems)
    if fixed or problems:
        log.warning("reconcile found differences", healed=len(fixed), left=len(problems))
    return len(user_ids), fixed, problems
