"""Webhooks: signed, retried, and as bad as one asks for."""

import threading

import pytest
import stripe

from stripe_emulator import app
from stripe_emulator.webhooks import RETRY_DELAYS_S
from tests.stripe_emulator import oracle
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.journeys import event_types, subscribe
from tests.stripe_emulator.stripe_server import Machine


def names(machine: Machine) -> list[str]:
    return [event["id"] for event in machine.receiver.events()]


def test_the_client_accepts_what_is_sent(shop: Shop) -> None:
    machine = shop.machine
    subscribe(shop, shop.customer())
    assert machine.emulator.deliver_pending() == len(event_types(shop))
    secret = machine.emulator.keys.webhook_secret
    for body, signature in machine.receiver.received:
        event = stripe.Webhook.construct_event(body, signature, secret, tolerance=10**10)
        assert event.api_version == stripe.api_version
    for event in machine.receiver.events():
        assert oracle.violations(event) == []
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, secret, tolerance=10**10)
    assert f"t={machine.now()}," in signature
    assert machine.emulator.deliver_pending() == 0
    event = machine.v1.events.retrieve(machine.receiver.events()[0]["id"])
    assert event.pending_webhooks == 0


def test_events_name_the_request_behind_them(stripe_machine: Machine) -> None:
    made = stripe_machine.v1.customers.create(options={"idempotency_key": "k1"})
    event = stripe_machine.v1.events.list().data[0]
    assert event.request.id == made.last_response.request_id
    assert event.request.idempotency_key == "k1"
    assert event.data.object.id == made.id


def test_refused_events_are_sent_again_later(stripe_machine: Machine) -> None:
    machine = stripe_machine
    machine.receiver.status = 500
    machine.v1.customers.create()
    for wait in RETRY_DELAYS_S:
        assert machine.emulator.deliver_pending() == 1
        assert machine.emulator.deliver_pending() == 0
        machine.pass_time(wait)
    machine.emulator.deliver_pending()
    log = machine.control("deliveries", get=True)
    assert [(row["status"], row["attempts"]) for row in log] == [
        ("failed", len(RETRY_DELAYS_S) + 1)
    ]
    assert log[0]["response"] == 500
    machine.pass_time(10**6)
    assert machine.emulator.deliver_pending() == 0
    machine.receiver.status = 200
    machine.control("retry")
    assert machine.emulator.deliver_pending() == 1
    assert machine.control("deliveries", get=True)[0]["status"] == "delivered"


def test_nobody_listening_is_no_catastrophe(shop: Shop) -> None:
    machine = shop.machine
    machine.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/nobody", "enabled_events": ["customer.created"]}
    )
    shop.customer()
    machine.emulator.deliver_pending()
    waiting = machine.control("deliveries", get=True, status="pending")
    assert [row["url"] for row in waiting] == ["http://127.0.0.1:9/nobody"]
    assert waiting[0]["error"]


def test_redirects_are_failures(stripe_machine: Machine) -> None:
    stripe_machine.receiver.status = 302
    stripe_machine.receiver.redirect = stripe_machine.receiver.url
    stripe_machine.v1.customers.create()
    stripe_machine.emulator.deliver_pending()
    assert len(stripe_machine.receiver.received) == 1
    assert stripe_machine.control("deliveries", get=True)[0]["response"] == 302


def test_endpoints_choose_their_events(stripe_machine: Machine) -> None:
    machine, v1 = stripe_machine, stripe_machine.v1
    made = v1.webhook_endpoints.create(
        {"url": machine.receiver.url, "enabled_events": ["customer.updated"]}
    )
    assert made.secret == machine.emulator.keys.webhook_secret
    other = v1.webhook_endpoints.create(
        {"url": machine.receiver.url + "/other", "enabled_events": ["*"]}
    )
    assert other.secret != made.secret
    assert "secret" not in v1.webhook_endpoints.retrieve(made.id).to_dict()
    v1.webhook_endpoints.update(other.id, {"disabled": True})
    owner = v1.customers.create().id
    v1.customers.update(owner, {"name": "Ada"})
    machine.emulator.deliver_pending()
    assert [event["type"] for event in machine.receiver.events()] == ["customer.updated"]
    v1.webhook_endpoints.delete(made.id)
    assert [one.id for one in v1.webhook_endpoints.list().data] == [other.id]
    with pytest.raises(stripe.InvalidRequestError):
        v1.webhook_endpoints.create({"url": "app.test", "enabled_events": ["*"]})


