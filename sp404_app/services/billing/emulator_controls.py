"""The emulator's own controls, for the page on which a developer lets time pass. Over HTTP."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import httpx
from sqlmodel import Session

from sp404_app.errors import Conflict, NotFound, Unavailable
from sp404_app.services.billing import customers, stripe_client, sync, webhooks
from sp404_app.settings import settings

PATIENCE = 60.0
STEPS: dict[str, dict[str, Any]] = {
    "hour": {"hours": 1},
    "day": {"days": 1},
    "week": {"days": 7},
    "fortnight": {"days": 14},
    "month": {"days": 31},
    "next": {"to": "next"},
}


@dataclass(frozen=True, slots=True)
class Clock:
    """A customer, and where their time stands."""

    id: str
    email: str
    at: str
    next: str
    moved: bool
    subscriptions: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An event the emulator made, and what became of it."""

    id: str
    type: str
    at: str
    deliveries: str


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as we have it."""

    id: str
    type: str
    at: str
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class Chaos:
    """How badly the emulator delivers."""

    duplicate: int
    shuffle: bool
    delay_seconds: float
    drop: float
    paused: bool


def clocks() -> list[Clock]:
    """Return the newest customers with their time.

    Raises:
        AppError: If there is no emulator here.
    """
    return [
        Clock(
            one["id"],
            one["email"] or "",
            _time(one["now"]),
            _time(one["next"]) if one["next"] else "nothing",
            bool(one["clock"]),
            ", ".join(f"{s['price'] or s['id']} {s['status']}" for s in one["subscriptions"]),
        )
        for one in _ask("GET", "customers")
    ]


def sent(limit: int = 40) -> list[Sent]:
    """Return the newest events with their deliveries."""
    return [
        Sent(
            one["id"],
            one["type"],
            _time(one["created"]),
            ", ".join(_delivery(row) for row in one["deliveries"]) or "nobody listens",
        )
        for one in _ask("GET", "events", limit=limit)
    ]


def taken(session: Session) -> list[Taken]:
    """Return the newest events that arrived here."""
    return [
        Taken(
            event.id,
            event.type,
            f"{event.received_at:%d %b %H:%M:%S}",
            _state(event.handled_at is not None, event.attempts),
            event.error,
        )
        for event in webhooks.recent(session)
    ]


def chaos() -> Chaos:
    """Return how badly the emulator delivers."""
    found = _ask("GET", "settings")
    return Chaos(**{name: found[name] for name in Chaos.__slots__})


def advance(session: Session, customer_id: str, step: str) -> None:
    """Let time pass for one customer, and look at what became of them.

    Raises:
        NotFound: If there is no such step or customer.
    """
    if step not in STEPS:
        raise NotFound("There is no such step.")
    _ask("POST", "advance", customer=customer_id, **STEPS[step])
    user_id = customers.owner(session, customer_id)
    if user_id:
        sync.sync_customer(session, user_id)


def change(name: str, value: float | bool) -> None:
    """Change how the emulator delivers.

    Raises:
        NotFound: If there is no such setting.
    """
    if name not in Chaos.__slots__:
        raise NotFound("There is no such setting.")
    _ask("POST", "settings", **{name: value})


def dun_as_we_advise() -> None:
    """Let subscriptions whose last attempt failed stay, unpaid, as the runbook has it at Stripe."""
    _ask("POST", "settings", after_retries="unpaid")


def send_again(event_id: str) -> None:
    """Let the emulator deliver an event once more."""
    _ask("POST", "replay", event=event_id)


def retry() -> None:
    """Let everything that was not delivered be tried now."""
    _ask("POST", "retry")


def _ask(method: str, name: str, **given: Any) -> Any:
    if not settings().stripe_emulated:
        raise NotFound("There is nothing at this address.")
    body = {"params": given} if method == "GET" else {"json": given}
    headers = {"Authorization": f"Bearer {stripe_client.keys().api_key}"}
    try:
        answer = httpx.request(
            method,
            f"{stripe_client.emulator_url()}/dev/{name}",
            headers=headers,
            timeout=PATIENCE,
            **body,  # type: ignore[arg-type]  # one of two
        )
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("The emulator does not answer.") from error
    if answer.is_error:
        raise Conflict(str(found.get("error", {}).get("message", "The emulator refused.")))
    return found["data"]


def _delivery(row: dict[str, Any]) -> str:
    return f"{row['status']} {row['response'] or ''}".strip()


def _state(handled: bool, attempts: int) -> str:
    if handled:
        return "done"
    return "given up" if attempts >= len(webhooks.PAUSES) else "waiting"


def _time(stamp: int) -> str:
    return f"{dt.datetime.fromtimestamp(stamp, dt.UTC):%d %b %Y %H:%M}"
