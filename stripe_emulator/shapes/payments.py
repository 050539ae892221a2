"""Builders of payment methods, payment and setup intents, charges and invoice payments."""

from stripe_emulator.cards import CardDetails
from stripe_emulator.objects import Object, new_id, nulls, random_token

ADDRESS_FIELDS = "city country line1 line2 postal_code state"


def billing_details(email: str | None, name: str | None) -> Object:
    """Return the `billing_details` object."""
    return {"address": nulls(ADDRESS_FIELDS), "email": email, "name": name, **nulls("phone tax_id")}


def new_payment_method(
    moment: int, card: CardDetails, email: str | None, name: str | None
) -> Object:
    """Return a card without a customer."""
    brand = card.test_card.brand
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(email, name),
        "card": {
            "brand": brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "US",
            "display_brand": brand,
            "exp_month": card.expiry_month,
            "exp_year": card.expiry_year,
            "fingerprint": card.fingerprint(),
            "funding": "credit",
            "generated_from": None,
            "last4": card.number[-4:],
            "networks": {"available": [brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": moment,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_behaviour": card.number,
        "_authenticated": False,
    }


def new_payment_intent(moment: int, amount: int, currency: str) -> Object:
    """Return a payment intent."""
    identifier = new_id("pi")
    return {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{random_token(24)}",
        "confirmation_method": "automatic",
        "created": moment,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_types": ["card"],
        "setup_future_usage": "off_session",
        "status": "requires_payment_method",
        **nulls("allowed_payment_method_types application application_fee_amount"),
        **nulls("automatic_payment_methods canceled_at cancellation_reason customer"),
        **nulls("customer_account description excluded_payment_method_types"),
        **nulls("last_payment_error latest_charge managed_payments next_action on_behalf_of"),
        **nulls("payment_method payment_method_configuration_details payment_method_options"),
        **nulls("payment_record processing receipt_email review shipping source"),
        **nulls("statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
    }


def new_setup_intent(moment: int, customer: str | None, method: str) -> Object:
    """Return a setup intent."""
    identifier = new_id("seti")
    return {
        "id": identifier,
        "object": "setup_intent",
        "client_secret": f"{identifier}_secret_{random_token(24)}",
        "created": moment,
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "payment_method": method,
        "payment_method_types": ["card"],
        "status": "requires_confirmation",
        "usage": "off_session",
        **nulls("allowed_payment_method_types application automatic_payment_methods"),
        **nulls("cancellation_reason customer_account description"),
        **nulls("excluded_payment_method_types flow_directions last_setup_error latest_attempt"),
        **nulls("managed_payments mandate next_action on_behalf_of payment_method_options"),
        **nulls("payment_method_configuration_details single_use_mandate"),
    }


def new_charge(moment: int, intent: Object, method: Object) -> Object:
    """Return a successful charge."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "captured": True,
        "created": moment,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": {},
        "outcome": charge_outcome("approved_by_network", "authorized", "Payment complete."),
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": charge_card_details(method, intent["amount"]),
        "refunded": False,
        "status": "succeeded",
        **nulls("application application_fee application_fee_amount balance_transaction"),
        **nulls("calculated_statement_descriptor failure_balance_transaction failure_code"),
        **nulls("failure_message on_behalf_of radar_options receipt_email receipt_number"),
        **nulls("receipt_url review shipping source source_transfer statement_descriptor"),
        **nulls("statement_descriptor_suffix transfer_data transfer_group"),
    }


def charge_outcome(network: str, kind: str, message: str, reason: str | None = None) -> Object:
    """Return the `outcome` object of a charge."""
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network,
        "reason": reason,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": message,
        "type": kind,
    }


def charge_card_details(method: Object, amount: int) -> Object:
    """Return the `payment_method_details` object of a charge."""
    card = method["card"]
    same = "brand checks country exp_month exp_year fingerprint funding last4"
    return {
        "card": {
            **{key: card[key] for key in same.split()},
            "amount_authorized": amount,
            "network": card["brand"],
            **nulls("authorization_code installments mandate three_d_secure wallet"),
        },
        "type": "card",
    }


def new_invoice_payment(moment: int, invoice: Object, intent: str) -> Object:
    """Return the link between an invoice and its payment intent."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["amount_due"],
        "created": moment,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"type": "payment_intent", "payment_intent": intent},
        "status": "open",
        "status_transitions": nulls("canceled_at paid_at"),
    }