def test_copies_drops_and_delays(stripe_machine: Machine) -> None:
    machine = stripe_machine
    machine.control("settings", duplicate=2)
    machine.v1.customers.create()
    machine.emulator.deliver_pending()
    assert len(names(machine)) == 3
    assert len(set(names(machine))) == 1
    machine.control("settings", duplicate=0, drop=1)
    machine.v1.customers.create()
    assert machine.emulator.deliver_pending() == 0
    assert machine.control("deliveries", get=True)[0]["status"] == "dropped"
    machine.control("settings", drop=0, delay_seconds=60)
    machine.v1.customers.create()
    assert machine.emulator.deliver_pending() == 0
    machine.pass_time(60)
    assert machine.emulator.deliver_pending() == 1
    machine.v1.customers.create()
    assert machine.emulator.deliver_pending(ignore_delays=True) == 1


def test_shuffled_events_arrive_all_the_same(shop: Shop) -> None:
    machine = shop.machine
    machine.control("settings", shuffle=True)
    subscribe(shop, shop.customer())
    machine.emulator.deliver_pending()
    happened = [one.id for one in machine.v1.events.list({"limit": 100}).data][::-1]
    assert names(machine) != happened
    assert sorted(names(machine)) == sorted(happened)


def test_an_event_can_be_replayed(stripe_machine: Machine) -> None:
    machine = stripe_machine
    machine.v1.customers.create()
    machine.emulator.deliver_pending()
    machine.control("settings", drop=1, delay_seconds=60, duplicate=5)
    event = machine.v1.events.list().data[0].id
    machine.control("replay", event=event)
    assert machine.emulator.deliver_pending() == 1
    assert names(machine) == [event, event]


def test_pausing_holds_everything_back(stripe_machine: Machine) -> None:
    stripe_machine.control("settings", paused=True)
    stripe_machine.v1.customers.create()
    assert stripe_machine.emulator.deliver_pending() == 0
    stripe_machine.control("settings", paused=False)
    assert stripe_machine.emulator.deliver_pending() == 1


def test_several_processes_deliver_each_event_once(shop: Shop) -> None:
    subscribe(shop, shop.customer())
    machine = shop.machine
    others = [
        app.create(
            machine.emulator.store.path,
            machine.emulator.store.path.parent / "secrets" / "stripe.json",
            machine.base,
            machine.receiver.url,
            clock=machine.emulator.config.clock,
        )
        for _ in range(3)
    ]
    threads = [threading.Thread(target=one.deliver_pending) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(names(machine)) == sorted(
        event.id for event in machine.v1.events.list({"limit": 100}).auto_paging_iter()
    )


def test_a_crashed_sender_loses_nothing(stripe_machine: Machine) -> None:
    stripe_machine.v1.customers.create()
    with stripe_machine.emulator.store.writing() as connection:
        until = stripe_machine.now() + 30
        connection.execute("update deliveries set claimed_until = ?", (until,))
    assert stripe_machine.emulator.deliver_pending() == 0
    stripe_machine.pass_time(30)
    assert stripe_machine.emulator.deliver_pending() == 1


def test_the_thread_delivers_by_itself(stripe_machine: Machine) -> None:
    arrived = threading.Event()
    stripe_machine.receiver.on_arrival = arrived.set
    stripe_machine.emulator.start()
    stripe_machine.emulator.start()
    try:
        stripe_machine.v1.customers.create()
        assert arrived.wait(5)
    finally:
        stripe_machine.emulator.stop()
        stripe_machine.receiver.on_arrival = None
