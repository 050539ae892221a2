"""One transaction: finds and keeps objects, knows every customer's time, records events."""

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
from stripe_emulator.errors import missing
from stripe_emulator.objects import Object, changes, new_id, nulls, public
from stripe_emulator.shapes import webhook

OWN_ENDPOINT = "we_own"

DEFAULTS: dict[str, Any] = {
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
class Setup:
    """Where the emulator answers, whom it tells, with which secret, and what time it is."""

    base_url: str
    webhook_url: str | None
    webhook_secret: str
    clock: Callable[[], float]


class Ledger:
    """What an operation works with; everything it does is kept together or not at all."""

    def __init__(self, connection: sqlite3.Connection, setup: Setup) -> None:
        self.connection = connection
        self.base_url = setup.base_url
        self.clock = setup.clock
        self.request: Object = nulls("id idempotency_key")
        self._setup = setup
        self._moment: int | None = None

    def endpoints(self) -> list[Object]:
        """Return who is told: registered endpoints, and the product's own if it is not one."""
        found = self.find("webhook_endpoint")
        url = self._setup.webhook_url
        if url and url not in (one["url"] for one in found):
            own = webhook.endpoint(0, url, ["*"], self._setup.webhook_secret)
            found.append(own | {"id": OWN_ENDPOINT})
        return found

    def secret_for(self, url: str) -> str | None:
        """Return the secret that the product knows, for its own address."""
        return self._setup.webhook_secret if url == self._setup.webhook_url else None

    def now(self, customer: str | None) -> int:
        """Return the time of a customer: the test clock's, the step's, or the real one."""
        if self._moment is not None:
            return self._moment
        frozen = self.clock_of(customer) if customer else None
        return frozen["frozen_time"] if frozen else int(self.clock())

    @contextmanager
    def at(self, moment: int) -> Iterator[None]:
        """Let everything inside happen at that second."""
        outer, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = outer

    def clock_of(self, customer: str) -> Object | None:
        """Return the test clock of a customer, if it has one."""
        found = self.peek(customer)
        return self.peek(found["test_clock"]) if found and found.get("test_clock") else None

    def peek(self, identifier: str | None) -> Object | None:
        """Return the object, or None."""
        query = "select body from objects where id = ?"
        row = self.connection.execute(query, (identifier,)).fetchone()
        return json.loads(row["body"]) if row else None

    def get(self, kind: str, identifier: str, param: str = "id") -> Object:
        """Return the object of that kind that is not deleted, or refuse as Stripe does."""
        found = self.peek(identifier)
        if found is None or found["object"] != kind or found.get("deleted"):
            raise missing(kind, identifier, param)
        return found

    def find(
        self, kind: str, *, customer: str | None = None, parent: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind, newest first."""
        query, values = "select body from objects where kind = ?", [kind]
        for column, value in (("customer", customer), ("parent", parent)):
            if value is not None:
                query += f" and {column} = ?"
                values.append(value)
        rows = self.connection.execute(f"{query} order by seq desc", values)
        return [item for row in rows if not (item := json.loads(row["body"])).get("deleted")]

    def save(self, item: Object, parent: str | None = None) -> Object:
        """Keep an object, new or changed."""
        values = {
            "id": item["id"],
            "kind": item["object"],
            "customer": owner(item),
            "parent": parent,
            "clock": item.get("test_clock") if item["object"] == "customer" else None,
            "due": None if item.get("deleted") else due_dates.when(item),
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
        """Record an event about an object, and what has to be sent about it."""
        endpoints = [one for one in self.endpoints() if listens(one, kind)]
        data: Object = {"object": public(item)}
        if previous is not None:
            data["previous_attributes"] = public(previous)
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": stripe.api_version,
            "created": self.now(owner(item) or item["id"]),
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": dict(self.request),
            "type": kind,
        }
        self.save(event, parent=item["id"])
        for endpoint in endpoints:
            self.queue(event["id"], endpoint)

    def keep(self, kind: str, item: Object, before: Object) -> None:
        """Keep a changed object and record the event, unless nothing visible changed."""
        self.save(item)
        if previous := changes(before, item):
            self.emit(kind, item, previous)

    def queue(self, event: str, endpoint: Object, *, chaos: bool = True) -> None:
        """Note that an event has to be sent, as badly as the settings ask for."""
        knobs, now = self.settings() if chaos else DEFAULTS, self.clock()
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
        """Return how the emulator behaves: retries of payments, chaos of webhooks."""
        rows = self.connection.execute("select name, value from settings")
        return DEFAULTS | {row["name"]: json.loads(row["value"]) for row in rows}

    def set(self, name: str, value: Any) -> None:
        """Change one of the settings."""
        self.connection.execute(
            "insert into settings values (?, ?) on conflict (name) do update set value = ?",
            (name, json.dumps(value), json.dumps(value)),
        )


def owner(item: Object) -> str | None:
    """Return the customer whom an object, or an event's object, is about."""
    about = item["data"]["object"] if item["object"] == "event" else item
    return about["id"] if about["object"] == "customer" else about.get("customer")


def listens(endpoint: Object, kind: str) -> bool:
    """Whether an endpoint asked for events of that type."""
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


def snapshot(item: Object) -> Object:
    """Return a deep copy to compare with later."""
    return copy.deepcopy(item)
