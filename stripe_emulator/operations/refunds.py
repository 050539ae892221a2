"""Refunds and disputes (docs.stripe.com/api/refunds, …/disputes)."""

import stripe.params as p

from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.shapes import refunds
from stripe_emulator.transaction import Ledger, snapshot

PATH = "/v1/refunds"
DISPUTES = "/v1/disputes"


def create(ledger: Ledger, call: Call) -> Object:
    """Give back all that is left of a charge, or a part of it; its invoice stays paid."""
    charge = charged(ledger, call.params)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        text = f"Charge {charge['id']} has already been refunded."
        raise Problem(400, text, code="charge_already_refunded")
    if charge["disputed"]:
        text = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise Problem(400, text, code="charge_disputed")
    amount = call.params.get("amount", left)
    if amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        text = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(text, "amount")
    moment = ledger.now(charge["customer"])
    made = refunds.refund(moment, charge, amount, call.params.get("reason"))
    made["metadata"] = call.params.get("metadata") or {}
    ledger.save(made, parent=charge["id"])
    before = snapshot(charge)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    ledger.emit("refund.created", made)
    ledger.keep("charge.refunded", charge, before)
    return made


def charged(ledger: Ledger, params: Object) -> Object:
    """Return the charge that is to be refunded."""
    identifier, intent = params.get("charge"), params.get("payment_intent")
    if bool(identifier) == bool(intent):
        text = "One of the following params should be provided for this request: payment_intent or"
        raise invalid(f"{text} charge.", "payment_intent", "parameter_missing")
    if intent:
        found = ledger.get("payment_intent", intent, "payment_intent")
        identifier = found["latest_charge"]
    charge = ledger.get("charge", identifier or "", "charge")
    if not charge["paid"]:
        raise invalid(f"Charge {charge['id']} was not paid and cannot be refunded.", "charge")
    return charge


def find(ledger: Ledger, call: Call) -> Object:
    """List refunds."""
    found = ledger.find("refund", parent=call.params.get("charge"))
    return page(matching(found, call, "payment_intent"), call, PATH)


def find_disputes(ledger: Ledger, call: Call) -> Object:
    """List disputes."""
    found = ledger.find("dispute", parent=call.params.get("charge"))
    return page(matching(found, call, "payment_intent"), call, DISPUTES)


OPERATIONS = (
    Operation(
        "POST",
        PATH,
        p.RefundCreateParams,
        create,
        "amount charge metadata payment_intent reason",
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.RefundRetrieveParams,
        lambda ledger, call: ledger.get("refund", call.id),
    ),
    Operation("GET", PATH, p.RefundListParams, find, f"{PAGING} charge created payment_intent"),
    Operation(
        "GET",
        f"{DISPUTES}/{{id}}",
        p.DisputeRetrieveParams,
        lambda ledger, call: ledger.get("dispute", call.id),
    ),
    Operation(
        "GET",
        DISPUTES,
        p.DisputeListParams,
        find_disputes,
        f"{PAGING} charge created payment_intent",
    ),
)
