"""HTTP client for the Stripe emulator: test clocks, events and delivery faults."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import httpx
from sqlmodel import Session

from sp404_app.errors import Conflict, NotFound, Unavailable
from sp404_app.services.billing import customers, stripe_client, sync, webhooks
from sp404_app.settings import settings

REQUEST_TIMEOUT_S = 60.0
CLOCK_STEPS: dict[str, dict[str, Any]] = {
    "hour": {"hours": 1},
    "day": {"days": 1},
    "week": {"days": 7},
    "fortnight": {"days": 14},
    "month": {"days": 31},
    "next": {"to": "next"},
}


@dataclass(frozen=True, slots=True)
class CustomerClock:
    """A customer's test clock, formatted for /dev/stripe."""

    id: str
    email: str
    at: str
    next: str
    moved: bool
    subscriptions: str


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event of the emulator with its deliveries."""

    id: str
    type: str
    at: str
    deliveries: str


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A webhook event as we stored it."""

    id: str
    type: str
    at: str
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class DeliveryFaults:
    """Faults that the emulator adds to webhook delivery."""

    duplicate: int
    shuffle: bool
    delay_seconds: float
    drop: float
    paused: bool


def list_clocks() -> list[CustomerClock]:
    """Return the newest customers with their clocks.

    Raises:
        AppError: If there is no emulator, or it does not answer.
    """
    return [
        CustomerClock(
            one["id"],
            one["email"] or "",
            _format_time(one["now"]),
            _format_time(one["next"]) if one["next"] else "nothing",
            bool(one["clock"]),
            ", ".join(f"{s['price'] or s['id']} {s['status']}" for s in one["subscriptions"]),
        )
        for one in _request_control("GET", "customers")
    ]


def list_sent_events(limit: int = 40) -> list[SentEvent]:
    """Return the emulator's newest events with their deliveries."""
    return [
        SentEvent(
            one["id"],
            one["type"],
            _format_time(one["created"]),
            ", ".join(_format_delivery(row) for row in one["deliveries"]) or "no endpoint",
        )
        for one in _request_control("GET", "events", limit=limit)
    ]


def list_received_events(session: Session) -> list[ReceivedEvent]:
    """Return the newest webhook events that we received."""
    return [
        ReceivedEvent(
            event.id,
            event.type,
            f"{event.received_at:%d %b %H:%M:%S}",
            _event_state(event.handled_at is not None, event.attempts),
            event.error,
        )
        for event in webhooks.list_recent_events(session)
    ]


def get_delivery_faults() -> DeliveryFaults:
    """Return the emulator's current delivery faults."""
    found = _request_control("GET", "settings")
    return DeliveryFaults(**{name: found[name] for name in DeliveryFaults.__slots__})


def advance_clock(session: Session, customer_id: str, step: str) -> None:
    """Advance one customer's test clock, then sync the customer.

    Raises:
        NotFound: If there is no such step or customer.
    """
    if step not in CLOCK_STEPS:
        raise NotFound("There is no such step.")
    _request_control("POST", "advance", customer=customer_id, **CLOCK_STEPS[step])
    user_id = customers.find_customer_owner(session, customer_id)
    if user_id:
        sync.sync_customer(session, user_id)


def set_delivery_fault(name: str, value: float | bool) -> None:
    """Set one delivery fault of the emulator.

    Raises:
        NotFound: If there is no such setting.
    """
    if name not in DeliveryFaults.__slots__:
        raise NotFound("There is no such setting.")
    _request_control("POST", "settings", **{name: value})


def set_unpaid_after_retries() -> None:
    """Mark subscriptions as unpaid after the last retry, as RUNBOOKS.md recommends for Stripe."""
    _request_control("POST", "settings", after_retries="unpaid")


def redeliver_event(event_id: str) -> None:
    """Deliver an event again."""
    _request_control("POST", "replay", event=event_id)


def retry_deliveries() -> None:
    """Retry all failed deliveries now."""
    _request_control("POST", "retry")


def _request_control(method: str, name: str, **fields: Any) -> Any:
    if not settings().stripe_emulated:
        raise NotFound("The Stripe emulator isn't running here.")
    body = {"params": fields} if method == "GET" else {"json": fields}
    headers = {"Authorization": f"Bearer {stripe_client.load_keys().api_key}"}
    try:
        answer = httpx.request(
            method,
            f"{stripe_client.emulator_url()}/dev/{name}",
            headers=headers,
            timeout=REQUEST_TIMEOUT_S,
            **body,  # type: ignore[arg-type]  # `params` or `json`
        )
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("The Stripe emulator isn't responding.") from error
    if answer.is_error:
        raise Conflict(
            str(found.get("error", {}).get("message", "The Stripe emulator rejected it."))
        )
    return found["data"]


def _format_delivery(row: dict[str, Any]) -> str:
    return f"{row['status']} {row['response'] or ''}".strip()


def _event_state(handled: bool, attempts: int) -> str:
    if handled:
        return "done"
    return "dead" if attempts >= webhooks.MAX_ATTEMPTS else "waiting"


def _format_time(stamp: int) -> str:
    return f"{dt.datetime.fromtimestamp(stamp, dt.UTC):%d %b %Y %H:%M}"
