"""Customers and payment methods (docs.stripe.com/api/customers, …/payment_methods)."""

from typing import Any

import stripe.params as p

from stripe_emulator import tax_ids
from stripe_emulator.engine import customers, payments
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, empty_to_none
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.shapes.payments import ADDRESS_FIELDS
from stripe_emulator.transaction import Transaction, snapshot

FIELDS = "address balance description email metadata name phone preferred_locales invoice_settings"


def merge_metadata(kept: Object, given: Any) -> Object:
    """Return metadata with the given keys set; empty values remove keys."""
    if given == "":
        return {}
    return {key: item for key, item in (kept | (given or {})).items() if item != ""}


def set_customer_fields(tx: Transaction, customer: Object, params: Object) -> None:
    """Set the fields that the request contains."""
    for name in ("balance", "description", "email", "name", "phone", "preferred_locales"):
        if name in params:
            customer[name] = empty_to_none(params[name])
    if "address" in params:
        given = empty_to_none(params["address"])
        if given and given.get("country"):
            tax_ids.check_country(given["country"])
        blank = dict.fromkeys(ADDRESS_FIELDS.split())
        customer["address"] = blank | given if given else None
    if "metadata" in params:
        customer["metadata"] = merge_metadata(customer["metadata"], params["metadata"])
    settings = params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        name = empty_to_none(settings["default_payment_method"])
        param = "invoice_settings[default_payment_method]"
        if name:
            name = payments.payment_method_of_customer(tx, name, customer["id"], param)["id"]
        customer["invoice_settings"]["default_payment_method"] = name


def create_customer(tx: Transaction, call: Call) -> Object:
    """Create a customer."""
    clock, moment = call.params.get("test_clock"), tx.now(None)
    if clock:
        found = tx.get("test_helpers.test_clock", clock, "test_clock")
        moment = found["frozen_time"]
    fields = {name: call.params[name] for name in ("email", "name") if name in call.params}
    made = customers.add_customer(tx, moment, clock, fields)
    if method := call.params.get("payment_method"):
        found = payments.resolve_payment_method(tx, method, "payment_method")
        payments.attach_payment_method(tx, found, made["id"])
        settings = call.params.get("invoice_settings") or {}
        if settings.get("default_payment_method") == method:
            settings["default_payment_method"] = found["id"]
    set_customer_fields(tx, made, call.params)
    return tx.save(made)


def retrieve_customer(tx: Transaction, call: Call) -> Object:
    """Return a customer; a deleted one is reduced to `deleted: true`."""
    found = tx.get_or_none(call.id)
    if found and found["object"] == "customer" and found.get("deleted"):
        return {"id": found["id"], "object": "customer", "deleted": True}
    return tx.get("customer", call.id)


def update_customer(tx: Transaction, call: Call) -> Object:
    """Update a customer."""
    customer = tx.get("customer", call.id)
    before = snapshot(customer)
    set_customer_fields(tx, customer, call.params)
    tx.save_changes("customer.updated", customer, before)
    return customer


def list_customers(tx: Transaction, call: Call) -> Object:
    """List customers, including those on test clocks.

    Stripe omits customers on test clocks. The emulator includes them, because `/dev/stripe` puts a
    customer on a test clock to advance its time.
    """
    clock = call.params.get("test_clock")
    found = [
        one
        for one in filter_by_params(tx.find_all("customer"), call, "email")
        if clock is None or one["test_clock"] == clock
    ]
    return paginate(found, call, "/v1/customers")


def delete_customer(tx: Transaction, call: Call) -> Object:
    """Delete a customer."""
    return customers.remove_customer(tx, tx.get("customer", call.id))


def list_payment_methods(tx: Transaction, call: Call) -> Object:
    """List the payment methods of a customer."""
    customer_id = call.ids[0] if call.ids else call.params.get("customer")
    if customer_id:
        tx.get("customer", customer_id, "customer")
    found = filter_by_params(tx.find_all("payment_method", customer=customer_id), call, "type")
    return paginate([one for one in found if one["customer"]], call, "/v1/payment_methods")


def retrieve_payment_method(tx: Transaction, call: Call) -> Object:
    """Return a payment method."""
    return tx.get("payment_method", call.id)


def attach_to_customer(tx: Transaction, call: Call) -> Object:
    """Attach a payment method, or a test card by name, to a customer."""
    customer = tx.get("customer", call.params["customer"], "customer")
    method = payments.resolve_payment_method(tx, call.id, "payment_method")
    return payments.attach_payment_method(tx, method, customer["id"])


def detach_from_customer(tx: Transaction, call: Call) -> Object:
    """Detach a payment method from its customer."""
    method = tx.get("payment_method", call.id)
    customer_id = method["customer"]
    if customer_id is None:
        raise invalid_request("The payment method you provided is not attached to a customer.")
    before, method["customer"] = snapshot(method), None
    tx.save(method)
    clear_default_payment_method(tx, customer_id, method["id"])
    tx.emit("payment_method.detached", method, {"customer": before["customer"]})
    return method


def clear_default_payment_method(tx: Transaction, customer_id: str, method: str) -> None:
    """Remove a detached payment method wherever it is the default."""
    customer = tx.get("customer", customer_id)
    before = snapshot(customer)
    if customer["invoice_settings"]["default_payment_method"] == method:
        customer["invoice_settings"]["default_payment_method"] = None
        tx.save_changes("customer.updated", customer, before)
    for subscription in tx.find_all("subscription", customer=customer_id):
        if subscription["default_payment_method"] == method:
            before = snapshot(subscription)
            subscription["default_payment_method"] = None
            tx.save_changes("customer.subscription.updated", subscription, before)


METHODS = "/v1/payment_methods"
OPERATIONS = (
    Operation(
        "POST",
        "/v1/customers",
        p.CustomerCreateParams,
        create_customer,
        f"{FIELDS} payment_method test_clock",
    ),
    Operation("GET", "/v1/customers/{id}", p.CustomerRetrieveParams, retrieve_customer),
    Operation("POST", "/v1/customers/{id}", p.CustomerUpdateParams, update_customer, FIELDS),
    Operation("DELETE", "/v1/customers/{id}", p.CustomerDeleteParams, delete_customer),
    Operation(
        "GET",
        "/v1/customers",
        p.CustomerListParams,
        list_customers,
        f"{PAGING} email created test_clock",
    ),
    Operation(
        "GET",
        "/v1/customers/{id}/payment_methods",
        p.CustomerPaymentMethodListParams,
        list_payment_methods,
        f"{PAGING} type",
    ),
    Operation(
        "GET", METHODS, p.PaymentMethodListParams, list_payment_methods, f"{PAGING} customer type"
    ),
    Operation("GET", f"{METHODS}/{{id}}", p.PaymentMethodRetrieveParams, retrieve_payment_method),
    Operation(
        "POST",
        f"{METHODS}/{{id}}/attach",
        p.PaymentMethodAttachParams,
        attach_to_customer,
        "customer",
    ),
    Operation(
        "POST", f"{METHODS}/{{id}}/detach", p.PaymentMethodDetachParams, detach_from_customer
    ),
)
