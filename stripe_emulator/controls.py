"""JSON endpoints under `/dev/` for the page `/dev/stripe` and for tests.

They advance clocks, list events and deliveries, resend events, and change settings such as webhook
faults. Stripe has no such endpoints; they take the same API key.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stripe_emulator.engine import clocks, scheduler
from stripe_emulator.errors import ApiError, invalid_request, resource_missing
from stripe_emulator.objects import Object, public_copy
from stripe_emulator.periods import DAY_S, HOUR_S
from stripe_emulator.transaction import DEFAULT_SETTINGS, Transaction, customer_id_of

SETTING_CHOICES = {"after_retries": ("cancel", "unpaid", "past_due", "pause")}


@dataclass(frozen=True, slots=True)
class Control:
    """One command: `GET` or `POST /dev/{name}` with JSON."""

    method: str
    name: str
    run: Callable[[Transaction, dict[str, Any]], Any]


def list_customer_summaries(tx: Transaction, given: dict[str, Any]) -> list[Object]:
    """Return the newest customers with their current time and next due time."""
    shown = tx.find_all("customer")[: int(given.get("limit", 50))]
    return [customer_summary(tx, customer) for customer in shown]


def customer_summary(tx: Transaction, customer: Object) -> Object:
    """Return what `/dev/stripe` shows about a customer."""
    own = tx.find_all("subscription", customer=customer["id"])
    return {
        "id": customer["id"],
        "email": customer["email"],
        "clock": customer["test_clock"],
        "now": tx.now(customer["id"]),
        "next": next_due_for(tx, customer),
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


def next_due_for(tx: Transaction, customer: Object) -> int | None:
    """Return when something is next due for a customer, or None."""
    found = scheduler.next_due_time(tx, customer["test_clock"], scheduler.NEVER, customer["id"])
    return None if found == scheduler.NEVER else found


def advance_customer_clock(tx: Transaction, given: dict[str, Any]) -> Object:
    """Advance one customer's test clock, which is created if missing.

    The target is `hours` and `days` from now, the Unix time `to`, or `to: "next"` for the next due
    time.
    """
    customer = tx.get("customer", str(given.get("customer", "")), "customer")
    clock = clocks.ensure_test_clock(tx, customer)
    customer = tx.get("customer", customer["id"])
    now = clock["frozen_time"]
    if given.get("to") == "next":
        target = next_due_for(tx, customer) or now
    elif "to" in given:
        target = int(given["to"])
    else:
        target = now + int(given.get("days", 0) * DAY_S + given.get("hours", 0) * HOUR_S)
    if target < now:
        raise invalid_request("A clock can only move forward.", "to")
    clocks.advance_clock(tx, clock, target)
    return customer_summary(tx, tx.get("customer", customer["id"]))


def list_event_summaries(tx: Transaction, given: dict[str, Any]) -> list[Object]:
    """Return the newest events with their deliveries."""
    query = (
        "select body from objects where kind = 'event' and (? is null or customer = ?)"
        " order by seq desc limit ?"
    )
    customer, limit = given.get("customer"), int(given.get("limit", 100))
    rows = tx.connection.execute(query, (customer, customer, limit)).fetchall()
    return [event_summary(tx, json.loads(row["body"])) for row in rows]


def event_summary(tx: Transaction, event: Object) -> Object:
    """Return the main fields of an event and its deliveries."""
    query = "select * from deliveries where event = ? order by id"
    rows = tx.connection.execute(query, (event["id"],))
    return {
        "id": event["id"],
        "type": event["type"],
        "created": event["created"],
        "customer": customer_id_of(event),
        "object": event["data"]["object"]["id"],
        "deliveries": [dict(row) for row in rows],
    }


def list_deliveries(tx: Transaction, given: dict[str, Any]) -> list[Object]:
    """Return the newest deliveries, optionally of one status."""
    query = (
        "select deliveries.*, json_extract(body, '$.type') as type from deliveries"
        " join objects on objects.id = event where ? is null or status = ?"
        " order by deliveries.id desc limit ?"
    )
    status = given.get("status")
    rows = tx.connection.execute(query, (status, status, int(given.get("limit", 100))))
    return [dict(row) for row in rows]


def resend_event(tx: Transaction, given: dict[str, Any]) -> Object:
    """Queue an event for delivery to every endpoint again."""
    identifier = str(given.get("event", ""))
    event = tx.get("event", identifier, "event")
    endpoints = tx.webhook_endpoints()
    for endpoint in endpoints:
        tx.queue_delivery(event["id"], endpoint, chaos=False)
    return {"event": identifier, "deliveries": len(endpoints)}


def retry_deliveries(tx: Transaction, _: dict[str, Any]) -> Object:
    """Make every failed, dropped or pending delivery due now."""
    cursor = tx.connection.execute(
        "update deliveries set status = 'pending', due = 0, attempts = 0, claimed_until = 0"
        " where status in ('failed', 'dropped', 'pending')"
    )
    return {"deliveries": cursor.rowcount}


def get_settings(tx: Transaction, _: dict[str, Any]) -> Object:
    """Return the emulator's settings."""
    return tx.settings()


def change_settings(tx: Transaction, given: dict[str, Any]) -> Object:
    """Change some of the emulator's settings."""
    for name, value in given.items():
        if name not in DEFAULT_SETTINGS:
            raise resource_missing("setting", name, name)
        check_setting(name, value)
        tx.set_setting(name, value)
    return tx.settings()


def check_setting(name: str, value: Any) -> None:
    """Refuse an invalid value for a setting."""
    if name in SETTING_CHOICES:
        fits = value in SETTING_CHOICES[name]
    elif name == "retry_days":
        fits = isinstance(value, list) and len(value) <= 8
        fits = fits and all(isinstance(days, int | float) and 0 < days <= 60 for days in value)
    elif isinstance(DEFAULT_SETTINGS[name], bool):
        fits = isinstance(value, bool)
    else:
        most = {"drop": 1, "duplicate": 20}.get(name, 86400)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = number and 0 <= value <= most
    if not fits:
        raise invalid_request(f"Invalid value for {name}.", name)


CONTROLS = (
    Control("GET", "customers", list_customer_summaries),
    Control("GET", "events", list_event_summaries),
    Control("GET", "deliveries", list_deliveries),
    Control("GET", "settings", get_settings),
    Control("POST", "advance", advance_customer_clock),
    Control("POST", "replay", resend_event),
    Control("POST", "retry", retry_deliveries),
    Control("POST", "settings", change_settings),
)


def find_control(method: str, name: str) -> Control:
    """Return the control with this method and name."""
    for control in CONTROLS:
        if (control.method, control.name) == (method, name):
            return control
    raise ApiError(404, f"No such control: {method} {name}")


def parse_json_object(body: bytes) -> dict[str, Any]:
    """Parse a request body as a JSON object; an empty body is an empty object."""
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        raise invalid_request("The request body must be JSON.") from error
    if not isinstance(given, dict):
        raise invalid_request("The request body must be a JSON object.")
    return given


def run_control(tx: Transaction, control: Control, given: dict[str, Any]) -> Any:
    """Run a control and return its result without private keys."""
    try:
        return public_copy(control.run(tx, given))
    except (TypeError, ValueError) as error:
        raise invalid_request(f"Invalid value: {error}") from error
