"""Products, prices and the plans that subscription items still carry."""

from typing import Any

from stripe_emulator.objects import Object, new_id, nulls


def product(moment: int, identifier: str | None, name: str) -> Object:
    """Return a service."""
    return {
        "id": identifier or new_id("prod", 14),
        "object": "product",
        "active": True,
        "created": moment,
        "default_price": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "type": "service",
        "updated": moment,
        **nulls("description package_dimensions shippable statement_descriptor tax_code"),
        **nulls("tax_details unit_label url"),
    }


def price(moment: int, product_id: str, currency: str, amount: int, recurring: Any) -> Object:
    """Return a price of so many cents, once or per interval."""
    return {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": moment,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": product_id,
        "recurring": repetition(recurring) if recurring else None,
        "tax_behavior": "unspecified",
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **nulls("custom_unit_amount lookup_key nickname tiers_mode transform_quantity"),
    }


def repetition(recurring: Object) -> Object:
    """Return how often a price is charged."""
    return {
        "interval": recurring["interval"],
        "interval_count": recurring.get("interval_count", 1),
        "meter": None,
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring.get("usage_type", "licensed"),
    }


def plan(of: Object) -> Object:
    """Return the plan that stands for a recurring price."""
    return {
        "id": of["id"],
        "object": "plan",
        "active": of["active"],
        "amount": of["unit_amount"],
        "amount_decimal": of["unit_amount_decimal"],
        "billing_scheme": of["billing_scheme"],
        "created": of["created"],
        "currency": of["currency"],
        "interval": of["recurring"]["interval"],
        "interval_count": of["recurring"]["interval_count"],
        "livemode": False,
        "metadata": of["metadata"],
        "nickname": of["nickname"],
        "product": of["product"],
        "trial_period_days": of["recurring"]["trial_period_days"],
        "usage_type": of["recurring"]["usage_type"],
        **nulls("meter tiers_mode transform_usage"),
    }
