"""Checkout (docs.stripe.com/payments/checkout/how-checkout-works).

The subscription is made after the payment went through; failed attempts leave none.
"""

from dataclasses import dataclass

from stripe_emulator import cards
from stripe_emulator.due_dates import DAY
from stripe_emulator.engine import customers, payments, subscriptions
from stripe_emulator.objects import Object
from stripe_emulator.shapes import payments as payment_shapes
from stripe_emulator.shapes.checkout import customer_details
from stripe_emulator.transaction import Ledger


@dataclass(frozen=True, slots=True)
class Form:
    """What a person typed on the page."""

    email: str
    name: str
    number: str
    expiry: str
    cvc: str


def expire(ledger: Ledger, session: Object) -> Object:
    """Close a session that nobody completed."""
    session |= {"status": "expired", "url": None}
    ledger.save(session)
    ledger.emit("checkout.session.expired", session)
    return session


def card_optional(session: Object) -> bool:
    """Whether the page works without a card: nothing is due, and it was asked for so."""
    return session["payment_method_collection"] == "if_required" and not session["amount_total"]


def submit(ledger: Ledger, session: Object, form: Form) -> str | None:
    """Pay; return the address of the bank's question, or None if the session is complete.

    Raises:
        CardProblem: the card is refused; the session stays open.
    """
    session["_form"] = {"email": form.email, "name": form.name}
    if card_optional(session) and not form.number.strip():
        complete(ledger, session, None, None)
        return None
    entry = cards.read(form.number, form.expiry, form.cvc, int(ledger.clock()))
    method = payments.add(ledger, entry, form.email or None, form.name or None)
    session["_method"] = method["id"]
    intent = (
        charge(ledger, session, method)
        if session["amount_total"]
        else keep(ledger, session, method)
    )
    if intent["status"] == "requires_action":
        ledger.save(session)
        return payments.challenge_url(ledger, intent)
    complete(ledger, session, method, intent)
    return None


def charge(ledger: Ledger, session: Object, method: Object) -> Object:
    """Collect what is due today."""
    owner, amount = session["customer"], session["amount_total"]
    intent = ledger.peek(session.get("_intent"))
    if intent is None or intent["status"] == "succeeded":
        intent = payments.intend(ledger, owner, amount, session["currency"])
    session["_intent"], intent["_session"] = intent["id"], session["id"]
    ledger.save(session)
    problem = payments.confirm(ledger, intent, method, on_session=True)
    if problem:
        raise problem
    return intent


def keep(ledger: Ledger, session: Object, method: Object) -> Object:
    """Make sure that the card can be charged later."""
    owner = session["customer"]
    intent = payment_shapes.setup_intent(ledger.now(owner), owner, method["id"])
    intent["_session"] = session["id"]
    ledger.save(intent)
    ledger.emit("setup_intent.created", intent)
    if refusal := payments.behaviour(method).attach:
        problem = cards.refuse(refusal)
        intent |= {"last_setup_error": problem.payment_error(), "payment_method": None}
        intent["status"] = "requires_payment_method"
        ledger.save(intent)
        ledger.emit("setup_intent.setup_failed", intent)
        raise problem
    if payments.needs_authentication(method):
        payments.ask(ledger, intent)
    else:
        confirmed(ledger, intent)
    return intent


def confirmed(ledger: Ledger, intent: Object) -> None:
    """Note that a card is kept for later."""
    intent |= {"next_action": None, "status": "succeeded"}
    ledger.save(intent)
    ledger.emit("setup_intent.succeeded", intent)


def authenticated(ledger: Ledger, intent: Object) -> None:
    """Go on after the bank has seen the card's owner.

    Raises:
        CardProblem: the card is refused all the same.
    """
    session = ledger.get("checkout.session", intent["_session"])
    method = ledger.get("payment_method", session["_method"])
    method["_authenticated"] = True
    ledger.save(method)
    if intent["object"] == "setup_intent":
        confirmed(ledger, intent)
    else:
        problem = payments.confirm(ledger, intent, method, on_session=True, authenticated=True)
        if problem:
            raise problem
    complete(ledger, session, method, intent)


def complete(ledger: Ledger, session: Object, method: Object | None, intent: Object | None) -> None:
    """Make the subscription, and tell that the session is complete."""
    owner = customers.for_session(ledger, session)
    if method:
        method = payments.attach(ledger, method, owner)
    if intent and intent["customer"] is None:
        intent["customer"] = owner
        ledger.save(intent)
    if session["mode"] == "setup":
        session["setup_intent"] = intent["id"] if intent else None
    else:
        subscribe(ledger, session, method, intent)
    form = session["_form"]
    session |= {
        "customer": owner,
        "customer_details": customer_details(form["email"] or None, form["name"] or None),
        "status": "complete",
        "url": None,
    }
    ledger.save(session)
    ledger.emit("checkout.session.completed", session)


def subscribe(
    ledger: Ledger, session: Object, method: Object | None, intent: Object | None
) -> None:
    """Begin the subscription that was bought."""
    wanted = session["_subscription"]
    owner = customers.for_session(ledger, session)
    moment = ledger.now(owner)
    days = wanted.get("trial_period_days")
    trial_end = moment + days * DAY if days else wanted.get("trial_end")
    fields = {"metadata": wanted.get("metadata") or {}, "description": wanted.get("description")}
    fields["default_payment_method"] = method["id"] if method else None
    if settings := wanted.get("trial_settings"):
        settings["end_behavior"].setdefault("billing_cycle_anchor", None)
        fields["trial_settings"] = settings
    prices = [
        (subscriptions.recurring(ledger, line["price"]["id"], "line_items"), line["quantity"])
        for line in session["_line_items"]
    ]
    order = subscriptions.Order(customer=owner, items=prices, trial_end=trial_end, fields=fields)
    paid_by = intent if intent and intent["object"] == "payment_intent" else None
    made = subscriptions.create(ledger, order, paid_by=paid_by)
    session |= {
        "invoice": made["latest_invoice"],
        "payment_status": "paid" if session["amount_total"] else "no_payment_required",
        "subscription": made["id"],
    }
