"""Retrieve payment intents, setup intents and charges (docs.stripe.com/api/charges)."""

import stripe.params as p

from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.transaction import Transaction


def list_charges(tx: Transaction, call: Call) -> Object:
    """List charges."""
    found = tx.find_all("charge", customer=call.params.get("customer"))
    return paginate(filter_by_params(found, call, "payment_intent"), call, "/v1/charges")


def list_payment_intents(tx: Transaction, call: Call) -> Object:
    """List payment intents."""
    found = tx.find_all("payment_intent", customer=call.params.get("customer"))
    return paginate(filter_by_params(found, call), call, "/v1/payment_intents")


def retrieve_operation(kind: str, path: str, params: type) -> Operation:
    """Return the operation that retrieves one object of a kind."""
    return Operation("GET", path, params, lambda tx, call: tx.get(kind, call.id))


OPERATIONS = (
    retrieve_operation("payment_intent", "/v1/payment_intents/{id}", p.PaymentIntentRetrieveParams),
    retrieve_operation("setup_intent", "/v1/setup_intents/{id}", p.SetupIntentRetrieveParams),
    retrieve_operation("charge", "/v1/charges/{id}", p.ChargeRetrieveParams),
    Operation(
        "GET",
        "/v1/charges",
        p.ChargeListParams,
        list_charges,
        f"{PAGING} created customer payment_intent",
    ),
    Operation(
        "GET",
        "/v1/payment_intents",
        p.PaymentIntentListParams,
        list_payment_intents,
        f"{PAGING} created customer",
    ),
)
