"""Attach and charge cards (docs.stripe.com/payments/paymentintents/lifecycle)."""

from stripe_emulator import cards
from stripe_emulator.cards import TEST_CARDS, CardDetails, Decline, TestCard, card_error
from stripe_emulator.errors import CardError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.shapes import payments as shapes
from stripe_emulator.shapes import refunds
from stripe_emulator.transaction import Transaction, snapshot


def test_card_of(method: Object) -> TestCard:
    """Return the test card of a payment method."""
    return TEST_CARDS[method["_behaviour"]]


def resolve_payment_method(tx: Transaction, identifier: str, param: str) -> Object:
    """Return a payment method; for a test name such as `pm_card_visa`, a new one."""
    number = cards.NUMBER_BY_NAME.get(identifier)
    if number is None:
        return tx.get("payment_method", identifier, param)
    year = 1970 + int(tx.real_time() // (365.2425 * 86400)) + 5
    return add_payment_method(tx, CardDetails(number, 12, year), None, None)


def add_payment_method(
    tx: Transaction, card: CardDetails, email: str | None, name: str | None
) -> Object:
    """Create a payment method without a customer."""
    return tx.save(shapes.new_payment_method(tx.now(None), card, email, name))


def attach_payment_method(tx: Transaction, method: Object, customer: str) -> Object:
    """Attach a payment method to a customer.

    Raises:
        ApiError: it belongs to another customer.
        CardError: the test card declines to be attached.
    """
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise invalid_request(
            "The payment method you provided has already been attached to a customer."
        )
    if decline := test_card_of(method).attach_decline:
        raise card_error(decline)
    method["customer"] = customer
    tx.save(method)
    tx.emit("payment_method.attached", method)
    return method


def payment_method_of_customer(
    tx: Transaction, identifier: str, customer: str, param: str
) -> Object:
    """Return a payment method of the customer; a test card is created and attached."""
    method = resolve_payment_method(tx, identifier, param)
    if identifier in cards.NUMBER_BY_NAME:
        return attach_payment_method(tx, method, customer)
    if method["customer"] != customer:
        raise invalid_request(
            f"The customer does not have a payment method with the ID {identifier}. "
            "The payment method must be attached to the customer.",
            param,
            "resource_missing",
        )
    return method


def add_payment_intent(tx: Transaction, customer: str | None, amount: int, currency: str) -> Object:
    """Create a payment intent."""
    intent = shapes.new_payment_intent(tx.now(customer), amount, currency)
    intent["customer"] = customer
    tx.save(intent)
    tx.emit("payment_intent.created", intent)
    return intent


def needs_authentication(method: Object) -> bool:
    """Return whether the card requires 3-D Secure for a charge."""
    kind = test_card_of(method).authentication
    return kind == "always" or (kind == "setup" and not method["_authenticated"])


def confirm_payment_intent(
    tx: Transaction,
    intent: Object,
    method: Object,
    *,
    on_session: bool,
    authenticated: bool = False,
) -> CardError | None:
    """Charge a payment method.

    If 3-D Secure is required, the intent becomes `requires_action` when the customer is present
    (`on_session`), and the charge is declined otherwise.

    Returns:
        The card error of a declined charge, or None.
    """
    decline = test_card_of(method).charge_decline
    intent["payment_method"] = method["id"]
    if decline is None and not authenticated and needs_authentication(method):
        if on_session:
            require_action(tx, intent)
            return None
        decline = cards.UNAUTHENTICATED
    if decline:
        return record_declined_charge(tx, intent, method, decline)
    record_successful_charge(tx, intent, method)
    return None


def require_action(tx: Transaction, intent: Object) -> None:
    """Set the intent to `requires_action` until the 3-D Secure challenge is answered."""
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": None, "url": challenge_url(tx, intent)},
    }
    tx.save(intent)
    kind = intent["object"]
    tx.emit(f"{kind}.requires_action", intent)


def challenge_url(tx: Transaction, intent: Object) -> str:
    """Return the URL of the 3-D Secure challenge."""
    return f"{tx.base_url}/challenge/{intent['client_secret']}"


def record_successful_charge(tx: Transaction, intent: Object, method: Object) -> None:
    """Record a successful charge and complete the intent."""
    charge = shapes.new_charge(tx.now(intent["customer"]), intent, method)
    tx.save(charge, parent=intent["id"])
    tx.emit("charge.succeeded", charge)
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "status": "succeeded",
    }
    tx.save(intent)
    tx.emit("payment_intent.succeeded", intent)
    if test_card_of(method).disputed:
        open_dispute(tx, charge)


def open_dispute(tx: Transaction, charge: Object) -> None:
    """Open a dispute on a charge; the paid invoice stays paid."""
    made = refunds.new_dispute(tx.now(charge["customer"]), charge, "fraudulent")
    tx.save(made, parent=charge["id"])
    charge["disputed"] = True
    tx.save(charge)
    tx.emit("charge.dispute.created", made)


def record_declined_charge(
    tx: Transaction, intent: Object, method: Object, decline: Decline
) -> CardError:
    """Record a declined charge and return its error."""
    charge = shapes.new_charge(tx.now(intent["customer"]), intent, method)
    charge |= {
        "amount_captured": 0,
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": shapes.charge_outcome(
            "declined_by_network", "issuer_declined", decline.message, decline.decline_code
        ),
        "paid": False,
        "status": "failed",
    }
    tx.save(charge, parent=intent["id"])
    tx.emit("charge.failed", charge)
    error = card_error(decline)
    error.charge, error.method = charge["id"], method
    fail_payment_intent(tx, intent, error, charge["id"])
    return error


def fail_payment_intent(
    tx: Transaction, intent: Object, error: CardError, charge: str | None
) -> None:
    """Set the intent to `requires_payment_method` with the error of the attempt."""
    intent |= {
        "last_payment_error": error.payment_error(),
        "latest_charge": charge or intent["latest_charge"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    tx.save(intent)
    tx.emit("payment_intent.payment_failed", intent)
    error.intent = snapshot(intent)


def cancel_payment_intent(tx: Transaction, intent: Object, reason: str) -> None:
    """Cancel the intent unless it has succeeded or is cancelled."""
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent |= {
        "canceled_at": tx.now(intent["customer"]),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    tx.save(intent)
    tx.emit("payment_intent.canceled", intent)
