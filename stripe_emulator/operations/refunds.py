"""Refunds and disputes (docs.stripe.com/api/refunds, …/disputes)."""

import stripe.params as p

from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.shapes import refunds
from stripe_emulator.transaction import Transaction, snapshot

PATH = "/v1/refunds"
DISPUTES = "/v1/disputes"


def create_refund(tx: Transaction, call: Call) -> Object:
    """Refund the rest of a charge, or part of it; its invoice stays paid."""
    charge = charge_to_refund(tx, call.params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        text = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, text, code="charge_already_refunded")
    if charge["disputed"]:
        text = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise ApiError(400, text, code="charge_disputed")
    amount = call.params.get("amount", left)
    if amount < 1:
        raise invalid_request("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid_request(text, "amount")
    moment = tx.now(charge["customer"])
    made = refunds.new_refund(moment, charge, amount, call.params.get("reason"))
    made["metadata"] = call.params.get("metadata") or {}
    tx.save(made, parent=charge["id"])
    before = snapshot(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    tx.emit("refund.created", made)
    tx.save_changes("charge.refunded", charge, before)
    return made


def charge_to_refund(tx: Transaction, params: Object) -> Object:
    """Return the charge that the request refunds."""
    identifier, intent = params.get("charge"), params.get("payment_intent")
    if bool(identifier) == bool(intent):
        text = "One of the following params should be provided for this request: payment_intent or"
        raise invalid_request(f"{text} charge.", "payment_intent", "parameter_missing")
    if intent:
        found = tx.get("payment_intent", intent, "payment_intent")
        identifier = found["latest_charge"]
    charge = tx.get("charge", identifier or "", "charge")
    if not charge["paid"]:
        raise invalid_request(
            f"Charge {charge['id']} was not paid and cannot be refunded.", "charge"
        )
    return charge


def list_refunds(tx: Transaction, call: Call) -> Object:
    """List refunds."""
    found = tx.find_all("refund", parent=call.params.get("charge"))
    return paginate(filter_by_params(found, call, "payment_intent"), call, PATH)


def list_disputes(tx: Transaction, call: Call) -> Object:
    """List disputes."""
    found = tx.find_all("dispute", parent=call.params.get("charge"))
    return paginate(filter_by_params(found, call, "payment_intent"), call, DISPUTES)


OPERATIONS = (
    Operation(
        "POST",
        PATH,
        p.RefundCreateParams,
        create_refund,
        "amount charge metadata payment_intent reason",
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.RefundRetrieveParams,
        lambda tx, call: tx.get("refund", call.id),
    ),
    Operation(
        "GET", PATH, p.RefundListParams, list_refunds, f"{PAGING} charge created payment_intent"
    ),
    Operation(
        "GET",
        f"{DISPUTES}/{{id}}",
        p.DisputeRetrieveParams,
        lambda tx, call: tx.get("dispute", call.id),
    ),
    Operation(
        "GET",
        DISPUTES,
        p.DisputeListParams,
        list_disputes,
        f"{PAGING} charge created payment_intent",
    ),
)
