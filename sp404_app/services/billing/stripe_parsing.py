"""Convert Stripe objects (plain dicts) into column values of our tables. Pure functions."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from sp404_app.services.billing.stripe_client import StripeDict
from sp404_app.services.plans import Interval

ENDED_STATUSES = frozenset({"canceled", "incomplete_expired"})


def parse_timestamp(stamp: object) -> dt.datetime | None:
    """Return a UTC time from Unix seconds, or None."""
    return dt.datetime.fromtimestamp(stamp, dt.UTC) if isinstance(stamp, int) else None


def parse_subscription(raw: StripeDict) -> dict[str, Any]:
    """Return a subscription's column values, without the plan, which depends on its price."""
    item = raw["items"]["data"][0]
    period_end = parse_timestamp(item["current_period_end"])
    return {
        "stripe_id": raw["id"],
        "item_id": item["id"],
        "status": raw["status"],
        "pause_reason": _pause_reason(raw),
        "price_id": item["price"]["id"],
        "amount": item["price"]["unit_amount"] or 0,
        "interval": price_interval(item["price"]),
        "currency": item["price"]["currency"],
        "period_start": parse_timestamp(item["current_period_start"]),
        "period_end": period_end,
        "trial_end": parse_timestamp(raw.get("trial_end")),
        "cancel_at": parse_timestamp(raw.get("cancel_at"))
        or (period_end if raw.get("cancel_at_period_end") else None),
        "canceled_at": parse_timestamp(raw.get("canceled_at")),
        "ended_at": parse_timestamp(raw.get("ended_at")),
        "schedule_id": object_id(raw.get("schedule")),
        "unpaid_change": bool(raw.get("pending_update")),
        "raw": raw,
    }


def item_price(raw: StripeDict) -> StripeDict:
    """Return the price of a subscription's only item."""
    return raw["items"]["data"][0]["price"]


def price_interval(price: StripeDict) -> Interval:
    """Return how often a price is paid; any interval but a year counts as a month."""
    found = (price.get("recurring") or {}).get("interval")
    return Interval.YEAR if found == Interval.YEAR else Interval.MONTH


def yearly_amount(price: StripeDict) -> int:
    """Return what a price costs in twelve months, in the smallest currency unit."""
    return (price["unit_amount"] or 0) * (1 if price_interval(price) is Interval.YEAR else 12)


def next_scheduled_price(
    schedule: StripeDict, current: str, at: dt.datetime
) -> tuple[Any, dt.datetime] | None:
    """Return the next price of a subscription schedule and when it starts, or None."""
    for phase in schedule.get("phases") or []:
        start = parse_timestamp(phase["start_date"])
        price = phase["items"][0]["price"]
        if start and start > at and object_id(price) != current:
            return price, start
    return None


def parse_invoice(raw: StripeDict) -> dict[str, Any]:
    """Return an invoice's column values."""
    lines = (raw.get("lines") or {}).get("data") or []
    transitions = raw.get("status_transitions") or {}
    return {
        "stripe_id": raw["id"],
        "subscription_id": invoice_subscription_id(raw),
        "number": raw.get("number") or "",
        "status": raw["status"] or "draft",
        "reason": raw.get("billing_reason") or "",
        "currency": raw["currency"],
        "total": raw["total"],
        "amount_due": raw["amount_due"],
        "amount_paid": raw["amount_paid"],
        "attempts": raw["attempt_count"],
        "next_attempt_at": parse_timestamp(raw.get("next_payment_attempt")),
        "description": (lines[-1].get("description") or "")[:300] if lines else "",
        "created": parse_timestamp(raw["created"]),
        "paid_at": parse_timestamp(transitions.get("paid_at")),
    }


def invoice_subscription_id(raw: StripeDict) -> str:
    """Return the id of the subscription that an invoice is for, or ""."""
    details = (raw.get("parent") or {}).get("subscription_details") or {}
    return object_id(details.get("subscription"))


def dunning_state(
    status: str, invoices: Iterable[dict[str, Any]]
) -> tuple[int, dt.datetime | None]:
    """Return the attempts on the open invoice with the most, and when Stripe retries it."""
    open_invoices = [row for row in invoices if row["status"] == "open" and row["attempts"]]
    if status not in {"past_due", "unpaid"} or not open_invoices:
        return 0, None
    worst = max(open_invoices, key=lambda row: (row["attempts"], row["created"]))
    return worst["attempts"], worst["next_attempt_at"]


def describe_card(payment_methods: Sequence[Any]) -> str:
    """Describe the first card: "Visa •••• 4242, expires 12/2030"; "" if there is none."""
    for method in payment_methods:
        if isinstance(method, dict) and method.get("card"):
            found = method["card"]
            brand = str(found["brand"]).replace("_", " ").title()
            ends = f"{found['exp_month']:02d}/{found['exp_year']}"
            return f"{brand} •••• {found['last4']}, expires {ends}"
    return ""


def card_fingerprints(payment_methods: Sequence[Any]) -> list[str]:
    """Return the distinct card fingerprints, which are equal for the same card number."""
    found = [
        m["card"].get("fingerprint")
        for m in payment_methods
        if isinstance(m, dict) and m.get("card")
    ]
    return list(dict.fromkeys(filter(None, found)))


def object_id(value: Any) -> str:
    """Return the id of a reference that may be an expanded object, an id or None; "" for None."""
    return (value["id"] if isinstance(value, dict) else value) or ""


def _pause_reason(raw: StripeDict) -> str:
    paused = ((raw.get("status_details") or {}).get("paused") or {}) if raw else {}
    return (paused.get("subscription") or {}).get("type", "")
