"""Builders of products, prices and the legacy plans of subscription items."""

from typing import Any

from stripe_emulator.objects import Object, new_id, nulls


def new_product(moment: int, identifier: str | None, name: str) -> Object:
    """Return a product."""
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


def new_price(moment: int, product_id: str, currency: str, amount: int, recurring: Any) -> Object:
    """Return a price of `amount` cents, one-time or recurring."""
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
        "recurring": new_recurring(recurring) if recurring else None,
        "tax_behavior": "unspecified",
        "type": "recurring" if recurring else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **nulls("custom_unit_amount lookup_key nickname tiers_mode transform_quantity"),
    }


def new_recurring(recurring: Object) -> Object:
    """Return the `recurring` object of a price."""
    return {
        "interval": recurring["interval"],
        "interval_count": recurring.get("interval_count", 1),
        "meter": None,
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring.get("usage_type", "licensed"),
    }


def legacy_plan(price: Object) -> Object:
    """Return the legacy plan object of a recurring price."""
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": price["recurring"]["interval"],
        "interval_count": price["recurring"]["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "nickname": price["nickname"],
        "product": price["product"],
        "trial_period_days": price["recurring"]["trial_period_days"],
        "usage_type": price["recurring"]["usage_type"],
        **nulls("meter tiers_mode transform_usage"),
    }
