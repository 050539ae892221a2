"""Billing admin: dead webhook events and the reconcile report. Every function checks the role."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.models import ReconcileReport
from sp404_app.services.auth import admin_access
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import reconcile, webhooks
from sp404_app.services.infra import audit_log
from sp404_app.services.infra.client_info import Client
from sp404_app.services.plans import ensure_billing

MAX_REPORT_LINES = 50


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A webhook event whose retries are exhausted, with its last error."""

    id: str
    type: str
    customer_id: str
    received_at: dt.datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class ReconcileSummary:
    """The newest reconcile report; `finished_at` is None while it is running.

    `fixed` holds the last and `problems` the first MAX_REPORT_LINES lines; `fixed_total` and
    `problems_total` count all of them.
    """

    day: dt.date
    checked: int
    fixed: tuple[str, ...]
    problems: tuple[str, ...]
    fixed_total: int
    problems_total: int
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class BillingAdminData:
    """What the billing admin page shows."""

    dead_letters: tuple[DeadLetter, ...]
    last_reconcile: ReconcileSummary | None


def load_billing_admin(session: Session, who: SignedIn) -> BillingAdminData:
    """Return the dead events and the newest reconcile report.

    Raises:
        AppError: If the user is not an operator.
    """
    admin_access.ensure_reauthenticated_operator(session, who)
    dead_letters = tuple(
        DeadLetter(e.id, e.type, e.customer_id, e.received_at, e.attempts, e.error)
        for e in webhooks.list_dead_events(session)
    )
    report = reconcile.latest_report(session)
    return BillingAdminData(dead_letters, _summarise_report(report) if report else None)


def replay_event(session: Session, who: SignedIn, event_id: str, client: Client) -> None:
    """Queue one webhook event again.

    Raises:
        AppError: If billing is off, the user is not an operator, or there is no such event.
    """
    ensure_billing()
    admin_access.ensure_reauthenticated_operator(session, who)
    webhooks.replay_event(session, event_id)
    audit_log.record_audit_event(session, who.user_id, "event_replayed", client, event=event_id)


def replay_dead_events(session: Session, who: SignedIn, client: Client) -> int:
    """Queue all dead webhook events again; return how many.

    Raises:
        AppError: If the user is not an operator.
    """
    ensure_billing()
    admin_access.ensure_reauthenticated_operator(session, who)
    count = webhooks.replay_dead_events(session)
    audit_log.record_audit_event(
        session, who.user_id, "event_replayed", client, event=f"{count} dead events"
    )
    return count


def request_reconcile(session: Session, who: SignedIn, client: Client) -> None:
    """Enqueue a reconcile run now.

    Raises:
        AppError: If the user is not an operator.
    """
    ensure_billing()
    admin_access.ensure_reauthenticated_operator(session, who)
    reconcile.enqueue_reconcile(session)
    audit_log.record_audit_event(session, who.user_id, "comparison_asked", client)


def _summarise_report(report: ReconcileReport) -> ReconcileSummary:
    return ReconcileSummary(
        report.day,
        report.checked,
        tuple(map(str, report.healed[-MAX_REPORT_LINES:])),
        tuple(map(str, report.problems[:MAX_REPORT_LINES])),
        len(report.healed),
        len(report.problems),
        report.finished_at,
    )
