"""Queue the job that updates Stripe's customer after a change of email or name."""

import uuid
from functools import partial

from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer
from sp404_app.services.infra import queue
from sp404_app.settings import settings

CUSTOMER_UPDATE_JOB = "sp404_app.jobs.billing_contact.update_contact"


def queue_customer_update(session: Session, user_id: uuid.UUID) -> None:
    """Queue the job after commit, if the user has a Stripe customer.

    The job is referred to by name, not imported: auth does not depend on billing. Without billing,
    the update waits until billing is turned on again.
    """
    if not settings().billing:
        return
    known = select(BillingCustomer.id).where(
        BillingCustomer.user_id == user_id, col(BillingCustomer.stripe_id).is_not(None)
    )
    if session.exec(known).first() is not None:
        after_commit(session, partial(queue.enqueue_function, CUSTOMER_UPDATE_JOB, str(user_id)))
