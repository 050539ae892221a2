"""Who a person is at Stripe, and the lock around everything about their money."""

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


class Options(TypedDict):
    """What goes with a request beside its parameters."""

    idempotency_key: str


def locked(session: Session, user_id: uuid.UUID) -> BillingCustomer:
    """Return the person's row, held until the commit: one change of their money at a time.

    Raises:
        NotFound: If there is no such person.
    """
    if session.get(User, user_id) is None:
        raise NotFound("No such person.")
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
    mine = select(BillingCustomer).where(
        BillingCustomer.user_id == user_id, BillingCustomer.realm == stripe_client.stripe_mode()
    )
    fresh = mine.with_for_update().execution_options(populate_existing=True)
    return session.exec(fresh).one()


def ensure(session: Session, user_id: uuid.UUID) -> BillingCustomer:
    """Return the person's locked row, made known to Stripe if they were not.

    Raises:
        AppError: If Stripe cannot be told now.
    """
    customer = locked(session, user_id)
    if customer.stripe_id is None:
        user = session.get_one(User, user_id)
        name = f"{user.first_name} {user.last_name}".strip()
        given: Any = {"email": user.email, "metadata": {"user_id": str(user_id)}}
        given |= {"name": name} if name else {}  # Stripe takes no empty name
        with writing(session, customer, f"cus:{user_id}:{customer.epoch}") as options:
            made = stripe_client.client().v1.customers.create(given, {**options})
        customer.told_email, customer.told_name = user.email, name
        _become(session, customer, made.id)
    return customer


def find(session: Session, user_id: uuid.UUID) -> BillingCustomer | None:
    """Return the person's row without holding it, if they ever came near a payment."""
    return session.exec(
        select(BillingCustomer).where(
            BillingCustomer.user_id == user_id, BillingCustomer.realm == stripe_client.stripe_mode()
        )
    ).first()


def owner(session: Session, stripe_id: str) -> uuid.UUID | None:
    """Return whose customer this is; Stripe is asked if we forgot.

    Raises:
        AppError: If Stripe cannot be asked now.
    """
    known = select(BillingCustomer.user_id).where(
        BillingCustomer.stripe_id == stripe_id, BillingCustomer.realm == stripe_client.stripe_mode()
    )
    return session.exec(known).first() or _remembered(session, stripe_id)


def _remembered(session: Session, stripe_id: str) -> uuid.UUID | None:
    """Take up a customer whose row was lost between Stripe's answer and our commit."""
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
    customer = locked(session, user_id)
    if customer.stripe_id is None:
        _become(session, customer, stripe_id)
    return user_id if customer.stripe_id == stripe_id else None


def _become(session: Session, customer: BillingCustomer, stripe_id: str) -> None:
    """Note who a person is at Stripe, and read what was told of them before."""
    customer.stripe_id = stripe_id
    session.add(customer)
    session.flush()
    unknown_customers.read_again(session, stripe_id)


def forget(session: Session, customer: BillingCustomer) -> None:
    """Note that Stripe has this customer no more; the next purchase makes a new one."""
    customer.stripe_id, customer.checkout_id = None, ""
    customer.told_email = customer.told_name = None
    customer.epoch += 1
    session.add(customer)
    session.flush()


@contextmanager
def writing(session: Session, customer: BillingCustomer, intent: str) -> Iterator[Options]:
    """Give a write its key: the same intent, tried again after a crash or silence, happens once.

    Once Stripe has answered, be it with a refusal, the next try is a new one: Stripe repeats
    what it answered to a key, so a declined card would stay declined.
    """
    key = f"{intent}:{customer.epoch}.{customer.round}"
    try:
        with stripe_client.stripe_errors():
            yield {"idempotency_key": key}
    except StripeUnavailable:
        raise
    except AppError:
        if_undone(session, partial(_next_round, customer.user_id, customer.realm))
        raise
    customer.round += 1
    session.add(customer)
    session.flush()


def _next_round(user_id: uuid.UUID, realm: str) -> None:
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
