"""JSON controls for the product's development page: time, events, deliveries, chaos.

Not Stripe's API; under `/dev/`, with the same key.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_emulator.due_dates import DAY, HOUR
from stripe_emulator.engine import clocks, scheduler
from stripe_emulator.errors import Problem, invalid, missing
from stripe_emulator.objects import Object, public
from stripe_emulator.transaction import DEFAULTS, Ledger, owner

CHOICES = {"after_retries": ("cancel", "unpaid", "past_due", "pause")}


@dataclass(frozen=True, slots=True)
class Control:
    """One command: `GET` or `POST /dev/{name}`, with JSON."""

    method: str
    name: str
    run: Callable[[Ledger, dict[str, Any]], Any]


def list_customers(ledger: Ledger, given: dict[str, Any]) -> list[Object]:
    """Return the newest customers with their time and what comes next."""
    shown = ledger.find("customer")[: int(given.get("limit", 50))]
    return [describe(ledger, customer) for customer in shown]


def describe(ledger: Ledger, customer: Object) -> Object:
    """Return what the page shows about a customer."""
    own = ledger.find("subscription", customer=customer["id"])
    return {
        "id": customer["id"],
        "email": customer["email"],
        "clock": customer["test_clock"],
        "now": ledger.now(customer["id"]),
        "next": next_for(ledger, customer),
        "subscriptions": [
            {
                "id": one["id"],
                "status": one["status"],
                "price": one["items"]["data"][0]["price"]["lookup_key"],
                "current_period_end": one["items"]["data"][0]["current_period_end"],
                "trial_end": one["trial_end"],
                "cancel_at": one["cancel_at"],
            }
            for one in own
        ],
    }


def next_for(ledger: Ledger, customer: Object) -> int | None:
    """Return when something happens to a customer next."""
    found = scheduler.upcoming(ledger, customer["test_clock"], scheduler.FOREVER, customer["id"])
    return None if found == scheduler.FOREVER else found


def advance(ledger: Ledger, given: dict[str, Any]) -> Object:
    """Let time pass for one customer: by `hours` and `days`, `to` a moment, or to what is next."""
    customer = ledger.get("customer", str(given.get("customer", "")), "customer")
    clock = clocks.hold(ledger, customer)
    customer = ledger.get("customer", customer["id"])
    now = clock["frozen_time"]
    if given.get("to") == "next":
        target = next_for(ledger, customer) or now
    elif "to" in given:
        target = int(given["to"])
    else:
        target = now + int(given.get("days", 0) * DAY + given.get("hours", 0) * HOUR)
    if target < now:
        raise invalid("Time only passes forwards.", "to")
    clocks.advance(ledger, clock, target)
    return describe(ledger, ledger.get("customer", customer["id"]))


def list_events(ledger: Ledger, given: dict[str, Any]) -> list[Object]:
    """Return the newest events with their deliveries."""
    query = (
        "select body from objects where kind = 'event' and (? is null or customer = ?)"
        " order by seq desc limit ?"
    )
    customer, limit = given.get("customer"), int(given.get("limit", 100))
    rows = ledger.connection.execute(query, (customer, customer, limit)).fetchall()
    return [summary(ledger, json.loads(row["body"])) for row in rows]


def summary(ledger: Ledger, event: Object) -> Object:
    """Return an event in one line, with its deliveries."""
    query = "select * from deliveries where event = ? order by id"
    rows = ledger.connection.execute(query, (event["id"],))
    return {
        "id": event["id"],
        "type": event["type"],
        "created": event["created"],
        "customer": owner(event),
        "object": event["data"]["object"]["id"],
        "deliveries": [dict(row) for row in rows],
    }


def list_deliveries(ledger: Ledger, given: dict[str, Any]) -> list[Object]:
    """Return the newest deliveries, all or those of one status."""
    query = (
        "select deliveries.*, json_extract(body, '$.type') as type from deliveries"
        " join objects on objects.id = event where ? is null or status = ?"
        " order by deliveries.id desc limit ?"
    )
    status = given.get("status")
    rows = ledger.connection.execute(query, (status, status, int(given.get("limit", 100))))
    return [dict(row) for row in rows]


def replay(ledger: Ledger, given: dict[str, Any]) -> Object:
    """Send an event again, to every endpoint."""
    identifier = str(given.get("event", ""))
    event = ledger.get("event", identifier, "event")
    endpoints = ledger.endpoints()
    for endpoint in endpoints:
        ledger.queue(event["id"], endpoint, chaos=False)
    return {"event": identifier, "deliveries": len(endpoints)}


def retry(ledger: Ledger, _: dict[str, Any]) -> Object:
    """Let every failed, dropped or waiting delivery be tried now."""
    cursor = ledger.connection.execute(
        "update deliveries set status = 'pending', due = 0, attempts = 0, claimed_until = 0"
        " where status in ('failed', 'dropped', 'pending')"
    )
    return {"deliveries": cursor.rowcount}


def settings(ledger: Ledger, _: dict[str, Any]) -> Object:
    """Return how the emulator behaves."""
    return ledger.settings()


def change_settings(ledger: Ledger, given: dict[str, Any]) -> Object:
    """Change how the emulator behaves."""
    for name, value in given.items():
        if name not in DEFAULTS:
            raise missing("setting", name, name)
        check(name, value)
        ledger.set(name, value)
    return ledger.settings()


def check(name: str, value: Any) -> None:
    """Refuse a value that makes no sense."""
    if name in CHOICES:
        fits = value in CHOICES[name]
    elif name == "retry_days":
        fits = isinstance(value, list) and len(value) <= 8
        fits = fits and all(isinstance(days, int | float) and 0 < days <= 60 for days in value)
    elif isinstance(DEFAULTS[name], bool):
        fits = isinstance(value, bool)
    else:
        most = {"drop": 1, "duplicate": 20}.get(name, 86400)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and 0 <= value <= most
    if not fits:
        raise invalid(f"Invalid value for {name}.", name)


CONTROLS = (
    Control("GET", "customers", list_customers),
    Control("GET", "events", list_events),
    Control("GET", "deliveries", list_deliveries),
    Control("GET", "settings", settings),
    Control("POST", "advance", advance),
    Control("POST", "replay", replay),
    Control("POST", "retry", retry),
    Control("POST", "settings", change_settings),
)


def find(method: str, name: str) -> Control:
    """Return the control of that name."""
    for control in CONTROLS:
        if (control.method, control.name) == (method, name):
            return control
    raise Problem(404, f"No such control: {method} {name}")


def read(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request, which may be empty."""
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid("Send JSON.") from error
    if not isinstance(given, dict):
        raise invalid("Send a JSON object.")
    return given


def answer(ledger: Ledger, control: Control, given: dict[str, Any]) -> Any:
    """Run a control."""
    try:
        return public(control.run(ledger, given))
    except (TypeError, ValueError) as error:
        raise invalid(f"Invalid value: {error}") from error
