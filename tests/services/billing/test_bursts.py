"""Many events at once: what concerns nobody costs no worker, and the rest shares one."""

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


def send(shop: Shop, **about: Any) -> str:
    """Send an event about an object; return its id."""
    name = f"evt_{uuid.uuid4().hex}"
    body = json.dumps(
        {
            "id": name,
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": {"object": "invoice", "id": "in_1", **about}},
        }
    )
    secret = shop.emulator.keys.webhook_secret
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    url = f"{shop.base.removesuffix('/_stripe')}/api/webhooks/stripe"
    answer = shop.browser.post(url, content=body, headers={"Stripe-Signature": header})
    assert answer.status_code == 200
    return name


def kept(name: str) -> StripeEvent:
    with transaction() as session:
        return session.get_one(StripeEvent, name)


def calls() -> list[str]:
    return [str(job.func_name) for job in queue.queue(queue.MONEY).jobs]


@pytest.fixture
def calm(shop: Shop, user: User) -> Shop:
    """A shop with a customer, whose news have all been worked on."""
    shop.buy(user.id)
    queue.queue(queue.MONEY).empty()
    queue.events_heard()
    return shop


def test_events_of_nobody_are_settled_in_the_request_and_kept(calm: Shop) -> None:
    calm.weather.calls.clear()
    names = [send(calm, customer=f"cus_stranger{number}") for number in range(20)]
    names += [send(calm), send(calm, customer=None), send(calm, metadata={"user_id": "x"})]
    names += [send(calm, customer="cus_x", client_reference_id=str(uuid.uuid4()))]
    for name in names:
        event = kept(name)
        assert (event.error, event.attempts) == (unknown_customers.UNKNOWN_CUSTOMER, 0)
        assert event.handled_at
    assert calls() == []
    assert calm.weather.calls == []  # and Stripe is not asked


@pytest.mark.parametrize(
    "where",
    [
        lambda name: {"client_reference_id": name},
        lambda name: {"metadata": {"user_id": name}},
        lambda name: {"parent": {"subscription_details": {"metadata": {"user_id": name}}}},
        lambda name: {"subscription_details": {"metadata": {"user_id": name}}},
    ],
)
def test_who_is_named_anywhere_is_looked_after(calm: Shop, user: User, where: Any) -> None:
    name = send(calm, customer="cus_new", **where(str(user.id)))
    assert kept(name).handled_at is None
    assert calls() == ["sp404_app.jobs.billing.work"]


def test_many_events_make_one_job(calm: Shop, user: User) -> None:
    customer = calm.customer(user.id).stripe_id
    names = [send(calm, customer=customer) for _ in range(30)]
    assert calls() == ["sp404_app.jobs.billing.work"]
    calm.weather.calls.clear()
    billing.handle_due_events()
    assert all(kept(name).handled_at for name in names)
    asked = [path for method, path in calm.weather.calls if path.startswith("/subscriptions")]
    assert len(asked) == 1  # one look is enough for what came before it
    send(calm, customer=customer)
    assert len(calls()) == 2  # the next one calls again


def test_what_came_before_its_customer_was_known_is_read_again(calm: Shop, person: Any) -> None:
    other = person()
    made = calm.stripe().customers.create({"email": other.email})
    early = [send(calm, customer=made.id) for _ in range(3)]
    never = send(calm, customer="cus_never")
    assert kept(early[0]).handled_at
    with transaction() as session:
        customer = customers.lock_customer(session, other.id)
        customers._link_customer(session, customer, made.id)
    assert [kept(name).handled_at for name in early] == [None] * 3
    assert calls() == ["sp404_app.jobs.billing.work"]
    billing.handle_due_events()
    assert [kept(name).error for name in early] == [""] * 3
    assert kept(never).error == unknown_customers.UNKNOWN_CUSTOMER
    with transaction() as session:
        mine = select(BillingCustomer.synced_at).where(BillingCustomer.user_id == other.id)
        assert session.exec(mine).one()


def test_a_batch_ends_when_others_wait_or_time_is_up(
    calm: Shop, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = calm.customer(user.id).stripe_id
    names = [send(calm, customer=customer) for _ in range(20)]
    queue.queue("free").enqueue("somebody.waits")
    billing.handle_due_events()
    assert sum(kept(name).handled_at is not None for name in names) == queue.PATIENT
    assert calls().count("sp404_app.jobs.billing.work") == 2
    queue.queue("free").empty()
    queue.took("free")
    monkeypatch.setattr(billing, "BATCH_SECONDS", -1.0)
    billing.handle_due_events()
    assert sum(kept(name).handled_at is not None for name in names) == queue.PATIENT + 1


def test_an_event_of_a_worker_that_died_is_due_again(calm: Shop, user: User) -> None:
    name = send(calm, customer=calm.customer(user.id).stripe_id)
    with transaction() as session:
        assert webhooks.claim_event(session) == name
    with transaction() as session:
        assert webhooks.claim_event(session) is None
        session.get_one(StripeEvent, name).due_at -= webhooks.CLAIM_LEASE
    with transaction() as session:
        assert webhooks.claim_event(session) == name
