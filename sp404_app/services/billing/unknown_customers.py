"""Events about customers that nobody here is: settled at once, kept, and read again if one comes.

A person who pays elsewhere with the same Stripe account must cost us no worker.
"""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlmodel import Session, col, select, update

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer, StripeEvent, User
from sp404_app.models.columns import now
from sp404_app.services.billing import stripe_client
from sp404_app.services.billing.stripe_client import Plain
from sp404_app.services.infra import queue

NOBODY: Final = "nobody here"


def named(about: Plain) -> frozenset[uuid.UUID]:
    """Return the people an object names: where it was bought, or in what we wrote on it."""
    return frozenset(_people(_names(about)))


def concerns(session: Session, customer_id: str, people: frozenset[uuid.UUID]) -> bool:
    """Say whether an event is about somebody here, from our own tables alone."""
    mine = select(BillingCustomer.user_id).where(
        BillingCustomer.stripe_id == customer_id,
        BillingCustomer.realm == stripe_client.stripe_mode(),
    )
    if customer_id and session.exec(mine).first() is not None:
        return True
    return (
        bool(people)
        and session.exec(select(User.id).where(col(User.id).in_(people))).first() is not None
    )


def read_again(session: Session, customer_id: str) -> int:
    """Have events worked on that came before their customer was known; return how many."""
    waiting = (
        update(StripeEvent)
        .where(
            col(StripeEvent.error) == NOBODY,
            col(StripeEvent.customer_id) == customer_id,
            col(StripeEvent.customer_id) != "",
            col(StripeEvent.realm) == stripe_client.stripe_mode(),
        )
        .values(handled_at=None, error="", attempts=0, due_at=now())
    )
    count = session.exec(waiting).rowcount
    if count:
        after_commit(session, queue.call_for_events)
    return count


def _names(about: Plain) -> Iterator[Any]:
    yield about.get("client_reference_id")
    details = (about.get("parent") or {}).get("subscription_details")
    for place in (about, details, about.get("subscription_details")):
        if isinstance(place, dict) and isinstance(place.get("metadata"), dict):
            yield place["metadata"].get("user_id")


def _people(names: Iterable[Any]) -> Iterator[uuid.UUID]:
    for name in names:
        if isinstance(name, str):
            try:
                yield uuid.UUID(name)
            except ValueError:
                continue
