"""Builders of customers, their tax ids, and test clocks."""

from stripe_emulator.objects import Object, new_id, nulls, random_token

TEST_CLOCK_LIFETIME_S = 30 * 24 * 3600


def new_customer(moment: int, clock: str | None) -> Object:
    """Return a customer without details."""
    return {
        "id": new_id("cus", 14),
        "object": "customer",
        **nulls("address currency default_source description discount email name phone shipping"),
        "balance": 0,
        "created": moment,
        "delinquent": False,
        "invoice_prefix": random_token(8).upper(),
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        "test_clock": clock,
    }


def new_tax_id(moment: int, customer_id: str, country: str, status: str) -> Object:
    """Return a tax id without type and value; `status` is that of its verification."""
    return {
        "id": new_id("txi"),
        "object": "tax_id",
        "country": country,
        "created": moment,
        "customer": customer_id,
        "customer_account": None,
        "livemode": False,
        "owner": {
            **nulls("account application customer_account"),
            "customer": customer_id,
            "type": "customer",
        },
        "type": "",
        "value": "",
        "verification": {"status": status, **nulls("verified_address verified_name")},
    }


def new_test_clock(moment: int, frozen: int, name: str | None) -> Object:
    """Return a test clock."""
    return {
        "id": new_id("clock"),
        "object": "test_helpers.test_clock",
        "created": moment,
        "deletes_after": moment + TEST_CLOCK_LIFETIME_S,
        "frozen_time": frozen,
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
    }
