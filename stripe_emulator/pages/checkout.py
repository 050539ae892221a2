"""The Checkout page."""

from html import escape

from stripe_emulator.engine import checkout
from stripe_emulator.errors import CardError
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Transaction

AUTHENTICATION_UNFINISHED = (
    "The bank could not confirm that it is you. Try again, or use another card."
)


def find_open_session(tx: Transaction, identifier: str) -> Object | Page | Redirect:
    """Return the open session, a redirect if it is complete, or an error page."""
    session = tx.get_or_none(identifier)
    if session is None or session["object"] != "checkout.session":
        return html.not_available("This page does not exist.")
    if session["status"] == "complete":
        return Redirect(success_url(session))
    expired = session["status"] != "open" or session["expires_at"] <= tx.real_time()
    return html.not_available("This page has expired.") if expired else session


def success_url(session: Object) -> str:
    """Return the URL to redirect to after the payment."""
    return session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])


def show_checkout(tx: Transaction, identifier: str, query: dict[str, str]) -> Page | Redirect:
    """Show the Checkout page."""
    session = find_open_session(tx, identifier)
    if not isinstance(session, dict):
        return session
    return render_checkout(
        tx, session, AUTHENTICATION_UNFINISHED if "unfinished" in query else None, {}
    )


def submit_checkout(tx: Transaction, identifier: str, form: dict[str, str]) -> Page | Redirect:
    """Process the submitted Checkout form."""
    session = find_open_session(tx, identifier)
    if not isinstance(session, dict):
        return session
    email = known_email(tx, session) or form.get("email", "").strip()
    if "@" not in email:
        return render_checkout(tx, session, "Enter your email address.", form)
    filled = checkout.CheckoutForm(
        email=email,
        name=form.get("name", "").strip(),
        number=form.get("number", ""),
        expiry=form.get("expiry", ""),
        cvc=form.get("cvc", ""),
    )
    try:
        question = checkout.submit_session(tx, session, filled)
    except CardError as error:
        return render_checkout(tx, session, error.message, form)
    return Redirect(question or success_url(session))


def known_email(tx: Transaction, session: Object) -> str | None:
    """Return the e-mail address of the customer or session, or None."""
    customer = tx.get_or_none(session["customer"]) or {}
    return customer.get("email") or session["customer_email"]


def render_checkout(
    tx: Transaction, session: Object, error: str | None, form: dict[str, str]
) -> Page:
    """Render the Checkout page."""
    email = known_email(tx, session)
    fixed = {"readonly": "readonly"} if email else {"required": "required"}
    address = html.input_field(
        "email",
        "Email",
        "checkout-email",
        type="email",
        autocomplete="email",
        value=email or form.get("email", ""),
        **fixed,
    )
    name = html.input_field(
        "name", "Name on card", "checkout-name", autocomplete="cc-name", value=form.get("name", "")
    )
    optional = checkout.is_card_optional(session)
    cards = html.card_fields("checkout", required=not optional)
    if optional:
        cards = f'<p class="quiet">You don\'t need a card now.</p>{cards}'
    verb = {"setup": "Save card"}.get(session["mode"], "Subscribe")
    if session["mode"] == "subscription" and not session["amount_total"]:
        verb = "Start trial"
    body = (
        html.back_link(session["cancel_url"], "checkout-cancel")
        + render_summary(session)
        + html.error_message(error, "checkout")
        + f'<form method="post">{address}{cards}{name}'
        + html.submit_button(verb, "checkout-submit")
        + "</form>"
    )
    return Page("Checkout", body, 402 if error else 200)


def render_summary(session: Object) -> str:
    """Render what is sold, the amount due today and the later price."""
    if session["mode"] == "setup":
        return '<h1 data-testid="checkout-plan">Save a card</h1>'
    lines = session["_line_items"]
    names = escape(", ".join(line["description"] for line in lines))
    later = sum(line["price"]["unit_amount"] * line["quantity"] for line in lines)
    cycle = lines[0]["price"]["recurring"]["interval"]
    currency = session["currency"]
    each = f"{html.format_money(later, currency)} per {escape(cycle)}"
    drawn = f'<h1 data-testid="checkout-plan">Subscribe to {names}</h1>'
    total = html.format_money(session["amount_total"], currency)
    drawn += f'<p class="amount" data-testid="checkout-total">{total}</p>'
    trial = trial_text(session)
    then = f"due today, then {each}" if trial else each
    drawn += f'<p class="quiet" data-testid="checkout-price">{then}</p>'
    return drawn + (f'<p data-testid="checkout-trial">{escape(trial)}</p>' if trial else "")


def trial_text(session: Object) -> str:
    """Return the length of the trial as text, or an empty string."""
    wanted = session["_subscription"]
    if days := wanted.get("trial_period_days"):
        return f"{days} days free"
    end = wanted.get("trial_end")
    return f"Free until {html.format_date(end)}" if end else ""
