"""What an operator sees and does about money; nobody else, which every function checks itself."""

import datetime as dt
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.models import ReconcileReport
from sp404_app.services.auth import admin_access
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import reconcile, webhooks
from sp404_app.services.infra import audit_log
from sp404_app.services.infra.client_info import Client

LINES = 50


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up, and why."""

    id: str
    type: str
    customer_id: str
    received_at: dt.datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Night:
    """What the newest comparison with Stripe found; `finished_at` is None while it is at work.

    Of very many lines only the newest healed and the first problems are here; `healed_in_all` and
    `problems_in_all` count every one.
    """

    day: dt.date
    checked: int
    healed: tuple[str, ...]
    problems: tuple[str, ...]
    healed_in_all: int
    problems_in_all: int
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class BillingAdmin:
    """Everything that may need an operator."""

    dead: tuple[DeadLetter, ...]
    night: Night | None


def billing_admin(session: Session, who: SignedIn) -> BillingAdmin:
    """Return what was given up, and what the newest comparison said.

    Raises:
        AppError: If this is nobody who may see it.
    """
    admin_access.ensure(session, who)
    dead = tuple(
        DeadLetter(e.id, e.type, e.customer_id, e.received_at, e.attempts, e.error)
        for e in webhooks.dead(session)
    )
    found = reconcile.latest(session)
    return BillingAdmin(dead, _night(found) if found else None)


def replay(session: Session, who: SignedIn, event_id: str, client: Client) -> None:
    """Let one event be worked on again.

    Raises:
        AppError: If this is nobody who may do it, or there is no such event.
    """
    admin_access.ensure(session, who)
    webhooks.replay(session, event_id)
    audit_log.record(session, who.user_id, "event_replayed", client, event=event_id)


def replay_dead(session: Session, who: SignedIn, client: Client) -> int:
    """Let everything that was given up be worked on again; return how much.

    Raises:
        AppError: If this is nobody who may do it.
    """
    admin_access.ensure(session, who)
    count = webhooks.replay_dead(session)
    audit_log.record(session, who.user_id, "event_replayed", client, event=f"{count} given up")
    return count


def compare(session: Session, who: SignedIn, client: Client) -> None:
    """Let a worker compare everybody with Stripe now, as it does at night.

    Raises:
        AppError: If this is nobody who may do it.
    """
    admin_access.ensure(session, who)
    reconcile.call_now(session)
    audit_log.record(session, who.user_id, "comparison_asked", client)


def _night(found: ReconcileReport) -> Night:
    return Night(
        found.day,
        found.checked,
        tuple(map(str, found.healed[-LINES:])),
        tuple(map(str, found.problems[:LINES])),
        len(found.healed),
        len(found.problems),
        found.finished_at,
    )
