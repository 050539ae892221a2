"""The hosted invoice with its button to pay, and its PDF."""

from html import escape

from stripe_emulator import cards
from stripe_emulator.engine import invoice_collection, payments
from stripe_emulator.errors import CardProblem
from stripe_emulator.objects import Object
from stripe_emulator.pages import html, pdf
from stripe_emulator.pages.html import File, Page, Redirect
from stripe_emulator.transaction import Ledger


def find(ledger: Ledger, identifier: str) -> Object | Page:
    """Return a finalized invoice."""
    invoice = ledger.peek(identifier)
    if invoice is None or invoice["object"] != "invoice" or invoice["status"] == "draft":
        return html.gone("This invoice does not exist.")
    return invoice


def show(ledger: Ledger, identifier: str, query: dict[str, str]) -> Page:  # noqa: ARG001 - a page
    """Show what is billed."""
    invoice = find(ledger, identifier)
    return invoice if isinstance(invoice, Page) else draw(ledger, invoice, None)


def send(ledger: Ledger, identifier: str, form: dict[str, str]) -> Page | Redirect:
    """Pay with the card on file, or with another one."""
    invoice = find(ledger, identifier)
    if isinstance(invoice, Page):
        return invoice
    if invoice["status"] != "open":
        return Redirect(invoice["hosted_invoice_url"])
    try:
        method = typed(ledger, invoice, form) if form.get("number", "").strip() else None
        problem = invoice_collection.attempt(ledger, invoice, method=method, on_session=True)
    except CardProblem as refused:
        problem = refused
    if problem:
        return draw(ledger, invoice, problem.message)
    if invoice["status"] == "open":
        _, intent = payment_of(ledger, invoice)
        return Redirect(payments.challenge_url(ledger, intent))
    return Redirect(invoice["hosted_invoice_url"])


def payment_of(ledger: Ledger, invoice: Object) -> tuple[Object, Object]:
    """Return the payment of an invoice and its intent."""
    payment = ledger.find("invoice_payment", parent=invoice["id"])[0]
    return payment, ledger.get("payment_intent", payment["payment"]["payment_intent"])


def typed(ledger: Ledger, invoice: Object, form: dict[str, str]) -> Object:
    """Return the card that somebody typed, attached to the customer."""
    entry = cards.read(
        form.get("number", ""), form.get("expiry", ""), form.get("cvc", ""), int(ledger.clock())
    )
    method = payments.add(ledger, entry, invoice["customer_email"], invoice["customer_name"])
    return payments.attach(ledger, method, invoice["customer"])


def draw(ledger: Ledger, invoice: Object, error: str | None) -> Page:
    """Draw the invoice."""
    currency = invoice["currency"]
    number, status = escape(invoice["number"]), escape(invoice["status"])
    amount = html.money(invoice["amount_due"], currency)
    body = (
        f'<h1>Invoice <span data-testid="invoice-number">{number}</span></h1>'
        f'<p class="amount" data-testid="invoice-amount">{amount}</p>'
        f'<p class="quiet">{html.date(invoice["effective_at"])} · '
        f'<strong data-testid="invoice-status">{status}</strong></p>'
        + html.problem(error, "invoice")
        + lines(invoice)
        + f'<p><a href="{escape(invoice["invoice_pdf"])}" data-testid="invoice-pdf">'
        "Download PDF</a></p>"
    )
    if invoice["status"] == "open":
        body += pay_forms(ledger, invoice, amount)
    return Page(f"Invoice {number}", body, 402 if error else 200, wide=True)


def lines(invoice: Object) -> str:
    """Draw the lines and the total."""
    currency = invoice["currency"]
    rows = "".join(
        f"<tr><td>{escape(line['description'] or '')}</td>"
        f'<td class="number">{html.money(line["amount"], currency)}</td></tr>'
        for line in invoice["lines"]["data"]
    )
    total = html.money(invoice["total"], currency)
    return (
        '<div class="scroll"><table><thead><tr><th>Description</th>'
        f'<th class="number">Amount</th></tr></thead><tbody>{rows}<tr><th>Total</th>'
        f'<th class="number" data-testid="invoice-total">{total}</th></tr></tbody></table></div>'
    )


def pay_forms(ledger: Ledger, invoice: Object, amount: str) -> str:
    """Draw the ways to pay."""
    method = invoice_collection.choose(ledger, invoice)
    drawn = ""
    if method:
        text = f"Pay {amount} with {html.card_name(method)}"
        drawn = f'<form method="post">{html.button(text, "invoice-pay")}</form>'
    fields = html.card_fields("invoice", required=True)
    send_it = html.button(f"Pay {amount}", "invoice-pay-new-card")
    return f'{drawn}<h2>Pay with another card</h2><form method="post">{fields}{send_it}</form>'


def download(ledger: Ledger, identifier: str, query: dict[str, str]) -> Page | File:  # noqa: ARG001
    """Return the invoice as PDF."""
    invoice = find(ledger, identifier)
    if isinstance(invoice, Page):
        return invoice
    return File(f"Invoice-{invoice['number']}.pdf", pdf.write(document(invoice)))


def document(invoice: Object) -> list[pdf.Text]:
    """Return the texts of the page."""
    currency = invoice["currency"]
    title = "Receipt" if invoice["status"] == "paid" else "Invoice"
    texts = [
        pdf.Text(50, 780, title, size=22, bold=True),
        pdf.Text(50, 752, f"Number {invoice['number']}"),
        pdf.Text(50, 736, f"Date {html.date(invoice['effective_at'])}"),
        pdf.Text(50, 720, f"Status {invoice['status']}"),
        pdf.Text(
            50, 704, f"Bill to {invoice['customer_name'] or ''} {invoice['customer_email'] or ''}"
        ),
        pdf.Text(50, 664, "Description", bold=True),
        pdf.Text(545, 664, "Amount", bold=True, right=True),
    ]
    height = 642
    for line in invoice["lines"]["data"][:25]:
        texts.append(pdf.Text(50, height, line["description"] or ""))
        amount = html.money(line["amount"], currency)
        texts.append(pdf.Text(545, height, amount, right=True))
        height -= 20
    for name, key in (("Total", "total"), ("Amount due", "amount_due"), ("Paid", "amount_paid")):
        texts.append(pdf.Text(380, height - 14, name, bold=True))
        amount = html.money(invoice[key], currency)
        texts.append(pdf.Text(545, height - 14, amount, bold=True, right=True))
        height -= 18
    texts.append(pdf.Text(50, 40, "TEST MODE - no real money has moved.", size=9))
    return texts
