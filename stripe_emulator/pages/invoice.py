"""The hosted invoice page with its payment forms, and the invoice PDF."""

from html import escape

from stripe_emulator import cards
from stripe_emulator.engine import invoice_collection, invoices, payments
from stripe_emulator.errors import CardError
from stripe_emulator.objects import Object
from stripe_emulator.pages import billing_information, html, pdf
from stripe_emulator.pages.html import File, Page, Redirect
from stripe_emulator.transaction import Transaction

MAX_PDF_LINES = 18


def find_finalized_invoice(tx: Transaction, identifier: str) -> Object | Page:
    """Return a finalized invoice, or an error page."""
    invoice = tx.get_or_none(identifier)
    if invoice is None or invoice["object"] != "invoice" or invoice["status"] == "draft":
        return html.not_available("This invoice does not exist.")
    return invoice


def show_invoice(tx: Transaction, identifier: str, query: dict[str, str]) -> Page:  # noqa: ARG001 - a page
    """Show the invoice."""
    invoice = find_finalized_invoice(tx, identifier)
    return invoice if isinstance(invoice, Page) else render_invoice(tx, invoice, None)


def submit_invoice_payment(
    tx: Transaction, identifier: str, form: dict[str, str]
) -> Page | Redirect:
    """Pay the invoice with the card on file, or with the entered card."""
    invoice = find_finalized_invoice(tx, identifier)
    if isinstance(invoice, Page):
        return invoice
    if invoice["status"] != "open":
        return Redirect(invoice["hosted_invoice_url"])
    try:
        method = add_entered_card(tx, invoice, form) if form.get("number", "").strip() else None
        error = invoice_collection.attempt_payment(tx, invoice, method=method, on_session=True)
    except CardError as refused:
        error = refused
    if error:
        return render_invoice(tx, invoice, error.message)
    if invoice["status"] == "open":
        _, intent = invoices.payment_and_intent_of(tx, invoice)
        return Redirect(payments.challenge_url(tx, intent))
    return Redirect(invoice["hosted_invoice_url"])


def add_entered_card(tx: Transaction, invoice: Object, form: dict[str, str]) -> Object:
    """Create a payment method from the form and attach it to the customer."""
    entry = cards.parse_card(
        form.get("number", ""), form.get("expiry", ""), form.get("cvc", ""), int(tx.real_time())
    )
    method = payments.add_payment_method(
        tx, entry, invoice["customer_email"], invoice["customer_name"]
    )
    return payments.attach_payment_method(tx, method, invoice["customer"])


def render_invoice(tx: Transaction, invoice: Object, error: str | None) -> Page:
    """Render the invoice page."""
    currency = invoice["currency"]
    number, status = escape(invoice["number"]), escape(invoice["status"])
    amount = html.format_money(invoice["amount_due"], currency)
    body = (
        f'<h1>Invoice <span data-testid="invoice-number">{number}</span></h1>'
        f'<p class="amount" data-testid="invoice-amount">{amount}</p>'
        f'<p class="quiet">{html.format_date(invoice["effective_at"])} · '
        f'<strong data-testid="invoice-status">{status}</strong></p>'
        + html.error_message(error, "invoice")
        + render_bill_to(invoice)
        + render_lines(invoice)
        + f'<p><a href="{escape(invoice["invoice_pdf"])}" data-testid="invoice-pdf">'
        "Download PDF</a></p>"
    )
    if invoice["status"] == "open":
        body += render_payment_forms(tx, invoice, amount)
    return Page(f"Invoice {number}", body, 402 if error else 200, wide=True)


def render_bill_to(invoice: Object) -> str:
    """Render whom the invoice is for."""
    lines = [escape(line) for line in billing_information.bill_to_lines(invoice)]
    return f'<p data-testid="invoice-bill-to">Bill to<br>{"<br>".join(lines)}</p>'


def render_lines(invoice: Object) -> str:
    """Render the lines and the total."""
    currency = invoice["currency"]
    rows = "".join(
        f"<tr><td>{escape(line['description'] or '')}</td>"
        f'<td class="number">{html.format_money(line["amount"], currency)}</td></tr>'
        for line in invoice["lines"]["data"]
    )
    total = html.format_money(invoice["total"], currency)
    return (
        '<div class="scroll"><table><thead><tr><th>Description</th>'
        f'<th class="number">Amount</th></tr></thead><tbody>{rows}<tr><th>Total</th>'
        f'<th class="number" data-testid="invoice-total">{total}</th></tr></tbody></table></div>'
    )


def render_payment_forms(tx: Transaction, invoice: Object, amount: str) -> str:
    """Render the forms to pay with the card on file or with another card."""
    method = invoice_collection.payment_method_for(tx, invoice)
    drawn = ""
    if method:
        text = f"Pay {amount} with {html.card_label(method)}"
        drawn = f'<form method="post">{html.submit_button(text, "invoice-pay")}</form>'
    fields = html.card_fields("invoice", required=True)
    send_it = html.submit_button(f"Pay {amount}", "invoice-pay-new-card")
    return f'{drawn}<h2>Pay with another card</h2><form method="post">{fields}{send_it}</form>'


def download_pdf(tx: Transaction, identifier: str, query: dict[str, str]) -> Page | File:  # noqa: ARG001
    """Return the invoice as PDF."""
    invoice = find_finalized_invoice(tx, identifier)
    if isinstance(invoice, Page):
        return invoice
    return File(f"Invoice-{invoice['number']}.pdf", pdf.write_pdf(invoice_texts(invoice)))


def invoice_texts(invoice: Object) -> list[pdf.Text]:
    """Return the texts of the PDF page."""
    title = "Receipt" if invoice["status"] == "paid" else "Invoice"
    texts = [
        pdf.Text(50, 780, title, size=22, bold=True),
        pdf.Text(50, 752, f"Number {invoice['number']}"),
        pdf.Text(50, 736, f"Date {html.format_date(invoice['effective_at'])}"),
        pdf.Text(50, 720, f"Status {invoice['status']}"),
        pdf.Text(50, 696, "Bill to", bold=True),
    ]
    height = 680
    for line in billing_information.bill_to_lines(invoice):
        texts.append(pdf.Text(50, height, line))
        height -= 16
    texts += line_texts(invoice, height - 24)
    texts.append(pdf.Text(50, 40, "TEST MODE - no real card was charged.", size=9))
    return texts


def line_texts(invoice: Object, height: int) -> list[pdf.Text]:
    """Return the texts of the lines and totals, from `height` (in points) downwards."""
    currency = invoice["currency"]
    texts = [
        pdf.Text(50, height, "Description", bold=True),
        pdf.Text(545, height, "Amount", bold=True, right=True),
    ]
    height -= 22
    for line in invoice["lines"]["data"][:MAX_PDF_LINES]:
        texts.append(pdf.Text(50, height, line["description"] or ""))
        amount = html.format_money(line["amount"], currency)
        texts.append(pdf.Text(545, height, amount, right=True))
        height -= 20
    for name, key in (("Total", "total"), ("Amount due", "amount_due"), ("Paid", "amount_paid")):
        texts.append(pdf.Text(380, height - 14, name, bold=True))
        amount = html.format_money(invoice[key], currency)
        texts.append(pdf.Text(545, height - 14, amount, bold=True, right=True))
        height -= 18
    return texts
