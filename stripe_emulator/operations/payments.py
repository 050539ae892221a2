"""Payment intents, setup intents and charges, to look at (docs.stripe.com/api/charges)."""

import stripe.params as p

from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.transaction import Ledger


def find_charges(ledger: Ledger, call: Call) -> Object:
    """List charges."""
    found = ledger.find("charge", customer=call.params.get("customer"))
    return page(matching(found, call, "payment_intent"), call, "/v1/charges")


def find_intents(ledger: Ledger, call: Call) -> Object:
    """List payment intents."""
    found = ledger.find("payment_intent", customer=call.params.get("customer"))
    return page(matching(found, call), call, "/v1/payment_intents")


def viewer(kind: str, path: str, params: type) -> Operation:
    """Return the operation that shows one object."""
    return Operation("GET", path, params, lambda ledger, call: ledger.get(kind, call.id))


OPERATIONS = (
    viewer("payment_intent", "/v1/payment_intents/{id}", p.PaymentIntentRetrieveParams),
    viewer("setup_intent", "/v1/setup_intents/{id}", p.SetupIntentRetrieveParams),
    viewer("charge", "/v1/charges/{id}", p.ChargeRetrieveParams),
    Operation(
        "GET",
        "/v1/charges",
        p.ChargeListParams,
        find_charges,
        f"{PAGING} created customer payment_intent",
    ),
    Operation(
        "GET",
        "/v1/payment_intents",
        p.PaymentIntentListParams,
        find_intents,
        f"{PAGING} created customer",
    ),
)
