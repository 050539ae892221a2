"""Stripe's events: proved to be Stripe's, kept once, answered at once, worked on by a job.

An event says that something changed and for whom. What changed is asked of Stripe itself, so
order, copies and delay make no difference. One job works on all events that are due.
"""

import datetime as dt
import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select, update

from sp404_app.db import after_commit
from sp404_app.errors import AppError, NotFound
from sp404_app.models import StripeEvent
from sp404_app.models.columns import now
from sp404_app.services.billing import (
    catalog,
    customers,
    refunds,
    stripe_client,
    sync,
    unknown_customers,
)
from sp404_app.services.infra import queue

TOLERANCE = 300  # seconds, both ways
HANDLED = frozenset(catalog.EVENTS)
# How long to wait before each next attempt; after the last one a person has to look.
PAUSES = tuple(dt.timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 6 * 3600))
LEASE = dt.timedelta(minutes=1)  # for one attempt; a worker that died leaves the event due again
IDENT = re.compile(r"[\w-]{1,255}")


class NotFromStripe(AppError):
    """The body was not signed by Stripe, or not now."""

    code = "bad_signature"


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What we believe of an event: who it is, and whom it is about."""

    id: str
    type: str
    created: dt.datetime
    customer_id: str
    people: frozenset[uuid.UUID]
    live: bool


def receive(session: Session, body: bytes, header: str) -> bool:
    """Keep an event and call a worker, unless it concerns nobody here; say whether it was new.

    Raises:
        NotFromStripe: If any of it is not as Stripe sends it.
    """
    _ensure_signed(body, header)
    event = _read(body)
    ours = event.live == (stripe_client.stripe_mode() == "live")
    if event.type not in HANDLED or not ours:
        return False
    # A dispute names nobody but its charge, so a worker has to ask whose it is.
    unnamed = event.type in refunds.EVENTS and not event.customer_id
    known = unnamed or unknown_customers.concerns(session, event.customer_id, event.people)
    row = insert(StripeEvent).values(
        id=event.id,
        realm=stripe_client.stripe_mode(),
        type=event.type,
        customer_id=event.customer_id,
        created=event.created,
        received_at=func.clock_timestamp(),
        due_at=now(),
        handled_at=None if known else now(),
        attempts=0,
        error="" if known else unknown_customers.NOBODY,
    )
    fresh = session.execute(row.on_conflict_do_nothing().returning(col(StripeEvent.id))).scalar()
    if fresh is not None and known:
        after_commit(session, queue.call_for_events)
    return fresh is not None


def claim(session: Session) -> str | None:
    """Take the event that has been due longest, for a minute; None if none is due."""
    due = (
        select(StripeEvent.id)
        .where(*_due(now()))
        .order_by(col(StripeEvent.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    event_id = session.exec(due).first()
    if event_id is not None:
        taken = update(StripeEvent).where(col(StripeEvent.id) == event_id)
        session.exec(taken.values(due_at=now() + LEASE))
    return event_id


def handle(session: Session, event_id: str) -> None:
    """Bring our mirror up to date for whom an event is about; safe to do twice.

    Raises:
        AppError: If Stripe does not answer; the event is due again then.
    """
    event = _held(session, event_id)
    if event is None or event.handled_at:
        return
    if event.realm != stripe_client.stripe_mode():  # kept before a switch, say from test to live
        event.handled_at, event.error = now(), f"of the {event.realm} world"
        session.add(event)
        return
    returned = event.type in refunds.EVENTS
    customer_id = event.customer_id or (refunds.customer_of(event.id) if returned else "")
    user_id = customers.owner(session, customer_id) if customer_id else None
    if user_id and not sync.seen_since(session, user_id, event.received_at):
        sync.sync_customer(session, user_id)
    if user_id and returned:
        refunds.look(session, user_id)
    event.handled_at, event.error = now(), "" if user_id else unknown_customers.NOBODY
    event.attempts += 1
    session.add(event)


def failed(session: Session, event_id: str, reason: str) -> None:
    """Note that an attempt failed, and when the next one is due; none after the last."""
    event = _held(session, event_id)
    if event is None or event.handled_at:
        return
    pause = PAUSES[min(event.attempts, len(PAUSES) - 1)]
    event.attempts += 1
    event.error, event.due_at = reason[:500], now() + pause
    session.add(event)


def call_for_due(session: Session, at: dt.datetime) -> int:
    """Call a worker if an event waits or is due again; return whether one was called."""
    if session.exec(select(StripeEvent.id).where(*_due(at)).limit(1)).first() is None:
        return 0
    return int(queue.call_for_events())


def _due(at: dt.datetime) -> tuple[Any, ...]:
    return (
        col(StripeEvent.handled_at).is_(None),
        StripeEvent.due_at <= at,
        StripeEvent.attempts < len(PAUSES),
    )


def dead(session: Session, limit: int = 100) -> list[StripeEvent]:
    """Return events that were given up, the newest first."""
    given_up = select(StripeEvent).where(
        col(StripeEvent.handled_at).is_(None), StripeEvent.attempts >= len(PAUSES)
    )
    return list(session.exec(given_up.order_by(col(StripeEvent.received_at).desc()).limit(limit)))


def recent(session: Session, limit: int = 50) -> list[StripeEvent]:
    """Return the newest events."""
    newest = select(StripeEvent).order_by(col(StripeEvent.received_at).desc(), col(StripeEvent.id))
    return list(session.exec(newest.limit(limit)))


def replay(session: Session, event_id: str) -> None:
    """Work on an event once more, handled before or not.

    Raises:
        NotFound: If there is no such event.
    """
    event = _held(session, event_id)
    if event is None:
        raise NotFound("There is no such event.")
    event.handled_at, event.attempts, event.error = None, 0, ""
    event.due_at = now()
    event.received_at = session.exec(select(func.clock_timestamp())).one()
    session.add(event)
    after_commit(session, queue.call_for_events)


def replay_dead(session: Session) -> int:
    """Work on everything once more that was given up; return how many."""
    found = dead(session, 10_000)
    for event in found:
        replay(session, event.id)
    return len(found)


def _held(session: Session, event_id: str) -> StripeEvent | None:
    return session.exec(
        select(StripeEvent).where(StripeEvent.id == event_id).with_for_update()
    ).first()


def _ensure_signed(body: bytes, header: str) -> None:
    secrets = stripe_client.keys().webhook_secrets
    if not any(
        stripe_client.is_valid_signature(body, header, secret, TOLERANCE) for secret in secrets
    ):
        raise NotFromStripe("This was not signed by our payment service.")
    stamp = re.search(r"(?:^|,)t=(\d{1,12})(?:,|$)", header)
    if stamp is None or int(stamp[1]) > time.time() + TOLERANCE:
        raise NotFromStripe("This was signed at another time.")


def _read(body: bytes) -> Letterhead:
    try:
        raw = json.loads(body)
        about = raw["data"]["object"]
        event = Letterhead(
            _ident(raw["id"]),
            _text(raw["type"]),
            dt.datetime.fromtimestamp(raw["created"], dt.UTC),
            _customer_of(about),
            unknown_customers.named(about),
            bool(raw["livemode"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise NotFromStripe("This is not an event.") from error
    return event


def _customer_of(about: dict[str, Any]) -> str:
    if about.get("object") == "customer":
        return _ident(about["id"])
    customer = about.get("customer")
    if isinstance(customer, dict):
        customer = customer["id"]
    return _ident(customer) if customer else ""


def _ident(value: object) -> str:
    if not isinstance(value, str) or not IDENT.fullmatch(value):
        raise ValueError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError(value)
    return value
