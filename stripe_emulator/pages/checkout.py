"""The Checkout page."""

from html import escape

from stripe_emulator.engine import checkout
from stripe_emulator.errors import CardProblem
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Ledger

UNFINISHED = "The bank could not confirm that it is you. Try again, or use another card."


def find(ledger: Ledger, identifier: str) -> Object | Page | Redirect:
    """Return the open session, or where its person belongs."""
    session = ledger.peek(identifier)
    if session is None or session["object"] != "checkout.session":
        return html.gone("This page does not exist.")
    if session["status"] == "complete":
        return Redirect(success_url(session))
    expired = session["status"] != "open" or session["expires_at"] <= ledger.clock()
    return html.gone("This page has expired.") if expired else session


def success_url(session: Object) -> str:
    """Return where a person goes after paying."""
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def show(ledger: Ledger, identifier: str, query: dict[str, str]) -> Page | Redirect:
    """Show what is bought, and ask for a card."""
    session = find(ledger, identifier)
    if not isinstance(session, dict):
        return session
    return draw(ledger, session, UNFINISHED if "unfinished" in query else None, {})


def send(ledger: Ledger, identifier: str, form: dict[str, str]) -> Page | Redirect:
    """Pay."""
    session = find(ledger, identifier)
    if not isinstance(session, dict):
        return session
    email = known_email(ledger, session) or form.get("email", "").strip()
    if "@" not in email:
        return draw(ledger, session, "Your email address is incomplete.", form)
    filled = checkout.Form(
        email=email,
        name=form.get("name", "").strip(),
        number=form.get("number", ""),
        expiry=form.get("expiry", ""),
        cvc=form.get("cvc", ""),
    )
    try:
        question = checkout.submit(ledger, session, filled)
    except CardProblem as problem:
        return draw(ledger, session, problem.message, form)
    return Redirect(question or success_url(session))


def known_email(ledger: Ledger, session: Object) -> str | None:
    """Return the address that is known before anybody types."""
    customer = ledger.peek(session["customer"]) or {}
    return customer.get("email") or session["customer_email"]


def draw(ledger: Ledger, session: Object, error: str | None, form: dict[str, str]) -> Page:
    """Draw the page."""
    email = known_email(ledger, session)
    fixed = {"readonly": "readonly"} if email else {"required": "required"}
    address = html.field(
        "email",
        "Email",
        "checkout-email",
        type="email",
        autocomplete="email",
        value=email or form.get("email", ""),
        **fixed,
    )
    name = html.field(
        "name", "Name on card", "checkout-name", autocomplete="cc-name", value=form.get("name", "")
    )
    optional = checkout.card_optional(session)
    cards = html.card_fields("checkout", required=not optional)
    if optional:
        cards = f'<p class="quiet">A card is not needed now.</p>{cards}'
    verb = {"setup": "Save card"}.get(session["mode"], "Subscribe")
    if session["mode"] == "subscription" and not session["amount_total"]:
        verb = "Start trial"
    body = (
        html.back(session["cancel_url"], "checkout-cancel")
        + offer(session)
        + html.problem(error, "checkout")
        + f'<form method="post">{address}{cards}{name}'
        + html.button(verb, "checkout-submit")
        + "</form>"
    )
    return Page("Checkout", body, 402 if error else 200)


def offer(session: Object) -> str:
    """Draw what is bought and what it costs, today and later."""
    if session["mode"] == "setup":
        return '<h1 data-testid="checkout-plan">Save a card</h1>'
    lines = session["_line_items"]
    names = escape(", ".join(line["description"] for line in lines))
    later = sum(line["price"]["unit_amount"] * line["quantity"] for line in lines)
    cycle = lines[0]["price"]["recurring"]["interval"]
    currency = session["currency"]
    each = f"{html.money(later, currency)} per {escape(cycle)}"
    drawn = f'<h1 data-testid="checkout-plan">Subscribe to {names}</h1>'
    total = html.money(session["amount_total"], currency)
    drawn += f'<p class="amount" data-testid="checkout-total">{total}</p>'
    trial = trial_text(session)
    then = f"due today, then {each}" if trial else each
    drawn += f'<p class="quiet" data-testid="checkout-price">{then}</p>'
    return drawn + (f'<p data-testid="checkout-trial">{escape(trial)}</p>' if trial else "")


def trial_text(session: Object) -> str:
    """Say how long the trial is."""
    wanted = session["_subscription"]
    if days := wanted.get("trial_period_days"):
        return f"{days} days free"
    end = wanted.get("trial_end")
    return f"Free until {html.date(end)}" if end else ""
