"""Builders of subscription schedules and their phases."""

from typing import Any

from stripe_emulator.objects import Object, new_id, nulls
from stripe_emulator.shapes.subscription import FLEXIBLE, NO_TAX


def new_schedule(moment: int, subscription: Object) -> Object:
    """Return a schedule without phases."""
    return {
        "id": new_id("sub_sched"),
        "object": "subscription_schedule",
        "application": None,
        "billing_mode": {**FLEXIBLE, "updated_at": None},
        "created": moment,
        "current_phase": None,
        "customer": subscription["customer"],
        "default_settings": {
            "automatic_tax": dict(NO_TAX),
            "billing_cycle_anchor": "automatic",
            "collection_method": "charge_automatically",
            "default_payment_method": None,
            "invoice_settings": {
                **nulls("account_tax_ids custom_fields days_until_due description footer"),
                "issuer": {"type": "self"},
            },
            **nulls("application_fee_percent billing_thresholds description on_behalf_of"),
            "transfer_data": None,
        },
        "end_behavior": "release",
        "livemode": False,
        "metadata": {},
        "pause_schedules": [],
        "phases": [],
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": subscription["test_clock"],
        **nulls("canceled_at completed_at customer_account released_at released_subscription"),
    }


def new_phase(items: list[Object], currency: str, start: int, end: int, **given: Any) -> Object:
    """Return a phase from `start` to `end` (Unix times)."""
    return {
        "add_invoice_items": [],
        "currency": currency,
        "default_tax_rates": [],
        "discounts": [],
        "end_date": end,
        "items": items,
        "metadata": {},
        "proration_behavior": "create_prorations",
        "start_date": start,
        **nulls("application_fee_percent automatic_tax billing_cycle_anchor billing_thresholds"),
        **nulls("collection_method default_payment_method description invoice_settings"),
        **nulls("on_behalf_of transfer_data trial_end"),
        **given,
    }


def new_phase_item(price: str, quantity: int) -> Object:
    """Return an item of a phase."""
    return {
        "billing_thresholds": None,
        "discounts": [],
        "metadata": {},
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    }
