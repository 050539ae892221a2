"""Tax ids of customers (docs.stripe.com/api/customer_tax_ids)."""

import stripe.params as p

from stripe_emulator.engine import customer_details
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, paginate
from stripe_emulator.transaction import Transaction

TAX_IDS = "/v1/customers/{id}/tax_ids"


def create_tax_id(tx: Transaction, call: Call) -> Object:
    """Add a tax id to a customer."""
    customer = tx.get("customer", call.id, "customer")
    return customer_details.add_tax_id(tx, customer, call.params["type"], call.params["value"])


def list_tax_ids(tx: Transaction, call: Call) -> Object:
    """List the tax ids of a customer."""
    tx.get("customer", call.id, "customer")
    found = tx.find_all("tax_id", customer=call.id)
    return paginate(found, call, f"/v1/customers/{call.id}/tax_ids")


def retrieve_tax_id(tx: Transaction, call: Call) -> Object:
    """Return a tax id of a customer."""
    return customer_details.tax_id_of_customer(tx, call.id, call.ids[1])


def delete_tax_id(tx: Transaction, call: Call) -> Object:
    """Delete a tax id of a customer."""
    found = customer_details.tax_id_of_customer(tx, call.id, call.ids[1])
    return customer_details.remove_tax_id(tx, found)


OPERATIONS = (
    Operation("POST", TAX_IDS, p.CustomerTaxIdCreateParams, create_tax_id, "type value"),
    Operation("GET", TAX_IDS, p.CustomerTaxIdListParams, list_tax_ids, PAGING),
    Operation("GET", f"{TAX_IDS}/{{tax}}", p.CustomerTaxIdRetrieveParams, retrieve_tax_id),
    Operation("DELETE", f"{TAX_IDS}/{{tax}}", p.CustomerTaxIdDeleteParams, delete_tax_id),
)
