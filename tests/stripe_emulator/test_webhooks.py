"""Webhooks: signatures, retries, endpoints and injected faults."""

import threading

import pytest
import stripe

from stripe_emulator import app
from stripe_emulator.webhooks import RETRY_DELAYS_S
from tests.stripe_emulator import oracle
from tests.stripe_emulator.actions import event_types, subscribe
from tests.stripe_emulator.conftest import Shop
from tests.stripe_emulator.stripe_server import Harness


def names(harness: Harness) -> list[str]:
    return [event["id"] for event in harness.receiver.events()]


def test_the_official_client_verifies_webhook_signatures(shop: Shop) -> None:
    harness = shop.harness
    subscribe(shop, shop.customer())
    assert harness.emulator.deliver_pending() == len(event_types(shop))
    secret = harness.emulator.keys.webhook_secret
    for body, signature in harness.receiver.received:
        event = stripe.Webhook.construct_event(body, signature, secret, tolerance=10**10)
        assert event.api_version == stripe.api_version
    for event in harness.receiver.events():
        assert oracle.violations(event) == []
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, secret, tolerance=10**10)
    assert f"t={harness.now()}," in signature
    assert harness.emulator.deliver_pending() == 0
    event = harness.v1.events.retrieve(harness.receiver.events()[0]["id"])
    assert event.pending_webhooks == 0


def test_events_contain_the_request_id_and_idempotency_key(harness: Harness) -> None:
    made = harness.v1.customers.create(options={"idempotency_key": "k1"})
    event = harness.v1.events.list().data[0]
    assert event.request.id == made.last_response.request_id
    assert event.request.idempotency_key == "k1"
    assert event.data.object.id == made.id


def test_failed_deliveries_are_retried_with_backoff(harness: Harness) -> None:
    harness.receiver.status = 500
    harness.v1.customers.create()
    for wait in RETRY_DELAYS_S:
        assert harness.emulator.deliver_pending() == 1
        assert harness.emulator.deliver_pending() == 0
        harness.pass_time(wait)
    harness.emulator.deliver_pending()
    log = harness.control("deliveries", get=True)
    assert [(row["status"], row["attempts"]) for row in log] == [
        ("failed", len(RETRY_DELAYS_S) + 1)
    ]
    assert log[0]["response"] == 500
    harness.pass_time(10**6)
    assert harness.emulator.deliver_pending() == 0
    harness.receiver.status = 200
    harness.control("retry")
    assert harness.emulator.deliver_pending() == 1
    assert harness.control("deliveries", get=True)[0]["status"] == "delivered"


def test_an_unreachable_endpoint_is_retried(shop: Shop) -> None:
    harness = shop.harness
    harness.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/nobody", "enabled_events": ["customer.created"]}
    )
    shop.customer()
    harness.emulator.deliver_pending()
    waiting = harness.control("deliveries", get=True, status="pending")
    assert [row["url"] for row in waiting] == ["http://127.0.0.1:9/nobody"]
    assert waiting[0]["error"]


def test_redirects_count_as_failures(harness: Harness) -> None:
    harness.receiver.status = 302
    harness.receiver.redirect = harness.receiver.url
    harness.v1.customers.create()
    harness.emulator.deliver_pending()
    assert len(harness.receiver.received) == 1
    assert harness.control("deliveries", get=True)[0]["response"] == 302


