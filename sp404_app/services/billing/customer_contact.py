"""A person's address and name at Stripe follow their account: receipts must reach them.

We remember what Stripe was told last, so whoever differs from that is due. A change asks for a
job at once; housekeeping asks again each minute, so an outage of Stripe or Redis only delays it.
"""

import uuid
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.errors import AppError
from sp404_app.models import BillingCustomer, User
from sp404_app.services.billing import customers, stripe_client
from sp404_app.services.billing.stripe_client import StripeRequestFailed, StripeUnavailable
from sp404_app.services.infra import queue

TELL_ALL = "sp404_app.jobs.billing_contact.tell_all"
MOST = 200  # in one job

log = structlog.get_logger()


def name_of(user: User) -> str:
    """Return a person's name as Stripe writes it on invoices."""
    return f"{user.first_name} {user.last_name}".strip()


def call_for_due(session: Session) -> int:
    """Ask for a job if somebody is due; return how many people are."""
    waiting = len(due(session))
    if waiting:
        after_commit(session, partial(queue.enqueue_function, TELL_ALL, "", slow=True))
    return waiting


def due(session: Session) -> list[uuid.UUID]:
    """List people whose address or name is not what Stripe was told last."""
    name = func.trim(func.concat(User.first_name, " ", User.last_name))
    query = (
        select(BillingCustomer.user_id)
        .join(User, col(User.id) == BillingCustomer.user_id)
        .where(
            BillingCustomer.realm == stripe_client.stripe_mode(),
            col(BillingCustomer.stripe_id).is_not(None),
            or_(
                col(BillingCustomer.told_email).is_distinct_from(User.email),
                col(BillingCustomer.told_name).is_distinct_from(name),
            ),
        )
        .order_by(col(BillingCustomer.id))
        .limit(MOST)
    )
    return list(session.exec(query))


def tell(session: Session, user_id: uuid.UUID) -> bool:
    """Tell Stripe a person's address and name, unless it knows them; return whether it was told.

    The person's row is held meanwhile, so that of two jobs at once the later one tells what is
    newest. What Stripe refuses is not tried again until it changes.

    Raises:
        NotFound: If the person is gone.
        StripeUnavailable: If Stripe does not answer; the person stays due.
        StripeRequestFailed: If Stripe answers that it cannot now.
    """
    customer = customers.locked(session, user_id)
    user = session.get_one(User, user_id, populate_existing=True)
    email, name = user.email, name_of(user)
    if customer.stripe_id is None or (customer.told_email, customer.told_name) == (email, name):
        return False
    try:
        with stripe_client.stripe_errors():
            # Stripe cannot take a name away; without one, the address stands for it.
            told: Any = {"email": email, "name": name or email}
            stripe_client.client().v1.customers.update(customer.stripe_id, told)
    except (StripeUnavailable, StripeRequestFailed):
        raise
    except AppError:
        log.exception("stripe refused a person's address", user_id=str(user_id))
    customer.told_email, customer.told_name = email, name
    session.add(customer)
    session.flush()
    return True
