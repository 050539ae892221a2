"""Reading Stripe's objects: plain dicts in, values of our rows out; nothing asked or kept."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sp404_app.services.billing.stripe_client import Plain

ENDED = frozenset({"canceled", "incomplete_expired"})


def moment(stamp: object) -> dt.datetime | None:
    """Return a time from Stripe's seconds."""
    return dt.datetime.fromtimestamp(stamp, dt.UTC) if isinstance(stamp, int) else None


def subscription(raw: Plain) -> dict[str, Any]:
    """Return what a subscription says about itself; which plan its price is, others know."""
    item = raw["items"]["data"][0]
    period_end = moment(item["current_period_end"])
    return {
        "stripe_id": raw["id"],
        "item_id": item["id"],
        "status": raw["status"],
        "pause_reason": _pause_reason(raw),
        "price_id": item["price"]["id"],
        "amount": item["price"]["unit_amount"] or 0,
        "currency": item["price"]["currency"],
        "period_start": moment(item["current_period_start"]),
        "period_end": period_end,
        "trial_end": moment(raw.get("trial_end")),
        "cancel_at": moment(raw.get("cancel_at"))
        or (period_end if raw.get("cancel_at_period_end") else None),
        "canceled_at": moment(raw.get("canceled_at")),
        "ended_at": moment(raw.get("ended_at")),
        "schedule_id": ident(raw.get("schedule")),
        "unpaid_change": bool(raw.get("pending_update")),
        "raw": raw,
    }


def price_of(raw: Plain) -> Plain:
    """Return the price of a subscription's item."""
    return raw["items"]["data"][0]["price"]


def coming_price(schedule: Plain, current: str, at: dt.datetime) -> tuple[Any, dt.datetime] | None:
    """Return the price a schedule changes to next, and when."""
    for phase in schedule.get("phases") or []:
        start = moment(phase["start_date"])
        price = phase["items"][0]["price"]
        if start and start > at and ident(price) != current:
            return price, start
    return None


def invoice(raw: Plain) -> dict[str, Any]:
    """Return what an invoice says about itself."""
    lines = (raw.get("lines") or {}).get("data") or []
    transitions = raw.get("status_transitions") or {}
    return {
        "stripe_id": raw["id"],
        "subscription_id": subscription_of(raw),
        "number": raw.get("number") or "",
        "status": raw["status"] or "draft",
        "reason": raw.get("billing_reason") or "",
        "currency": raw["currency"],
        "total": raw["total"],
        "amount_due": raw["amount_due"],
        "amount_paid": raw["amount_paid"],
        "attempts": raw["attempt_count"],
        "next_attempt_at": moment(raw.get("next_payment_attempt")),
        "description": (lines[-1].get("description") or "")[:300] if lines else "",
        "created": moment(raw["created"]),
        "paid_at": moment(transitions.get("paid_at")),
    }


def subscription_of(raw: Plain) -> str:
    """Return the id of the subscription an invoice is for."""
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    return ident(details.get("subscription"))


def dunning(status: str, invoices: Iterable[dict[str, Any]]) -> tuple[int, dt.datetime | None]:
    """Return how often Stripe tried to charge what is open, and when it tries again."""
    open_ones = [row for row in invoices if row["status"] == "open" and row["attempts"]]
    if status not in {"past_due", "unpaid"} or not open_ones:
        return 0, None
    worst = max(open_ones, key=lambda row: (row["attempts"], row["created"]))
    return worst["attempts"], worst["next_attempt_at"]


def card(methods: Sequence[Any]) -> str:
    """Return the first card in words: "Visa •••• 4242, expires 12/2030"."""
    for method in methods:
        if isinstance(method, dict) and method.get("card"):
            found = method["card"]
            brand = str(found["brand"]).replace("_", " ").title()
            ends = f"{found['exp_month']:02d}/{found['exp_year']}"
            return f"{brand} •••• {found['last4']}, expires {ends}"
    return ""


def fingerprints(methods: Sequence[Any]) -> list[str]:
    """Return what tells one card from another."""
    found = [m["card"].get("fingerprint") for m in methods if isinstance(m, dict) and m.get("card")]
    return list(dict.fromkeys(filter(None, found)))


def ident(value: Any) -> str:
    """Return the id of something that may be expanded, an id, or nothing."""
    return (value["id"] if isinstance(value, dict) else value) or ""


def _pause_reason(raw: Plain) -> str:
    paused = ((raw.get("status_details") or {}).get("paused") or {}) if raw else {}
    return (paused.get("subscription") or {}).get("type", "")
