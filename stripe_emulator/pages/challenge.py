"""The page of the bank that asks whether it is you: 3-D Secure."""

from stripe_emulator.engine import checkout, invoice_collection, payments
from stripe_emulator.errors import CardProblem
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.pages.checkout import success_url
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Ledger

FAILED = (
    "We are unable to authenticate your payment method. Please choose a different payment method"
    " and try again."
)


def find(ledger: Ledger, secret: str) -> Object | Page:
    """Return the intent that waits, by its client secret."""
    intent = ledger.peek(secret.partition("_secret_")[0])
    if intent is None or intent.get("client_secret") != secret:
        return html.gone("This page does not exist.")
    if intent["status"] != "requires_action":
        return html.gone("This question has been answered.")
    return intent


def show(ledger: Ledger, secret: str, query: dict[str, str]) -> Page:  # noqa: ARG001 - a page
    """Ask."""
    intent = find(ledger, secret)
    if isinstance(intent, Page):
        return intent
    what = "keep this card for later payments"
    if intent["object"] == "payment_intent":
        what = f"pay {html.money(intent['amount'], intent['currency'])}"
    choices = "".join(
        f'<form class="row" method="post"><input type="hidden" name="answer" value="{answer}">'
        f"{html.button(text, f'challenge-{answer}', kind)}</form>"
        for answer, text, kind in (
            ("complete", "Complete", ""),
            ("fail", "Fail", "plain"),
        )
    )
    body = f"<h1>3D Secure 2 test page</h1><p>Your bank asks: do you want to {what}?</p>{choices}"
    return Page("3-D Secure", body)


def send(ledger: Ledger, secret: str, form: dict[str, str]) -> Page | Redirect:
    """Take the answer, and go on where the payment was."""
    intent = find(ledger, secret)
    if isinstance(intent, Page):
        return intent
    confirmed = form.get("answer") == "complete"
    if "_invoice" in intent:
        return answer_invoice(ledger, intent, confirmed)
    return answer_checkout(ledger, intent, confirmed)


def refuse(ledger: Ledger, intent: Object) -> None:
    """Let the intent wait for another card."""
    problem = CardProblem(FAILED, f"{intent['object']}_authentication_failure")
    problem.method = ledger.peek(intent["payment_method"])
    if intent["object"] == "payment_intent":
        payments.give_up(ledger, intent, problem, None)
        return
    intent |= {"last_setup_error": problem.payment_error(), "next_action": None}
    intent |= {"payment_method": None, "status": "requires_payment_method"}
    ledger.save(intent)
    ledger.emit("setup_intent.setup_failed", intent)


def answer_checkout(ledger: Ledger, intent: Object, confirmed: bool) -> Redirect:
    """Complete the session, or go back to its page."""
    session = ledger.get("checkout.session", intent["_session"])
    page = f"{ledger.base_url}/pay/{session['id']}?unfinished"
    if session["status"] != "open":
        return Redirect(page)
    if not confirmed:
        refuse(ledger, intent)
        return Redirect(page)
    try:
        checkout.authenticated(ledger, intent)
    except CardProblem:
        return Redirect(page)
    return Redirect(success_url(ledger.get("checkout.session", session["id"])))


def answer_invoice(ledger: Ledger, intent: Object, confirmed: bool) -> Redirect:
    """Pay the invoice, or note that the attempt failed."""
    invoice = ledger.get("invoice", intent["_invoice"])
    if confirmed:
        method = ledger.get("payment_method", intent["payment_method"])
        method["_authenticated"] = True
        ledger.save(method)
        invoice_collection.attempt(ledger, invoice, method=method, authenticated=True)
    else:
        refuse(ledger, intent)
        ledger.emit("invoice.payment_failed", invoice)
    return Redirect(f"{ledger.base_url}/invoice/{invoice['id']}")
