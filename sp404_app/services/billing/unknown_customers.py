"""Webhook events about unknown customers: stored as handled, reopened if one is linked later.

Another product may share the Stripe account; its events must not cost a job.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlmodel import Session, col, select, update

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer, StripeEvent, User
from sp404_app.models.columns import now
from sp404_app.services.billing import stripe_client
from sp404_app.services.billing.stripe_client import StripeDict
from sp404_app.services.infra import queue

# Stored in `stripe_events.error`; the index `stripe_events_of_nobody` depends on this text.
UNKNOWN_CUSTOMER: Final = "nobody here"


def referenced_user_ids(stripe_object: StripeDict) -> frozenset[uuid.UUID]:
    """Return the user ids in an object's `client_reference_id` and metadata."""
    return frozenset(_valid_user_ids(_user_id_fields(stripe_object)))


def concerns_known_user(session: Session, customer_id: str, user_ids: frozenset[uuid.UUID]) -> bool:
    """Return whether an event is about one of our users, from our tables only."""
    linked = select(BillingCustomer.user_id).where(
        BillingCustomer.stripe_id == customer_id,
        BillingCustomer.realm == stripe_client.stripe_mode(),
    )
    if customer_id and session.exec(linked).first() is not None:
        return True
    if not user_ids:
        return False
    return session.exec(select(User.id).where(col(User.id).in_(user_ids))).first() is not None


def reopen_events(session: Session, customer_id: str) -> int:
    """Make stored events due that arrived before their customer was linked; return how many."""
    reopened = (
        update(StripeEvent)
        .where(
            col(StripeEvent.error) == UNKNOWN_CUSTOMER,
            col(StripeEvent.customer_id) == customer_id,
            col(StripeEvent.customer_id) != "",
            col(StripeEvent.realm) == stripe_client.stripe_mode(),
        )
        .values(handled_at=None, error="", attempts=0, due_at=now())
    )
    count = session.exec(reopened).rowcount
    if count:
        after_commit(session, queue.enqueue_stripe_events)
    return count


def _user_id_fields(stripe_object: StripeDict) -> Iterator[Any]:
    yield stripe_object.get("client_reference_id")
    details = (stripe_object.get("parent") or {}).get("subscription_details")
    for place in (stripe_object, details, stripe_object.get("subscription_details")):
        if isinstance(place, dict) and isinstance(place.get("metadata"), dict):
            yield place["metadata"].get("user_id")


def _valid_user_ids(values: Iterable[Any]) -> Iterator[uuid.UUID]:
    for value in values:
        if isinstance(value, str):
            try:
                yield uuid.UUID(value)
            except ValueError:
                continue