def test_endpoints_receive_only_their_event_types(harness: Harness) -> None:
    v1 = harness.v1
    made = v1.webhook_endpoints.create(
        {"url": harness.receiver.url, "enabled_events": ["customer.updated"]}
    )
    assert made.secret == harness.emulator.keys.webhook_secret
    other = v1.webhook_endpoints.create(
        {"url": harness.receiver.url + "/other", "enabled_events": ["*"]}
    )
    assert other.secret != made.secret
    assert "secret" not in v1.webhook_endpoints.retrieve(made.id).to_dict()
    v1.webhook_endpoints.update(other.id, {"disabled": True})
    customer = v1.customers.create().id
    v1.customers.update(customer, {"name": "Ada"})
    harness.emulator.deliver_pending()
    assert [event["type"] for event in harness.receiver.events()] == ["customer.updated"]
    v1.webhook_endpoints.delete(made.id)
    assert [one.id for one in v1.webhook_endpoints.list().data] == [other.id]
    with pytest.raises(stripe.InvalidRequestError):
        v1.webhook_endpoints.create({"url": "app.test", "enabled_events": ["*"]})


def test_deliveries_can_be_duplicated_dropped_and_delayed(harness: Harness) -> None:
    harness.control("settings", duplicate=2)
    harness.v1.customers.create()
    harness.emulator.deliver_pending()
    assert len(names(harness)) == 3
    assert len(set(names(harness))) == 1
    harness.control("settings", duplicate=0, drop=1)
    harness.v1.customers.create()
    assert harness.emulator.deliver_pending() == 0
    assert harness.control("deliveries", get=True)[0]["status"] == "dropped"
    harness.control("settings", drop=0, delay_seconds=60)
    harness.v1.customers.create()
    assert harness.emulator.deliver_pending() == 0
    harness.pass_time(60)
    assert harness.emulator.deliver_pending() == 1
    harness.v1.customers.create()
    assert harness.emulator.deliver_pending(ignore_delays=True) == 1


def test_shuffled_events_are_all_delivered(shop: Shop) -> None:
    harness = shop.harness
    harness.control("settings", shuffle=True)
    subscribe(shop, shop.customer())
    harness.emulator.deliver_pending()
    happened = [one.id for one in harness.v1.events.list({"limit": 100}).data][::-1]
    assert names(harness) != happened
    assert sorted(names(harness)) == sorted(happened)


def test_an_event_can_be_resent(harness: Harness) -> None:
    harness.v1.customers.create()
    harness.emulator.deliver_pending()
    harness.control("settings", drop=1, delay_seconds=60, duplicate=5)
    event = harness.v1.events.list().data[0].id
    harness.control("replay", event=event)
    assert harness.emulator.deliver_pending() == 1
    assert names(harness) == [event, event]


def test_paused_delivery_sends_nothing(harness: Harness) -> None:
    harness.control("settings", paused=True)
    harness.v1.customers.create()
    assert harness.emulator.deliver_pending() == 0
    harness.control("settings", paused=False)
    assert harness.emulator.deliver_pending() == 1


def test_concurrent_senders_deliver_each_event_once(shop: Shop) -> None:
    subscribe(shop, shop.customer())
    harness = shop.harness
    others = [
        app.create_emulator(
            harness.emulator.store.path,
            harness.emulator.store.path.parent / "secrets" / "stripe.json",
            harness.base,
            harness.receiver.url,
            clock=harness.emulator.config.clock,
        )
        for _ in range(3)
    ]
    threads = [threading.Thread(target=one.deliver_pending) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(names(harness)) == sorted(
        event.id for event in harness.v1.events.list({"limit": 100}).auto_paging_iter()
    )


def test_a_claim_of_a_crashed_sender_expires(harness: Harness) -> None:
    harness.v1.customers.create()
    with harness.emulator.store.writing() as connection:
        until = harness.now() + 30
        connection.execute("update deliveries set claimed_until = ?", (until,))
    assert harness.emulator.deliver_pending() == 0
    harness.pass_time(30)
    assert harness.emulator.deliver_pending() == 1


def test_the_background_thread_delivers_events(harness: Harness) -> None:
    arrived = threading.Event()
    harness.receiver.on_arrival = arrived.set
    harness.emulator.start()
    harness.emulator.start()
    try:
        harness.v1.customers.create()
        assert arrived.wait(5)
    finally:
        harness.emulator.stop()
        harness.receiver.on_arrival = None
