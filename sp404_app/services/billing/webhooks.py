"""Stripe webhooks: verify the signature, store each event once, handle it later in a job.

An event only says which customer changed. The handler fetches the customer's state from Stripe, so
order, duplicates and delays do not matter. One job handles all events that are due.
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
from sp404_app.telemetry import metrics

SIGNATURE_TOLERANCE_S = 300  # past and future
HANDLED_TYPES = frozenset(catalog.WEBHOOK_EVENTS)
# Delay after each failed attempt. An event that fails after the last delay, seven hours after it
# arrived, is dead until an operator replays it.
RETRY_DELAYS = tuple(dt.timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 6 * 3600))
MAX_ATTEMPTS = len(RETRY_DELAYS) + 1
CLAIM_LEASE = dt.timedelta(minutes=1)  # after it, an event is due again if its worker died
ID_PATTERN = re.compile(r"[\w-]{1,255}")


class InvalidStripeEvent(AppError):
    """The body has no valid, recent Stripe signature, or is not an event."""

    code = "bad_signature"


@dataclass(frozen=True, slots=True)
class EventHeader:
    """The fields of an event that we use: its identity and whom it concerns."""

    id: str
    type: str
    created: dt.datetime
    customer_id: str
    user_ids: frozenset[uuid.UUID]
    live: bool


def receive_event(session: Session, body: bytes, header: str) -> bool:
    """Verify and store an event, and enqueue its handling; return whether it was new.

    An event about an unknown customer is stored as handled.

    Raises:
        InvalidStripeEvent: If the signature or the body is not valid.
    """
    _ensure_signed(body, header)
    event = _parse_event(body)
    is_own_mode = event.live == (stripe_client.stripe_mode() == "live")
    if event.type not in HANDLED_TYPES or not is_own_mode:
        return False
    # A dispute names only its charge, so the handler has to fetch the customer.
    is_dispute = event.type in refunds.REFUND_EVENTS and not event.customer_id
    known = is_dispute or unknown_customers.concerns_known_user(
        session, event.customer_id, event.user_ids
    )
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
        error="" if known else unknown_customers.UNKNOWN_CUSTOMER,
    )
    statement = row.on_conflict_do_nothing().returning(col(StripeEvent.id))
    is_new = session.execute(statement).scalar() is not None
    metrics.WEBHOOKS.labels("received" if is_new else "repeated").inc()
    if is_new and known:
        after_commit(session, queue.enqueue_stripe_events)
    return is_new


def claim_event(session: Session) -> str | None:
    """Claim the event that has been due longest for CLAIM_LEASE; return its id, or None."""
    due = (
        select(StripeEvent.id)
        .where(*_is_due(now()))
        .order_by(col(StripeEvent.due_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    event_id = session.exec(due).first()
    if event_id is not None:
        claimed = update(StripeEvent).where(col(StripeEvent.id) == event_id)
        session.exec(claimed.values(due_at=now() + CLAIM_LEASE))
    return event_id


def handle_event(session: Session, event_id: str) -> None:
    """Sync the customer that an event concerns. Idempotent.

    Raises:
        AppError: If Stripe does not answer; then the event is retried.
    """
    event = _lock_event(session, event_id)
    if event is None or event.handled_at:
        return
    if event.realm != stripe_client.stripe_mode():  # stored before the mode changed
        event.handled_at, event.error = now(), f"received in {event.realm} mode"
        session.add(event)
        return
    is_refund = event.type in refunds.REFUND_EVENTS
    customer_id = event.customer_id
    if not customer_id and is_refund:
        customer_id = refunds.fetch_disputed_customer(event.id)
    user_id = customers.find_customer_owner(session, customer_id) if customer_id else None
    if user_id and not sync.synced_since(session, user_id, event.received_at):
        sync.sync_customer(session, user_id)
    if user_id and is_refund:
        refunds.sync_refunds(session, user_id)
    event.handled_at, event.error = now(), "" if user_id else unknown_customers.UNKNOWN_CUSTOMER
    event.attempts += 1
    session.add(event)


def record_failure(session: Session, event_id: str, reason: str) -> None:
    """Record a failed attempt and schedule the next; after the last one the event is dead."""
    event = _lock_event(session, event_id)
    if event is None or event.handled_at:
        return
    delay = RETRY_DELAYS[min(event.attempts, len(RETRY_DELAYS) - 1)]
    event.attempts += 1
    event.error, event.due_at = reason[:500], now() + delay
    session.add(event)


def enqueue_if_events_due(session: Session, at: dt.datetime) -> int:
    """Enqueue the event job if an event is due; return 1 if this call enqueued it, else 0."""
    if session.exec(select(StripeEvent.id).where(*_is_due(at)).limit(1)).first() is None:
        return 0
    return int(queue.enqueue_stripe_events())


def _is_due(at: dt.datetime) -> tuple[Any, ...]:
    return (
        col(StripeEvent.handled_at).is_(None),
        StripeEvent.due_at <= at,
        StripeEvent.attempts < MAX_ATTEMPTS,
    )


def list_dead_events(session: Session, limit: int = 100) -> list[StripeEvent]:
    """Return the events whose retries are exhausted, newest first."""
    query = select(StripeEvent).where(
        col(StripeEvent.handled_at).is_(None), StripeEvent.attempts >= MAX_ATTEMPTS
    )
    return list(session.exec(query.order_by(col(StripeEvent.received_at).desc()).limit(limit)))


def count_open_events(session: Session) -> tuple[int, int, dt.datetime | None]:
    """Return how many events wait, how many failed for good, and since when the oldest waits."""
    is_dead = col(StripeEvent.attempts) >= MAX_ATTEMPTS
    waiting, dead, oldest = session.exec(
        select(
            func.count().filter(~is_dead),
            func.count().filter(is_dead),
            func.min(col(StripeEvent.received_at)).filter(~is_dead),
        ).where(col(StripeEvent.handled_at).is_(None))
    ).one()
    return waiting, dead, oldest


def list_recent_events(session: Session, limit: int = 50) -> list[StripeEvent]:
    """Return the events received last, newest first."""
    newest = select(StripeEvent).order_by(col(StripeEvent.received_at).desc(), col(StripeEvent.id))
    return list(session.exec(newest.limit(limit)))


def replay_event(session: Session, event_id: str) -> None:
    """Make an event due again, whether or not it was handled.

    Raises:
        NotFound: If there is no such event.
    """
    event = _lock_event(session, event_id)
    if event is None:
        raise NotFound("There is no such event.")
    event.handled_at, event.attempts, event.error = None, 0, ""
    event.due_at = now()
    event.received_at = session.exec(select(func.clock_timestamp())).one()
    session.add(event)
    after_commit(session, queue.enqueue_stripe_events)


def replay_dead_events(session: Session) -> int:
    """Make all dead events due again; return how many."""
    events = list_dead_events(session, 10_000)
    for event in events:
        replay_event(session, event.id)
    return len(events)


def _lock_event(session: Session, event_id: str) -> StripeEvent | None:
    return session.exec(
        select(StripeEvent).where(StripeEvent.id == event_id).with_for_update()
    ).first()


def _ensure_signed(body: bytes, header: str) -> None:
    secrets = stripe_client.load_keys().webhook_secrets
    if not any(
        stripe_client.is_valid_signature(body, header, secret, SIGNATURE_TOLERANCE_S)
        for secret in secrets
    ):
        metrics.WEBHOOKS.labels("rejected").inc()
        raise InvalidStripeEvent("The signature is missing or invalid.")
    stamp = re.search(r"(?:^|,)t=(\d{1,12})(?:,|$)", header)
    if stamp is None or int(stamp[1]) > time.time() + SIGNATURE_TOLERANCE_S:
        raise InvalidStripeEvent("The signature's timestamp is outside the tolerance.")


def _parse_event(body: bytes) -> EventHeader:
    try:
        raw = json.loads(body)
        stripe_object = raw["data"]["object"]
        event = EventHeader(
            _valid_id(raw["id"]),
            _valid_type(raw["type"]),
            dt.datetime.fromtimestamp(raw["created"], dt.UTC),
            _customer_of(stripe_object),
            unknown_customers.referenced_user_ids(stripe_object),
            bool(raw["livemode"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidStripeEvent("The body is not a Stripe event.") from error
    return event


def _customer_of(stripe_object: dict[str, Any]) -> str:
    if stripe_object.get("object") == "customer":
        return _valid_id(stripe_object["id"])
    customer = stripe_object.get("customer")
    if isinstance(customer, dict):
        customer = customer["id"]
    return _valid_id(customer) if customer else ""


def _valid_id(value: object) -> str:
    if not isinstance(value, str) or not ID_PATTERN.fullmatch(value):
        raise ValueError(value)
    return value


def _valid_type(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise ValueError(value)
    return value
