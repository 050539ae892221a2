"""Name, address and tax ids of customers, as invoices show them."""

from stripe_emulator import tax_ids
from stripe_emulator.errors import invalid_request, resource_missing
from stripe_emulator.objects import Object
from stripe_emulator.shapes.customer import new_tax_id
from stripe_emulator.shapes.payments import ADDRESS_FIELDS
from stripe_emulator.transaction import Transaction, snapshot

MAX_TAX_IDS = 5
MAX_FIELD_CHARS = 500


def read_address(form: dict[str, str]) -> Object:
    """Return the address of a form; the country and the first line are required.

    Raises:
        ApiError: a field is missing or too long, or the country is unknown.
    """
    given = {name: form.get(name, "").strip() for name in ADDRESS_FIELDS.split()}
    if too_long := next((name for name in given if len(given[name]) > MAX_FIELD_CHARS), None):
        raise invalid_request(f"Invalid {too_long}: too long.", too_long)
    if not given["line1"]:
        raise invalid_request("Enter an address.", "line1")
    tax_ids.check_country(given["country"])
    return {name: item or None for name, item in given.items()}


def change_details(
    tx: Transaction, customer: Object, form: dict[str, str], allowed: list[str]
) -> None:
    """Set the name and address of a customer, as far as the portal allows.

    Raises:
        ApiError: the address is not valid, or neither may be changed.
    """
    if not {"name", "address"} & set(allowed):
        raise invalid_request("This action is not available.")
    before = snapshot(customer)
    if "name" in allowed:
        customer["name"] = form.get("name", "").strip()[:MAX_FIELD_CHARS] or customer["name"]
    if "address" in allowed:
        customer["address"] = read_address(form)
    tx.save_changes("customer.updated", customer, before)


def add_tax_id(tx: Transaction, customer: Object, kind: str, value: str) -> Object:
    """Add a tax id to a customer.

    Raises:
        ApiError: the type or the format is wrong, or the customer has it or too many already.
    """
    written, country = tax_ids.check_tax_id(kind, value)
    known = tx.find_all("tax_id", customer=customer["id"])
    if (kind, written) in [(one["type"], one["value"]) for one in known]:
        raise invalid_request("This tax ID exists already.", "value", "resource_already_exists")
    if len(known) >= MAX_TAX_IDS:
        raise invalid_request(f"A customer can have up to {MAX_TAX_IDS} tax IDs.", "value")
    status = "pending" if kind in tax_ids.VERIFIED_TYPES else "unavailable"
    made = new_tax_id(tx.now(customer["id"]), customer["id"], country, status)
    made |= {"type": kind, "value": written}
    tx.save(made)
    tx.emit("customer.tax_id.created", made)
    return made


def tax_id_of_customer(tx: Transaction, customer_id: str, identifier: str) -> Object:
    """Return a tax id.

    Raises:
        ApiError: 404 if the customer has no such tax id.
    """
    tx.get("customer", customer_id, "customer")
    found = tx.get("tax_id", identifier)
    if found["customer"] != customer_id:
        raise resource_missing("tax_id", identifier, "id")
    return found


def remove_tax_id(tx: Transaction, tax_id: Object) -> Object:
    """Delete a tax id."""
    tx.save(tax_id | {"deleted": True})
    tx.emit("customer.tax_id.deleted", tax_id)
    return {"id": tax_id["id"], "object": "tax_id", "deleted": True}


def invoice_fields(tx: Transaction, customer: Object) -> Object:
    """Return what an invoice says about its customer; finalized invoices keep it."""
    known = tx.find_all("tax_id", customer=customer["id"])[::-1]
    return {
        "customer_address": snapshot(customer["address"]) if customer["address"] else None,
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_ids": [{"type": one["type"], "value": one["value"]} for one in known],
    }
