"""Customers begin and end."""

from stripe_emulator.engine import cancellation
from stripe_emulator.objects import Object
from stripe_emulator.shapes.customer import customer as shape
from stripe_emulator.transaction import Ledger

ENDED = ("canceled", "incomplete_expired")


def add(ledger: Ledger, moment: int, clock: str | None, fields: Object) -> Object:
    """Keep a new customer."""
    made = shape(moment, clock) | fields
    ledger.save(made)
    ledger.emit("customer.created", made)
    return made


def for_session(ledger: Ledger, session: Object) -> str:
    """Return the customer of a session, made now if it had none."""
    if session["customer"] is None:
        form = session["_form"]
        fields = {"email": form["email"] or None, "name": form["name"] or None}
        session["customer"] = add(ledger, ledger.now(None), None, fields)["id"]
    return session["customer"]


def delete(ledger: Ledger, customer: Object) -> Object:
    """Forget a customer; their subscriptions end at once."""
    for subscription in ledger.find("subscription", customer=customer["id"]):
        if subscription["status"] not in ENDED:
            cancellation.end(ledger, subscription, "cancellation_requested")
    for method in ledger.find("payment_method", customer=customer["id"]):
        ledger.save(method | {"customer": None})
        ledger.emit("payment_method.detached", method | {"customer": None})
    ledger.emit("customer.deleted", customer)
    ledger.save(customer | {"deleted": True})
    return {"id": customer["id"], "object": "customer", "deleted": True}
