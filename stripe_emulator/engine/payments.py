"""Cards are attached and charged (docs.stripe.com/payments/paymentintents/lifecycle)."""

from stripe_emulator import cards
from stripe_emulator.cards import CARDS, Entry, Refusal, TestCard, refuse
from stripe_emulator.errors import CardProblem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.shapes import payments as shapes
from stripe_emulator.shapes import refunds
from stripe_emulator.transaction import Ledger, snapshot


def behaviour(method: Object) -> TestCard:
    """Return how the card of a payment method behaves."""
    return CARDS[method["_behaviour"]]


def resolve(ledger: Ledger, identifier: str, param: str) -> Object:
    """Return a payment method, made afresh for a test name such as `pm_card_visa`."""
    number = cards.BY_NAME.get(identifier)
    if number is None:
        return ledger.get("payment_method", identifier, param)
    year = 1970 + int(ledger.clock() // (365.2425 * 86400)) + 5
    return add(ledger, Entry(number, 12, year), None, None)


def add(ledger: Ledger, card: Entry, email: str | None, name: str | None) -> Object:
    """Keep a card that belongs to nobody yet."""
    return ledger.save(shapes.payment_method(ledger.now(None), card, email, name))


def attach(ledger: Ledger, method: Object, customer: str) -> Object:
    """Give a card to a customer, unless its bank refuses even that."""
    if method["customer"] == customer:
        return method
    if method["customer"]:
        raise invalid("The payment method you provided has already been attached to a customer.")
    if refusal := behaviour(method).attach:
        raise refuse(refusal)
    method["customer"] = customer
    ledger.save(method)
    ledger.emit("payment_method.attached", method)
    return method


def belongs(ledger: Ledger, identifier: str, customer: str, param: str) -> Object:
    """Return a card of that customer; a test card's name is attached first."""
    method = resolve(ledger, identifier, param)
    if identifier in cards.BY_NAME:
        return attach(ledger, method, customer)
    if method["customer"] != customer:
        raise invalid(
            f"The customer does not have a payment method with the ID {identifier}. "
            "The payment method must be attached to the customer.",
            param,
            "resource_missing",
        )
    return method


def intend(ledger: Ledger, customer: str | None, amount: int, currency: str) -> Object:
    """Keep the intent to collect an amount."""
    intent = shapes.payment_intent(ledger.now(customer), amount, currency)
    intent["customer"] = customer
    ledger.save(intent)
    ledger.emit("payment_intent.created", intent)
    return intent


def needs_authentication(method: Object) -> bool:
    """Whether the bank wants to see the card's owner."""
    kind = behaviour(method).authentication
    return kind == "always" or (kind == "setup" and not method["_authenticated"])


def confirm(
    ledger: Ledger, intent: Object, method: Object, *, on_session: bool, authenticated: bool = False
) -> CardProblem | None:
    """Charge a card; the intent tells by its status whether somebody has to authenticate."""
    refusal = behaviour(method).charge
    intent["payment_method"] = method["id"]
    if refusal is None and not authenticated and needs_authentication(method):
        if on_session:
            ask(ledger, intent)
            return None
        refusal = cards.UNAUTHENTICATED
    if refusal:
        return decline(ledger, intent, method, refusal)
    succeed(ledger, intent, method)
    return None


def ask(ledger: Ledger, intent: Object) -> None:
    """Wait for the card's owner on the page of the bank."""
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": None, "url": challenge_url(ledger, intent)},
    }
    ledger.save(intent)
    kind = intent["object"]
    ledger.emit(f"{kind}.requires_action", intent)


def challenge_url(ledger: Ledger, intent: Object) -> str:
    """Return the address of the page on which the bank asks."""
    return f"{ledger.base_url}/challenge/{intent['client_secret']}"


def succeed(ledger: Ledger, intent: Object, method: Object) -> None:
    """Record a charge that went through."""
    charge = shapes.charge(ledger.now(intent["customer"]), intent, method)
    ledger.save(charge, parent=intent["id"])
    ledger.emit("charge.succeeded", charge)
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "status": "succeeded",
    }
    ledger.save(intent)
    ledger.emit("payment_intent.succeeded", intent)
    if behaviour(method).disputed:
        take_back(ledger, charge)


def take_back(ledger: Ledger, charge: Object) -> None:
    """Let the card's owner dispute a charge; what it paid stays paid."""
    made = refunds.dispute(ledger.now(charge["customer"]), charge, "fraudulent")
    ledger.save(made, parent=charge["id"])
    charge["disputed"] = True
    ledger.save(charge)
    ledger.emit("charge.dispute.created", made)


def decline(ledger: Ledger, intent: Object, method: Object, refusal: Refusal) -> CardProblem:
    """Record a charge that was refused."""
    charge = shapes.charge(ledger.now(intent["customer"]), intent, method)
    charge |= {
        "amount_captured": 0,
        "captured": False,
        "failure_code": refusal.code,
        "failure_message": refusal.message,
        "outcome": shapes.outcome(
            "declined_by_network", "issuer_declined", refusal.message, refusal.decline_code
        ),
        "paid": False,
        "status": "failed",
    }
    ledger.save(charge, parent=intent["id"])
    ledger.emit("charge.failed", charge)
    problem = refuse(refusal)
    problem.charge, problem.method = charge["id"], method
    give_up(ledger, intent, problem, charge["id"])
    return problem


def give_up(ledger: Ledger, intent: Object, problem: CardProblem, charge: str | None) -> None:
    """Let an intent wait for another card."""
    intent |= {
        "last_payment_error": problem.payment_error(),
        "latest_charge": charge or intent["latest_charge"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    ledger.save(intent)
    ledger.emit("payment_intent.payment_failed", intent)
    problem.intent = snapshot(intent)


def withdraw(ledger: Ledger, intent: Object, reason: str) -> None:
    """Cancel an intent whose invoice is void."""
    if intent["status"] in ("succeeded", "canceled"):
        return
    intent |= {
        "canceled_at": ledger.now(intent["customer"]),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    ledger.save(intent)
    ledger.emit("payment_intent.canceled", intent)
