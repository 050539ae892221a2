"""Builders of subscriptions and their items."""

from stripe_emulator.objects import Object, list_object, new_id, nulls
from stripe_emulator.shapes import catalogue

NO_TAX = {"disabled_reason": None, "enabled": False, "liability": None}
FLEXIBLE = {
    "flexible": {"proration_discounts": "included"},
    "type": "flexible",
}


def new_subscription_item(moment: int, subscription: str, price: Object, quantity: int) -> Object:
    """Return an item whose period is still empty."""
    return {
        "id": new_id("si", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": moment,
        "current_period_end": moment,
        "current_period_start": moment,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "plan": catalogue.legacy_plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def new_subscription(moment: int, customer: Object, currency: str) -> Object:
    """Return a subscription without items."""
    identifier = new_id("sub")
    return {
        "id": identifier,
        "object": "subscription",
        "automatic_tax": dict(NO_TAX),
        "billing_cycle_anchor": moment,
        "billing_mode": {**FLEXIBLE, "updated_at": None},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": nulls("comment feedback feedback_option reason"),
        "collection_method": "charge_automatically",
        "created": moment,
        "currency": currency,
        "customer": customer["id"],
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            **nulls("custom_fields description footer"),
            "issuer": {"type": "self"},
        },
        "items": list_object([], f"/v1/subscription_items?subscription={identifier}"),
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": moment,
        "status": "active",
        "test_clock": customer["test_clock"],
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": None,
                "missing_payment_method": "create_invoice",
            }
        },
        **nulls("application application_fee_percent billing_cycle_anchor_config"),
        **nulls("billing_thresholds cancel_at canceled_at customer_account days_until_due"),
        **nulls("default_payment_method default_source description ended_at latest_invoice"),
        **nulls("managed_payments next_pending_invoice_item_invoice on_behalf_of"),
        **nulls("pause_collection pending_invoice_item_interval pending_setup_intent"),
        **nulls("pending_update schedule transfer_data trial_end trial_start"),
    }
