"""Queue the update of Stripe's customer after a change of address or name."""

import uuid
from functools import partial

from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer
from sp404_app.services.infra import queue

UPDATE_JOB = "sp404_app.jobs.billing_contact.tell"


def queue_update(session: Session, user_id: uuid.UUID) -> None:
    """Queue the job once the transaction is committed, if Stripe knows the user.

    The job is named and not imported: accounts do not depend on billing.
    """
    known = select(BillingCustomer.id).where(
        BillingCustomer.user_id == user_id, col(BillingCustomer.stripe_id).is_not(None)
    )
    if session.exec(known).first() is not None:
        after_commit(session, partial(queue.enqueue_function, UPDATE_JOB, str(user_id)))
