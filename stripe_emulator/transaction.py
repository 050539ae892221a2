"""One database transaction: reads and writes objects, records events, tells the time."""

import copy
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import stripe

from stripe_emulator import due_dates
from stripe_emulator.errors import resource_missing
from stripe_emulator.objects import Object, new_id, nulls, previous_attributes, public_copy
from stripe_emulator.shapes import webhook

PRODUCT_ENDPOINT_ID = "we_own"

DEFAULT_SETTINGS: dict[str, Any] = {
    "retry_days": [3, 5, 7],
    "after_retries": "cancel",
    "api_cancel_sets_cancel_at": True,
    "trial_end_can_be_pending": True,
    "duplicate": 0,
    "shuffle": False,
    "delay_seconds": 0,
    "drop": 0.0,
    "paused": False,
}


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """URLs, webhook secret and time source of an emulator."""

    base_url: str
    webhook_url: str | None
    webhook_secret: str
    clock: Callable[[], float]


class Transaction:
    """One transaction on the object store; it is committed as a whole or rolled back."""

    def __init__(self, connection: sqlite3.Connection, config: EmulatorConfig) -> None:
        self.connection = connection
        self.base_url = config.base_url
        self.real_time = config.clock
        self.request: Object = nulls("id idempotency_key")
        self._config = config
        self._moment: int | None = None

    def webhook_endpoints(self) -> list[Object]:
        """Return the registered endpoints, and the product's own unless it is registered."""
        found = self.find_all("webhook_endpoint")
        url = self._config.webhook_url
        if url and url not in (one["url"] for one in found):
            own = webhook.new_webhook_endpoint(0, url, ["*"], self._config.webhook_secret)
            found.append(own | {"id": PRODUCT_ENDPOINT_ID})
        return found

    def webhook_secret_for(self, url: str) -> str | None:
        """Return the configured webhook secret if the URL is the product's own."""
        return self._config.webhook_secret if url == self._config.webhook_url else None

    def now(self, customer: str | None) -> int:
        """Return the customer's current Unix time.

        This is the time set by `at_time`, the test clock's, or the real time, in this order.
        """
        if self._moment is not None:
            return self._moment
        frozen = self.test_clock_of(customer) if customer else None
        return frozen["frozen_time"] if frozen else int(self.real_time())

    @contextmanager
    def at_time(self, moment: int) -> Iterator[None]:
        """Set the current time to `moment` for the duration of the context."""
        outer, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = outer

    def test_clock_of(self, customer: str) -> Object | None:
        """Return the customer's test clock, or None."""
        found = self.get_or_none(customer)
        return self.get_or_none(found["test_clock"]) if found and found.get("test_clock") else None

    def get_or_none(self, identifier: str | None) -> Object | None:
        """Return the object with this id, or None."""
        query = "select body from objects where id = ?"
        row = self.connection.execute(query, (identifier,)).fetchone()
        return json.loads(row["body"]) if row else None

    def get(self, kind: str, identifier: str, param: str = "id") -> Object:
        """Return the object with this kind and id.

        Raises:
            ApiError: 404 if there is none, or it is deleted.
        """
        found = self.get_or_none(identifier)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise resource_missing(kind, identifier, param)
        return found

    def find_all(
        self, kind: str, *, customer: str | None = None, parent: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind, newest first, without deleted ones."""
        query, values = "select body from objects where kind = ?", [kind]
        for column, value in (("customer", customer), ("parent", parent)):
            if value is not None:
                query += f" and {column} = ?"
                values.append(value)
        rows = self.connection.execute(f"{query} order by seq desc", values)
        return [item for row in rows if not (item := json.loads(row["body"])).get("deleted")]

    def save(self, item: Object, parent: str | None = None) -> Object:
        """Insert or update an object and return it."""
        values = {
            "id": item["id"],
            "kind": item["object"],
            "customer": customer_id_of(item),
            "parent": parent,
            "clock": item.get("test_clock") if item["object"] == "customer" else None,
            "due": None if item.get("deleted") else due_dates.next_due_at(item),
            "body": json.dumps(item),
        }
        self.connection.execute(
            "insert into objects (id, kind, customer, parent, clock, due, body)"
            " values (:id, :kind, :customer, :parent, :clock, :due, :body)"
            " on conflict (id) do update set customer = :customer, clock = :clock,"
            " parent = coalesce(:parent, parent), due = :due, body = :body",
            values,
        )
        return item

    def emit(self, kind: str, item: Object, previous: Object | None = None) -> None:
        """Record an event about an object and queue its deliveries."""
        endpoints = [one for one in self.webhook_endpoints() if accepts_event_type(one, kind)]
        data: Object = {"object": public_copy(item)}
        if previous is not None:
            data["previous_attributes"] = public_copy(previous)
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": stripe.api_version,
            "created": self.now(customer_id_of(item) or item["id"]),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": dict(self.request),
            "type": kind,
        }
        self.save(event, parent=item["id"])
        for endpoint in endpoints:
            self.queue_delivery(event["id"], endpoint)

    def save_changes(self, kind: str, item: Object, before: Object) -> None:
        """Save an object; emit the event only if a public key changed since `before`."""
        self.save(item)
        if previous := previous_attributes(before, item):
            self.emit(kind, item, previous)

    def queue_delivery(self, event: str, endpoint: Object, *, chaos: bool = True) -> None:
        """Queue an event for delivery to an endpoint.

        With `chaos`, the settings may drop, delay, duplicate or reorder it.
        """
        knobs, now = self.settings() if chaos else DEFAULT_SETTINGS, self.real_time()
        dropped = random.random() < float(knobs["drop"])  # noqa: S311 - chaos, not secrets
        for _ in range(1 + int(knobs["duplicate"])):
            position = random.random() if knobs["shuffle"] else now  # noqa: S311
            due_at = now + float(knobs["delay_seconds"])
            status = "dropped" if dropped else "pending"
            self.connection.execute(
                "insert into deliveries (event, endpoint, url, status, position, due)"
                " values (?, ?, ?, ?, ?, ?)",
                (event, endpoint["id"], endpoint["url"], status, position, due_at),
            )

    def settings(self) -> dict[str, Any]:
        """Return the emulator's settings: payment retries and webhook faults."""
        rows = self.connection.execute("select name, value from settings")
        return DEFAULT_SETTINGS | {row["name"]: json.loads(row["value"]) for row in rows}

    def set_setting(self, name: str, value: Any) -> None:
        """Save one setting."""
        self.connection.execute(
            "insert into settings values (?, ?) on conflict (name) do update set value = ?",
            (name, json.dumps(value), json.dumps(value)),
        )


def customer_id_of(item: Object) -> str | None:
    """Return the id of the customer that an object, or an event's object, belongs to."""
    about = item["data"]["object"] if item["object"] == "event" else item
    return about["id"] if about["object"] == "customer" else about.get("customer")


def accepts_event_type(endpoint: Object, kind: str) -> bool:
    """Return whether an endpoint is enabled for events of this type."""
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


def snapshot(item: Object) -> Object:
    """Return a deep copy, to be compared or changed later."""
    return copy.deepcopy(item)
