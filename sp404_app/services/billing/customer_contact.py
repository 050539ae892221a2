"""Keep the email and name of Stripe customers equal to the user's, so that receipts arrive.

`told_email` and `told_name` hold what was last sent to Stripe; if the user has other values, an
update is due. Each change enqueues a job, and the scheduler enqueues it again every minute while an
update is due. So an outage of Stripe or Redis only delays updates.

In the customer portal a company can enter another name for its invoices. That name stays: the
customer's metadata `account_name` is the name that was sent last, and a customer whose name differs
from it gets no name any more.
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
from sp404_app.services.billing.stripe_client import (
    StripeRequestFailed,
    StripeUnavailable,
    to_plain_dict,
)
from sp404_app.services.infra import queue

UPDATE_ALL_JOB = "sp404_app.jobs.billing_contact.update_due_contacts"
MAX_USERS_PER_JOB = 200

log = structlog.get_logger()


def billing_name(user: User) -> str:
    """Return the name that Stripe prints on invoices."""
    return f"{user.first_name} {user.last_name}".strip()


def enqueue_if_contacts_due(session: Session) -> int:
    """Enqueue the update job if any user is due; return how many are."""
    due_count = len(find_users_due(session))
    if due_count:
        after_commit(session, partial(queue.enqueue_function, UPDATE_ALL_JOB, "", slow=True))
    return due_count


def find_users_due(session: Session) -> list[uuid.UUID]:
    """Return up to MAX_USERS_PER_JOB users whose email or name Stripe does not have yet."""
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
        .limit(MAX_USERS_PER_JOB)
    )
    return list(session.exec(query))


def update_stripe_contact(session: Session, user_id: uuid.UUID) -> bool:
    """Send the user's email and name to Stripe if they changed; return whether they were sent.

    The customer row is locked, so of two concurrent jobs the later sends the newest values. Values
    that Stripe rejects are not sent again until they change.

    Raises:
        NotFound: If the user no longer exists.
        StripeUnavailable: If Stripe does not answer; the user stays due.
        StripeRequestFailed: If Stripe reports any other error; the user stays due.
    """
    customer = customers.lock_customer(session, user_id)
    user = session.get_one(User, user_id, populate_existing=True)
    email, name = user.email, billing_name(user)
    if customer.stripe_id is None or (customer.told_email, customer.told_name) == (email, name):
        return False
    try:
        with stripe_client.stripe_errors():
            fields: Any = {"email": email}
            if customer.told_name is None or not _has_other_name(customer):
                # Stripe cannot clear a name, so a user without a name gets the email instead.
                fields |= {"name": name or email, "metadata": {"account_name": name or email}}
            stripe_client.client().v1.customers.update(customer.stripe_id, fields)
    except (StripeUnavailable, StripeRequestFailed):
        raise
    except AppError:
        log.exception("stripe rejected a customer's contact", user_id=str(user_id))
    customer.told_email, customer.told_name = email, name
    session.add(customer)
    session.flush()
    return True


def _has_other_name(customer: BillingCustomer) -> bool:
    """Return whether the customer has a name at Stripe that was entered in the portal."""
    found = to_plain_dict(stripe_client.client().v1.customers.retrieve(customer.stripe_id or ""))
    sent = (found.get("metadata") or {}).get("account_name") or customer.told_name
    return bool(found.get("name") and sent and found["name"] != sent)
