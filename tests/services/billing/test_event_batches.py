"""Many webhook events at once: unknown customers cost no job, and one job handles the rest."""

import json
import time
import uuid
from typing import Any

import pytest
import stripe
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models import BillingCustomer, StripeEvent, User
from sp404_app.services.billing import customers, unknown_customers, webhooks
from sp404_app.services.infra import queue
from tests.shop import Shop


def send_event(shop: Shop, **fields: Any) -> str:
    """Send a signed event with these fields in its object; return its id."""
    event_id = f"evt_{uuid.uuid4().hex}"
    body = json.dumps(
        {
            "id": event_id,
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": {"object": "invoice", "id": "in_1", **fields}},
        }
    )
    secret = shop.emulator.keys.webhook_secret
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    url = f"{shop.base.removesuffix('/_stripe')}/api/webhooks/stripe"
    answer = shop.browser.post(url, content=body, headers={"Stripe-Signature": header})
    assert answer.status_code == 200
    return event_id


def stored_event(event_id: str) -> StripeEvent:
    with transaction() as session:
        return session.get_one(StripeEvent, event_id)


def count_handled(event_ids: list[str]) -> int:
    return sum(stored_event(event_id).handled_at is not None for event_id in event_ids)


def queued_jobs() -> list[str]:
    return [str(job.func_name) for job in queue.rq_queue(queue.HIGH).jobs]


@pytest.fixture
def idle(shop: Shop, user: User) -> Shop:
    """A shop with one customer and no events left to handle."""
    shop.buy(user.id)
    queue.rq_queue(queue.HIGH).empty()
    queue.reset_stripe_events_flag()
    return shop


def test_events_of_unknown_customers_are_stored_as_handled_without_a_job(idle: Shop) -> None:
    idle.weather.calls.clear()
    event_ids = [send_event(idle, customer=f"cus_stranger{number}") for number in range(20)]
    event_ids += [
        send_event(idle),
        send_event(idle, customer=None),
        send_event(idle, metadata={"user_id": "x"}),
    ]
    event_ids += [send_event(idle, customer="cus_x", client_reference_id=str(uuid.uuid4()))]
    for event_id in event_ids:
        event = stored_event(event_id)
        assert (event.error, event.attempts) == (unknown_customers.UNKNOWN_CUSTOMER, 0)
        assert event.handled_at
    assert queued_jobs() == []
    assert idle.weather.calls == []  # no request to Stripe


@pytest.mark.parametrize(
    "where",
    [
        lambda user_id: {"client_reference_id": user_id},
        lambda user_id: {"metadata": {"user_id": user_id}},
        lambda user_id: {"parent": {"subscription_details": {"metadata": {"user_id": user_id}}}},
        lambda user_id: {"subscription_details": {"metadata": {"user_id": user_id}}},
    ],
)
def test_a_user_id_anywhere_in_the_object_makes_an_event_due(
    idle: Shop, user: User, where: Any
) -> None:
    event_id = send_event(idle, customer="cus_new", **where(str(user.id)))
    assert stored_event(event_id).handled_at is None
    assert queued_jobs() == ["sp404_app.jobs.billing.handle_due_events"]


def test_many_events_share_one_job_and_one_sync(idle: Shop, user: User) -> None:
    customer = idle.customer(user.id).stripe_id
    event_ids = [send_event(idle, customer=customer) for _ in range(30)]
    assert queued_jobs() == ["sp404_app.jobs.billing.handle_due_events"]
    idle.weather.calls.clear()
    billing.handle_due_events()
    assert all(stored_event(event_id).handled_at for event_id in event_ids)
    asked = [path for method, path in idle.weather.calls if path.startswith("/subscriptions")]
    assert len(asked) == 1  # one sync covers all events received before it
    send_event(idle, customer=customer)
    assert len(queued_jobs()) == 2  # the next event enqueues a new job


def test_events_that_arrived_before_their_customer_are_reopened(idle: Shop, person: Any) -> None:
    other = person()
    created = idle.stripe().customers.create({"email": other.email})
    early_ids = [send_event(idle, customer=created.id) for _ in range(3)]
    unknown_id = send_event(idle, customer="cus_never")
    assert stored_event(early_ids[0]).handled_at
    with transaction() as session:
        customer = customers.lock_customer(session, other.id)
        customers._link_customer(session, customer, created.id)
    assert [stored_event(event_id).handled_at for event_id in early_ids] == [None] * 3
    assert queued_jobs() == ["sp404_app.jobs.billing.handle_due_events"]
    billing.handle_due_events()
    assert [stored_event(event_id).error for event_id in early_ids] == [""] * 3
    assert stored_event(unknown_id).error == unknown_customers.UNKNOWN_CUSTOMER
    with transaction() as session:
        mine = select(BillingCustomer.synced_at).where(BillingCustomer.user_id == other.id)
        assert session.exec(mine).one()


def test_a_batch_ends_when_other_queues_wait_or_its_time_is_up(
    idle: Shop, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = idle.customer(user.id).stripe_id
    event_ids = [send_event(idle, customer=customer) for _ in range(20)]
    queue.rq_queue("free").enqueue("somebody.waits")
    billing.handle_due_events()
    assert count_handled(event_ids) == queue.TURN_AFTER_JOBS
    assert queued_jobs().count("sp404_app.jobs.billing.handle_due_events") == 2
    queue.rq_queue("free").empty()
    queue.count_taken_job("free")
    monkeypatch.setattr(billing, "BATCH_SECONDS", -1.0)
    billing.handle_due_events()
    assert count_handled(event_ids) == queue.TURN_AFTER_JOBS + 1


def test_an_event_of_a_dead_worker_is_due_again_after_the_lease(idle: Shop, user: User) -> None:
    event_id = send_event(idle, customer=idle.customer(user.id).stripe_id)
    with transaction() as session:
        assert webhooks.claim_event(session) == event_id
    with transaction() as session:
        assert webhooks.claim_event(session) is None
        session.get_one(StripeEvent, event_id).due_at -= webhooks.CLAIM_LEASE
    with transaction() as session:
        assert webhooks.claim_event(session) == event_id
