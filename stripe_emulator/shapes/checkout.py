"""Builders of Checkout Sessions and their line items."""

from stripe_emulator.objects import Object, new_id, nulls, random_token

SESSION_LIFETIME_S = 24 * 3600


def new_checkout_session(moment: int, mode: str) -> Object:
    """Return an open session without line items."""
    identifier = "cs_test_" + random_token(58)
    return {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, **nulls("liability provider status")},
        "created": moment,
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "discounts": [],
        "expires_at": moment + SESSION_LIFETIME_S,
        "livemode": False,
        "metadata": {},
        "mode": mode,
        "payment_method_collection": "always",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "no_payment_required" if mode == "setup" else "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        **nulls("after_expiration allow_promotion_codes allowed_payment_method_types"),
        **nulls("amount_subtotal amount_total billing_address_collection cancel_url"),
        **nulls("client_reference_id client_secret collected_information consent"),
        **nulls("consent_collection currency currency_conversion customer customer_account"),
        **nulls("customer_creation customer_details customer_email integration_identifier"),
        **nulls("invoice invoice_creation locale managed_payments origin_context"),
        **nulls("payment_intent payment_link payment_method_configuration_details permissions"),
        **nulls("recovered_from saved_payment_method_options setup_intent"),
        **nulls("shipping_address_collection shipping_cost submit_type subscription success_url"),
        **nulls("url wallet_options"),
    }


def session_line_item(price: Object, description: str, quantity: int, trial: bool) -> Object:
    """Return a line item; during a trial nothing is due today."""
    amount = 0 if trial else price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": description,
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def customer_details(email: str | None, name: str | None) -> Object:
    """Return the `customer_details` object."""
    return {
        "address": nulls("city country line1 line2 postal_code state"),
        **nulls("business_name individual_name phone"),
        "email": email,
        "name": name,
        "tax_exempt": "none",
        "tax_ids": [],
    }
