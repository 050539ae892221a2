"""A user's Stripe customer, the row lock that serialises billing, and idempotent writes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypedDict

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.db import if_undone, transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.models import BillingCustomer, User
from sp404_app.models.columns import uuid7
from sp404_app.services.billing import stripe_client, unknown_customers
from sp404_app.services.billing.stripe_client import StripeUnavailable


class RequestOptions(TypedDict):
    """Stripe request options."""

    idempotency_key: str


def lock_customer(session: Session, user_id: uuid.UUID) -> BillingCustomer:
    """Return the user's billing row, created if missing and locked until the commit.

    The lock serialises every billing operation of a user.

    Raises:
        NotFound: If there is no such user.
    """
    if session.get(User, user_id) is None:
        raise NotFound("There is no such user.")
    blank = {
        "id": uuid7(),
        "user_id": user_id,
        "realm": stripe_client.stripe_mode(),
        "epoch": 0,
        "round": 0,
    }
    session.execute(
        insert(BillingCustomer).values(blank | {"checkout_id": ""}).on_conflict_do_nothing()
    )
    query = select(BillingCustomer).where(
        BillingCustomer.user_id == user_id, BillingCustomer.realm == stripe_client.stripe_mode()
    )
    locked = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(locked).one()


def ensure_customer(session: Session, user_id: uuid.UUID) -> BillingCustomer:
    """Return the user's locked billing row, creating the Stripe customer if there is none.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer = lock_customer(session, user_id)
    if customer.stripe_id is None:
        user = session.get_one(User, user_id)
        name = f"{user.first_name} {user.last_name}".strip()
        fields: Any = {"email": user.email, "metadata": {"user_id": str(user_id)}}
        fields |= {"name": name} if name else {}  # Stripe rejects an empty name
        with idempotent_write(session, customer, f"cus:{user_id}:{customer.epoch}") as options:
            created = stripe_client.client().v1.customers.create(fields, {**options})
        customer.told_email, customer.told_name = user.email, name
        _link_customer(session, customer, created.id)
    return customer


def find_customer(session: Session, user_id: uuid.UUID) -> BillingCustomer | None:
    """Return the user's billing row without locking it; None if they never started a purchase."""
    return session.exec(
        select(BillingCustomer).where(
            BillingCustomer.user_id == user_id, BillingCustomer.realm == stripe_client.stripe_mode()
        )
    ).first()


def find_customer_owner(session: Session, stripe_id: str) -> uuid.UUID | None:
    """Return the user of a Stripe customer, from our tables or else from its Stripe metadata.

    Raises:
        AppError: If Stripe does not answer.
    """
    known = select(BillingCustomer.user_id).where(
        BillingCustomer.stripe_id == stripe_id, BillingCustomer.realm == stripe_client.stripe_mode()
    )
    return session.exec(known).first() or _relink_customer(session, stripe_id)


def _relink_customer(session: Session, stripe_id: str) -> uuid.UUID | None:
    """Link a customer whose row was lost between Stripe's answer and our commit."""
    try:
        with stripe_client.stripe_errors():
            found = stripe_client.to_plain_dict(
                stripe_client.client().v1.customers.retrieve(stripe_id)
            )
        user_id = uuid.UUID((found.get("metadata") or {}).get("user_id", ""))
    except (NotFound, ValueError):
        return None
    if found.get("deleted") or session.get(User, user_id) is None:
        return None
    customer = lock_customer(session, user_id)
    if customer.stripe_id is None:
        _link_customer(session, customer, stripe_id)
    return user_id if customer.stripe_id == stripe_id else None


def _link_customer(session: Session, customer: BillingCustomer, stripe_id: str) -> None:
    """Save the customer id, and reopen events that arrived before it was known."""
    customer.stripe_id = stripe_id
    session.add(customer)
    session.flush()
    unknown_customers.reopen_events(session, stripe_id)


def unlink_customer(session: Session, customer: BillingCustomer) -> None:
    """Record that the Stripe customer was deleted; the next purchase creates a new one."""
    customer.stripe_id, customer.checkout_id = None, ""
    customer.told_email = customer.told_name = None
    customer.epoch += 1
    session.add(customer)
    session.flush()


@contextmanager
def idempotent_write(
    session: Session, customer: BillingCustomer, intent: str
) -> Iterator[RequestOptions]:
    """Yield request options with an idempotency key, so that a retried write happens once.

    The key stays the same until Stripe answers: a retry after a crash or timeout repeats the
    request. After any answer, also an error, the next attempt gets a new key, because Stripe
    replays its answer to a key and a declined card would stay declined.
    """
    key = f"{intent}:{customer.epoch}.{customer.round}"
    try:
        with stripe_client.stripe_errors():
            yield {"idempotency_key": key}
    except StripeUnavailable:
        raise
    except AppError:
        if_undone(session, partial(_advance_round, customer.user_id, customer.realm))
        raise
    customer.round += 1
    session.add(customer)
    session.flush()


def _advance_round(user_id: uuid.UUID, realm: str) -> None:
    with transaction() as session:
        row = insert(BillingCustomer).values(
            id=uuid7(), user_id=user_id, realm=realm, epoch=0, round=1, checkout_id=""
        )
        session.execute(
            row.on_conflict_do_update(
                index_elements=["user_id", "realm"],
                set_={"round": col(BillingCustomer.round) + 1},
            )
        )
