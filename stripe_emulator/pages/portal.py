"""The customer portal: plan, card, invoices."""

from html import escape

from stripe_emulator.engine import portal
from stripe_emulator.errors import Problem
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Ledger


def find(ledger: Ledger, key: str) -> portal.Visit | Page:
    """Return the visit, unless its hour is over."""
    visit = portal.enter(ledger, key)
    return visit or html.gone("This page has expired. Open it again from your account.")


def show(ledger: Ledger, key: str, query: dict[str, str]) -> Page:
    """Show the portal."""
    visit = find(ledger, key)
    if isinstance(visit, Page):
        return visit
    return draw(ledger, visit, None, query.get("done"))


def send(ledger: Ledger, key: str, form: dict[str, str]) -> Page | Redirect:
    """Do what one of the forms asks for."""
    visit = find(ledger, key)
    if isinstance(visit, Page):
        return visit
    action = form.get("action", "")
    try:
        where = portal.act(ledger, visit, action, form)
    except Problem as problem:
        return draw(ledger, visit, problem.message, None)
    return Redirect(where or f"{ledger.base_url}/portal/{key}?done={action}")


def draw(ledger: Ledger, visit: portal.Visit, error: str | None, done: str | None) -> Page:
    """Draw the page."""
    said = {
        "card": "Your card was changed.",
        "cancel": "Your plan was cancelled.",
        "resume": "Your plan goes on.",
        "switch": "Your plan was changed.",
    }.get(done or "")
    body = html.back(visit.session["return_url"], "portal-return", "Return")
    body += "<h1>Your plan</h1>" + html.problem(error, "portal")
    if said:
        body += f'<p class="note" role="status" data-testid="portal-done">{said}</p>'
    for subscription in visit.subscriptions(ledger):
        body += draw_subscription(ledger, visit, subscription)
    if visit.allows("payment_method_update"):
        body += draw_card(ledger, visit)
    if visit.allows("invoice_history"):
        body += draw_invoices(ledger, visit)
    return Page("Customer portal", body, 402 if error else 200, wide=True)


def draw_subscription(ledger: Ledger, visit: portal.Visit, subscription: Object) -> str:
    """Draw one subscription with what one may do."""
    item = subscription["items"]["data"][0]
    product = ledger.get("product", item["price"]["product"])
    each = html.money(item["price"]["unit_amount"], subscription["currency"])
    cycle = item["price"]["recurring"]["interval"]
    ends = portal.ending(subscription)
    when = (
        f"Ends on {html.date(ends)}"
        if ends
        else (f"Renews on {html.date(item['current_period_end'])}")
    )
    status = escape(subscription["status"])
    drawn = (
        f'<section><h2 data-testid="portal-plan">{escape(product["name"])}</h2>'
        f'<p>{each} per {escape(cycle)} · <strong data-testid="portal-status">{status}</strong></p>'
        f'<p class="quiet" data-testid="portal-period">{when}</p>'
    )
    if subscription["schedule"]:
        return drawn + "<p>A change of plan is scheduled.</p></section>"
    if visit.allows("subscription_update"):
        drawn += "".join(
            form("switch", f"Switch to {escape_name(ledger, price)}", "portal-switch", price["id"])
            for price in portal.other_prices(ledger, visit, subscription)
        )
    if ends:
        drawn += form("resume", "Don't cancel", "portal-resume", subscription["id"])
    elif visit.allows("subscription_cancel"):
        drawn += form("cancel", "Cancel plan", "portal-cancel", subscription["id"])
    return drawn + "</section>"


def escape_name(ledger: Ledger, price: Object) -> str:
    """Name a price by its product and amount."""
    product = ledger.get("product", price["product"])
    return f"{product['name']} ({html.money(price['unit_amount'], price['currency'])})"


def form(action: str, text: str, testid: str, value: str) -> str:
    """Return a form that is only a button."""
    return (
        '<form class="row" method="post">'
        f'<input type="hidden" name="action" value="{action}">'
        f'<input type="hidden" name="value" value="{escape(value)}">'
        f"{html.button(text, testid, 'plain')}</form>"
    )


def draw_card(ledger: Ledger, visit: portal.Visit) -> str:
    """Draw the card, and the form for another one."""
    name = html.card_name(visit.card(ledger))
    fields = html.card_fields("portal", required=True)
    return (
        f'<section><h2>Card</h2><p data-testid="portal-card">{escape(name)}</p>'
        '<form method="post"><input type="hidden" name="action" value="card">'
        f"{fields}{html.button('Save card', 'portal-card-save')}</form></section>"
    )


def draw_invoices(ledger: Ledger, visit: portal.Visit) -> str:
    """Draw the invoices with links to pay and to download."""
    rows = ""
    for invoice in ledger.find("invoice", customer=visit.customer["id"])[:50]:
        if invoice["status"] == "draft":
            continue
        pay = "Pay" if invoice["status"] == "open" else "View"
        amount = html.money(invoice["total"], invoice["currency"])
        rows += (
            f"<tr><td>{html.date(invoice['created'])}</td>"
            f'<td class="number">{amount}</td><td>{escape(invoice["status"])}</td>'
            f'<td><a href="{escape(invoice["hosted_invoice_url"])}" '
            f'data-testid="portal-invoice">{pay}</a></td></tr>'
        )
    return (
        '<section><h2>Invoices</h2><div class="scroll"><table><thead><tr><th>Date</th>'
        '<th class="number">Amount</th><th>Status</th><th></th></tr></thead>'
        f'<tbody data-testid="portal-invoices">{rows}</tbody></table></div></section>'
    )
