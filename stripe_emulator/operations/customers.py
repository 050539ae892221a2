"""Customers and their cards (docs.stripe.com/api/customers, …/payment_methods)."""

from typing import Any

import stripe.params as p

from stripe_emulator.engine import customers, payments
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, unset
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.shapes.payments import ADDRESS
from stripe_emulator.transaction import Ledger, snapshot

FIELDS = "address balance description email metadata name phone preferred_locales invoice_settings"


def merged(kept: Object, given: Any) -> Object:
    """Return metadata with the given keys set, and those given empty removed."""
    if given == "":
        return {}
    return {key: item for key, item in (kept | (given or {})).items() if item != ""}


def change(ledger: Ledger, customer: Object, params: Object) -> None:
    """Set the given fields."""
    for name in ("balance", "description", "email", "name", "phone", "preferred_locales"):
        if name in params:
            customer[name] = unset(params[name])
    if "address" in params:
        given = unset(params["address"])
        blank = dict.fromkeys(ADDRESS.split())
        customer["address"] = blank | given if given else None
    if "metadata" in params:
        customer["metadata"] = merged(customer["metadata"], params["metadata"])
    settings = params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        name = unset(settings["default_payment_method"])
        param = "invoice_settings[default_payment_method]"
        if name:
            name = payments.belongs(ledger, name, customer["id"], param)["id"]
        customer["invoice_settings"]["default_payment_method"] = name


def create(ledger: Ledger, call: Call) -> Object:
    """Keep a new customer."""
    clock, moment = call.params.get("test_clock"), ledger.now(None)
    if clock:
        found = ledger.get("test_helpers.test_clock", clock, "test_clock")
        moment = found["frozen_time"]
    fields = {name: call.params[name] for name in ("email", "name") if name in call.params}
    made = customers.add(ledger, moment, clock, fields)
    if method := call.params.get("payment_method"):
        found = payments.resolve(ledger, method, "payment_method")
        payments.attach(ledger, found, made["id"])
        settings = call.params.get("invoice_settings") or {}
        if settings.get("default_payment_method") == method:
            settings["default_payment_method"] = found["id"]
    change(ledger, made, call.params)
    return ledger.save(made)


def retrieve(ledger: Ledger, call: Call) -> Object:
    """Return a customer, or that it was deleted."""
    found = ledger.peek(call.id)
    if found and found["object"] == "customer" and found.get("deleted"):
        return {"id": found["id"], "object": "customer", "deleted": True}
    return ledger.get("customer", call.id)


def update(ledger: Ledger, call: Call) -> Object:
    """Change a customer."""
    customer = ledger.get("customer", call.id)
    before = snapshot(customer)
    change(ledger, customer, call.params)
    ledger.keep("customer.updated", customer, before)
    return customer


def find(ledger: Ledger, call: Call) -> Object:
    """List customers, those on test clocks too: a person may have moved their time by hand."""
    clock = call.params.get("test_clock")
    found = [
        one
        for one in matching(ledger.find("customer"), call, "email")
        if clock is None or one["test_clock"] == clock
    ]
    return page(found, call, "/v1/customers")


def delete(ledger: Ledger, call: Call) -> Object:
    """Delete a customer for good."""
    return customers.delete(ledger, ledger.get("customer", call.id))


def find_methods(ledger: Ledger, call: Call) -> Object:
    """List a customer's cards."""
    owner = call.ids[0] if call.ids else call.params.get("customer")
    if owner:
        ledger.get("customer", owner, "customer")
    found = matching(ledger.find("payment_method", customer=owner), call, "type")
    return page([one for one in found if one["customer"]], call, "/v1/payment_methods")


def retrieve_method(ledger: Ledger, call: Call) -> Object:
    """Return a card."""
    return ledger.get("payment_method", call.id)


def attach(ledger: Ledger, call: Call) -> Object:
    """Give a card, or a test card by name, to a customer."""
    owner = ledger.get("customer", call.params["customer"], "customer")
    method = payments.resolve(ledger, call.id, "payment_method")
    return payments.attach(ledger, method, owner["id"])


def detach(ledger: Ledger, call: Call) -> Object:
    """Take a card away from its customer."""
    method = ledger.get("payment_method", call.id)
    owner = method["customer"]
    if owner is None:
        raise invalid("The payment method you provided is not attached to a customer.")
    before, method["customer"] = snapshot(method), None
    ledger.save(method)
    forget(ledger, owner, method["id"])
    ledger.emit("payment_method.detached", method, {"customer": before["customer"]})
    return method


def forget(ledger: Ledger, owner: str, method: str) -> None:
    """Charge a detached card nowhere any more."""
    customer = ledger.get("customer", owner)
    before = snapshot(customer)
    if customer["invoice_settings"]["default_payment_method"] == method:
        customer["invoice_settings"]["default_payment_method"] = None
        ledger.keep("customer.updated", customer, before)
    for subscription in ledger.find("subscription", customer=owner):
        if subscription["default_payment_method"] == method:
            before = snapshot(subscription)
            subscription["default_payment_method"] = None
            ledger.keep("customer.subscription.updated", subscription, before)


METHODS = "/v1/payment_methods"
OPERATIONS = (
    Operation(
        "POST",
        "/v1/customers",
        p.CustomerCreateParams,
        create,
        f"{FIELDS} payment_method test_clock",
    ),
    Operation("GET", "/v1/customers/{id}", p.CustomerRetrieveParams, retrieve),
    Operation("POST", "/v1/customers/{id}", p.CustomerUpdateParams, update, FIELDS),
    Operation("DELETE", "/v1/customers/{id}", p.CustomerDeleteParams, delete),
    Operation(
        "GET",
        "/v1/customers",
        p.CustomerListParams,
        find,
        f"{PAGING} email created test_clock",
    ),
    Operation(
        "GET",
        "/v1/customers/{id}/payment_methods",
        p.CustomerPaymentMethodListParams,
        find_methods,
        f"{PAGING} type",
    ),
    Operation("GET", METHODS, p.PaymentMethodListParams, find_methods, f"{PAGING} customer type"),
    Operation("GET", f"{METHODS}/{{id}}", p.PaymentMethodRetrieveParams, retrieve_method),
    Operation("POST", f"{METHODS}/{{id}}/attach", p.PaymentMethodAttachParams, attach, "customer"),
    Operation("POST", f"{METHODS}/{{id}}/detach", p.PaymentMethodDetachParams, detach),
)
