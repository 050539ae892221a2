"""Create and delete customers."""

from stripe_emulator.due_dates import ENDED_STATUSES
from stripe_emulator.engine import cancellation
from stripe_emulator.objects import Object
from stripe_emulator.shapes.customer import new_customer as shape
from stripe_emulator.transaction import Transaction


def add_customer(tx: Transaction, moment: int, clock: str | None, fields: Object) -> Object:
    """Create a customer."""
    made = shape(moment, clock) | fields
    tx.save(made)
    tx.emit("customer.created", made)
    return made


def customer_of_session(tx: Transaction, session: Object) -> str:
    """Return the session's customer id; create the customer if it has none."""
    if session["customer"] is None:
        form = session["_form"]
        fields = {"email": form["email"] or None, "name": form["name"] or None}
        session["customer"] = add_customer(tx, tx.now(None), None, fields)["id"]
    return session["customer"]


def remove_customer(tx: Transaction, customer: Object) -> Object:
    """Delete a customer, cancel its subscriptions and detach its cards."""
    for subscription in tx.find_all("subscription", customer=customer["id"]):
        if subscription["status"] not in ENDED_STATUSES:
            cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
    for method in tx.find_all("payment_method", customer=customer["id"]):
        tx.save(method | {"customer": None})
        tx.emit("payment_method.detached", method | {"customer": None})
    tx.emit("customer.deleted", customer)
    tx.save(customer | {"deleted": True})
    return {"id": customer["id"], "object": "customer", "deleted": True}
