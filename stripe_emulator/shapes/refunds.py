"""Builders of refunds and disputes."""

from stripe_emulator.objects import Object, new_id, nulls
from stripe_emulator.periods import DAY_S

EVIDENCE_DEADLINE_S = 9 * DAY_S
EVIDENCE_FIELDS = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure"
    " cancellation_rebuttal customer_communication customer_email_address customer_name"
    " customer_purchase_ip customer_signature duplicate_charge_documentation"
    " duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy"
    " refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation"
    " shipping_tracking_number uncategorized_file uncategorized_text"
)


def new_refund(moment: int, charge: Object, amount: int, reason: str | None) -> Object:
    """Return a successful refund."""
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number"}
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "charge": charge["id"],
        "created": moment,
        "currency": charge["currency"],
        "destination_details": {"card": card | {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "succeeded",
        **nulls("balance_transaction receipt_number source_transfer_reversal transfer_reversal"),
    }


def new_dispute(moment: int, charge: Object, reason: str) -> Object:
    """Return a dispute that needs a response."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": moment,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": nulls(EVIDENCE_FIELDS) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": moment + EVIDENCE_DEADLINE_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "needs_response",
    }
