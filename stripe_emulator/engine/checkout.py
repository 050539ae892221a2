"""Complete Checkout Sessions (docs.stripe.com/payments/checkout/how-checkout-works).

The subscription is created after the payment has succeeded; failed attempts create none.
"""

from dataclasses import dataclass

from stripe_emulator import cards
from stripe_emulator.engine import customers, payments, subscriptions
from stripe_emulator.objects import Object
from stripe_emulator.periods import DAY_S
from stripe_emulator.shapes import payments as payment_shapes
from stripe_emulator.shapes.checkout import customer_details
from stripe_emulator.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CheckoutForm:
    """The fields of the Checkout page as submitted."""

    email: str
    name: str
    number: str
    expiry: str
    cvc: str


def expire_session(tx: Transaction, session: Object) -> Object:
    """Expire an open session."""
    session |= {"status": "expired", "url": None}
    tx.save(session)
    tx.emit("checkout.session.expired", session)
    return session


def is_card_optional(session: Object) -> bool:
    """Return whether the session can be completed without a card.

    It can if nothing is due and it was created with `payment_method_collection=if_required`.
    """
    return session["payment_method_collection"] == "if_required" and not session["amount_total"]


def submit_session(tx: Transaction, session: Object, form: CheckoutForm) -> str | None:
    """Pay for a session.

    Returns:
        The URL of the 3-D Secure challenge, or None if the session is complete.

    Raises:
        CardError: the card is declined; the session stays open.
    """
    session["_form"] = {"email": form.email, "name": form.name}
    if is_card_optional(session) and not form.number.strip():
        complete_session(tx, session, None, None)
        return None
    entry = cards.parse_card(form.number, form.expiry, form.cvc, int(tx.real_time()))
    method = payments.add_payment_method(tx, entry, form.email or None, form.name or None)
    session["_method"] = method["id"]
    intent = (
        pay_first_invoice(tx, session, method)
        if session["amount_total"]
        else set_up_card(tx, session, method)
    )
    if intent["status"] == "requires_action":
        tx.save(session)
        return payments.challenge_url(tx, intent)
    complete_session(tx, session, method, intent)
    return None


def pay_first_invoice(tx: Transaction, session: Object, method: Object) -> Object:
    """Charge the amount due today; an intent of an earlier attempt is used again."""
    customer_id, amount = session["customer"], session["amount_total"]
    intent = tx.get_or_none(session.get("_intent"))
    if intent is None or intent["status"] == "succeeded":
        intent = payments.add_payment_intent(tx, customer_id, amount, session["currency"])
    session["_intent"], intent["_session"] = intent["id"], session["id"]
    tx.save(session)
    error = payments.confirm_payment_intent(tx, intent, method, on_session=True)
    if error:
        raise error
    return intent


def set_up_card(tx: Transaction, session: Object, method: Object) -> Object:
    """Save a card for later charges with a setup intent."""
    customer_id = session["customer"]
    intent = payment_shapes.new_setup_intent(tx.now(customer_id), customer_id, method["id"])
    intent["_session"] = session["id"]
    tx.save(intent)
    tx.emit("setup_intent.created", intent)
    if decline := payments.test_card_of(method).attach_decline:
        error = cards.card_error(decline)
        intent |= {"last_setup_error": error.payment_error(), "payment_method": None}
        intent["status"] = "requires_payment_method"
        tx.save(intent)
        tx.emit("setup_intent.setup_failed", intent)
        raise error
    if payments.needs_authentication(method):
        payments.require_action(tx, intent)
    else:
        succeed_setup_intent(tx, intent)
    return intent


def succeed_setup_intent(tx: Transaction, intent: Object) -> None:
    """Mark a setup intent as succeeded."""
    intent |= {"next_action": None, "status": "succeeded"}
    tx.save(intent)
    tx.emit("setup_intent.succeeded", intent)


def continue_after_authentication(tx: Transaction, intent: Object) -> None:
    """Complete the session after a successful 3-D Secure challenge.

    Raises:
        CardError: the card is declined.
    """
    session = tx.get("checkout.session", intent["_session"])
    method = tx.get("payment_method", session["_method"])
    method["_authenticated"] = True
    tx.save(method)
    if intent["object"] == "setup_intent":
        succeed_setup_intent(tx, intent)
    else:
        error = payments.confirm_payment_intent(
            tx, intent, method, on_session=True, authenticated=True
        )
        if error:
            raise error
    complete_session(tx, session, method, intent)


def complete_session(
    tx: Transaction, session: Object, method: Object | None, intent: Object | None
) -> None:
    """Create what the session sells and mark it as complete."""
    customer_id = customers.customer_of_session(tx, session)
    if method:
        method = payments.attach_payment_method(tx, method, customer_id)
    if intent and intent["customer"] is None:
        intent["customer"] = customer_id
        tx.save(intent)
    if session["mode"] == "setup":
        session["setup_intent"] = intent["id"] if intent else None
    else:
        create_session_subscription(tx, session, method, intent)
    form = session["_form"]
    session |= {
        "customer": customer_id,
        "customer_details": customer_details(form["email"] or None, form["name"] or None),
        "status": "complete",
        "url": None,
    }
    tx.save(session)
    tx.emit("checkout.session.completed", session)


def create_session_subscription(
    tx: Transaction, session: Object, method: Object | None, intent: Object | None
) -> None:
    """Create the subscription that the session sells."""
    wanted = session["_subscription"]
    customer_id = customers.customer_of_session(tx, session)
    moment = tx.now(customer_id)
    days = wanted.get("trial_period_days")
    trial_end = moment + days * DAY_S if days else wanted.get("trial_end")
    fields = {"metadata": wanted.get("metadata") or {}, "description": wanted.get("description")}
    fields["default_payment_method"] = method["id"] if method else None
    if settings := wanted.get("trial_settings"):
        settings["end_behavior"].setdefault("billing_cycle_anchor", None)
        fields["trial_settings"] = settings
    prices = [
        (
            subscriptions.active_recurring_price(tx, line["price"]["id"], "line_items"),
            line["quantity"],
        )
        for line in session["_line_items"]
    ]
    order = subscriptions.SubscriptionOrder(
        customer=customer_id, items=prices, trial_end=trial_end, fields=fields
    )
    paid_by = intent if intent and intent["object"] == "payment_intent" else None
    made = subscriptions.start_subscription(tx, order, paid_by=paid_by)
    session |= {
        "invoice": made["latest_invoice"],
        "payment_status": "paid" if session["amount_total"] else "no_payment_required",
        "subscription": made["id"],
    }
