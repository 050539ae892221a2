"""The job that updates Stripe's customer is queued after commit, for users who have one."""

from contextlib import suppress

import pytest

from sp404_app.db import transaction
from sp404_app.jobs import billing_contact
from sp404_app.models import BillingCustomer, User
from sp404_app.services.auth import customer_update
from sp404_app.services.infra import queue

pytestmark = pytest.mark.usefixtures("services")


def add_customer(user: User, stripe_id: str | None) -> None:
    with transaction() as session:
        session.add(BillingCustomer(user_id=user.id, realm="test", stripe_id=stripe_id))


def request_update(user: User) -> None:
    with transaction() as session:
        customer_update.queue_customer_update(session, user.id)
        assert queue.rq_queue(queue.HIGH).count == 0  # the worker would read the old name


def test_the_job_is_queued_after_the_commit(user: User) -> None:
    add_customer(user, "cus_1")
    request_update(user)
    (job,) = queue.rq_queue(queue.HIGH).jobs
    assert (job.func, job.args) == (billing_contact.update_contact, (str(user.id),))


def test_a_change_that_is_rolled_back_queues_no_job(user: User) -> None:
    add_customer(user, "cus_1")
    with suppress(ZeroDivisionError), transaction() as session:
        customer_update.queue_customer_update(session, user.id)
        raise ZeroDivisionError
    assert queue.rq_queue(queue.HIGH).count == 0


def test_without_a_customer_at_stripe_no_job_is_queued(user: User) -> None:
    request_update(user)
    add_customer(user, None)  # its creation at Stripe has not succeeded yet
    request_update(user)
    assert queue.rq_queue(queue.HIGH).count == 0
