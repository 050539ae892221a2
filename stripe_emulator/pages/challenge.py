"""The 3-D Secure challenge page of the card's bank."""

from stripe_emulator.engine import checkout, invoice_collection, payments
from stripe_emulator.errors import CardError
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.pages.checkout import success_url
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Transaction

AUTHENTICATION_FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method"
    " and try again."
)


def find_pending_intent(tx: Transaction, secret: str) -> Object | Page:
    """Return the intent with this client secret that waits for authentication, or an error page."""
    intent = tx.get_or_none(secret.partition("_secret_")[0])
    if intent is None or intent.get("client_secret") != secret:
        return html.not_available("This page does not exist.")
    if intent["status"] != "requires_action":
        return html.not_available("You have already answered this question.")
    return intent


def show_challenge(tx: Transaction, secret: str, query: dict[str, str]) -> Page:  # noqa: ARG001 - a page
    """Show the challenge."""
    intent = find_pending_intent(tx, secret)
    if isinstance(intent, Page):
        return intent
    what = "save this card for later payments"
    if intent["object"] == "payment_intent":
        what = f"pay {html.format_money(intent['amount'], intent['currency'])}"
    choices = "".join(
        f'<form class="row" method="post"><input type="hidden" name="answer" value="{answer}">'
        f"{html.submit_button(text, f'challenge-{answer}', kind)}</form>"
        for answer, text, kind in (
            ("complete", "Complete", ""),
            ("fail", "Fail", "plain"),
        )
    )
    body = f"<h1>3D Secure 2 test page</h1><p>Your bank asks: Do you want to {what}?</p>{choices}"
    return Page("3-D Secure", body)


def submit_challenge(tx: Transaction, secret: str, form: dict[str, str]) -> Page | Redirect:
    """Process the answer and continue the payment."""
    intent = find_pending_intent(tx, secret)
    if isinstance(intent, Page):
        return intent
    confirmed = form.get("answer") == "complete"
    if "_invoice" in intent:
        return finish_invoice_challenge(tx, intent, confirmed)
    return finish_checkout_challenge(tx, intent, confirmed)


def record_failed_authentication(tx: Transaction, intent: Object) -> None:
    """Record that the authentication failed; the intent then needs another payment method."""
    error = CardError(AUTHENTICATION_FAILED, f"{intent['object']}_authentication_failure")
    error.method = tx.get_or_none(intent["payment_method"])
    if intent["object"] == "payment_intent":
        payments.fail_payment_intent(tx, intent, error, None)
        return
    intent |= {"last_setup_error": error.payment_error(), "next_action": None}
    intent |= {"payment_method": None, "status": "requires_payment_method"}
    tx.save(intent)
    tx.emit("setup_intent.setup_failed", intent)


def finish_checkout_challenge(tx: Transaction, intent: Object, confirmed: bool) -> Redirect:
    """Complete the Checkout Session, or return to its page."""
    session = tx.get("checkout.session", intent["_session"])
    page = f"{tx.base_url}/pay/{session['id']}?unfinished"
    if session["status"] != "open":
        return Redirect(page)
    if not confirmed:
        record_failed_authentication(tx, intent)
        return Redirect(page)
    try:
        checkout.continue_after_authentication(tx, intent)
    except CardError:
        return Redirect(page)
    return Redirect(success_url(tx.get("checkout.session", session["id"])))


def finish_invoice_challenge(tx: Transaction, intent: Object, confirmed: bool) -> Redirect:
    """Pay the invoice, or record the failed attempt."""
    invoice = tx.get("invoice", intent["_invoice"])
    if confirmed:
        method = tx.get("payment_method", intent["payment_method"])
        method["_authenticated"] = True
        tx.save(method)
        invoice_collection.attempt_payment(tx, invoice, method=method, authenticated=True)
    else:
        record_failed_authentication(tx, intent)
        tx.emit("invoice.payment_failed", invoice)
    return Redirect(f"{tx.base_url}/invoice/{invoice['id']}")
