"""The customer portal page: plan, card, billing information and invoices."""

from html import escape

from stripe_emulator.engine import portal
from stripe_emulator.errors import ApiError
from stripe_emulator.objects import Object
from stripe_emulator.pages import billing_information, html
from stripe_emulator.pages.html import Page, Redirect
from stripe_emulator.transaction import Transaction


def open_portal_visit(tx: Transaction, key: str) -> portal.PortalVisit | Page:
    """Return the portal session for a URL key, or an error page."""
    visit = portal.find_visit(tx, key)
    return visit or html.not_available("This page has expired. Reopen it from your account.")


def show_portal(tx: Transaction, key: str, query: dict[str, str]) -> Page:
    """Show the portal."""
    visit = open_portal_visit(tx, key)
    if isinstance(visit, Page):
        return visit
    return render_portal(tx, visit, None, query.get("done"))


def submit_portal_action(tx: Transaction, key: str, form: dict[str, str]) -> Page | Redirect:
    """Run the submitted action."""
    visit = open_portal_visit(tx, key)
    if isinstance(visit, Page):
        return visit
    action = form.get("action", "")
    try:
        where = portal.run_portal_action(tx, visit, action, form)
    except ApiError as error:
        return render_portal(tx, visit, error.message, None, form)
    return Redirect(where or f"{tx.base_url}/portal/{key}?done={action}")


def render_portal(
    tx: Transaction,
    visit: portal.PortalVisit,
    error: str | None,
    done: str | None,
    refused: dict[str, str] | None = None,
) -> Page:
    """Render the portal page; `refused` is a form whose values were refused."""
    said = {
        "card": "Your card was changed.",
        "cancel": "Your plan was cancelled.",
        "resume": "Your plan will continue.",
        "switch": "Your plan was changed.",
        "details": "Your billing information was changed.",
        "add-tax-id": "Your tax ID was added.",
        "remove-tax-id": "Your tax ID was removed.",
    }.get(done or "")
    body = html.back_link(visit.session["return_url"], "portal-return", "Return")
    body += "<h1>Your plan</h1>" + html.error_message(error, "portal")
    if said:
        body += f'<p class="note" role="status" data-testid="portal-done">{said}</p>'
    for subscription in visit.subscriptions(tx):
        body += render_subscription(tx, visit, subscription)
    if visit.allows("payment_method_update"):
        body += render_card_section(tx, visit)
    body += billing_information.render_billing_information(tx, visit, refused or {})
    if visit.allows("invoice_history"):
        body += render_invoice_list(tx, visit)
    return Page("Customer portal", body, 402 if error else 200, wide=True)


def render_subscription(tx: Transaction, visit: portal.PortalVisit, subscription: Object) -> str:
    """Render a subscription with the available actions."""
    item = subscription["items"]["data"][0]
    product = tx.get("product", item["price"]["product"])
    each = html.format_money(item["price"]["unit_amount"], subscription["currency"])
    cycle = item["price"]["recurring"]["interval"]
    ends = portal.ends_at(subscription)
    when = (
        f"Ends on {html.format_date(ends)}"
        if ends
        else (f"Renews on {html.format_date(item['current_period_end'])}")
    )
    status = escape(subscription["status"])
    drawn = (
        f'<section><h2 data-testid="portal-plan">{escape(product["name"])}</h2>'
        f'<p>{each} per {escape(cycle)} · <strong data-testid="portal-status">{status}</strong></p>'
        f'<p class="quiet" data-testid="portal-period">{when}</p>'
    )
    if subscription["schedule"]:
        return drawn + "<p>A plan change is scheduled.</p></section>"
    if visit.allows("subscription_update"):
        drawn += "".join(
            html.action_button(
                "switch", f"Switch to {price_label(tx, price)}", "portal-switch", price["id"]
            )
            for price in portal.other_prices(tx, visit, subscription)
        )
    if ends:
        drawn += html.action_button("resume", "Don't cancel", "portal-resume", subscription["id"])
    elif visit.allows("subscription_cancel"):
        drawn += html.action_button("cancel", "Cancel plan", "portal-cancel", subscription["id"])
    return drawn + "</section>"


def price_label(tx: Transaction, price: Object) -> str:
    """Return a price as text: product name and amount."""
    product = tx.get("product", price["product"])
    return f"{product['name']} ({html.format_money(price['unit_amount'], price['currency'])})"


def render_card_section(tx: Transaction, visit: portal.PortalVisit) -> str:
    """Render the current card and the form to replace it."""
    name = html.card_label(visit.card(tx))
    fields = html.card_fields("portal", required=True)
    return (
        f'<section><h2>Card</h2><p data-testid="portal-card">{escape(name)}</p>'
        '<form method="post"><input type="hidden" name="action" value="card">'
        f"{fields}{html.submit_button('Save card', 'portal-card-save')}</form></section>"
    )


def render_invoice_list(tx: Transaction, visit: portal.PortalVisit) -> str:
    """Render the invoices with links to their pages."""
    rows = ""
    for invoice in tx.find_all("invoice", customer=visit.customer["id"])[:50]:
        if invoice["status"] == "draft":
            continue
        pay = "Pay" if invoice["status"] == "open" else "View"
        amount = html.format_money(invoice["total"], invoice["currency"])
        rows += (
            f"<tr><td>{html.format_date(invoice['created'])}</td>"
            f'<td class="number">{amount}</td><td>{escape(invoice["status"])}</td>'
            f'<td><a href="{escape(invoice["hosted_invoice_url"])}" '
            f'data-testid="portal-invoice">{pay}</a></td></tr>'
        )
    return (
        '<section><h2>Invoices</h2><div class="scroll"><table><thead><tr><th>Date</th>'
        '<th class="number">Amount</th><th>Status</th><th></th></tr></thead>'
        f'<tbody data-testid="portal-invoices">{rows}</tbody></table></div></section>'
    )
