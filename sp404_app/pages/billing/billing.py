"""/billing: the subscription, payment problems and invoices."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.external_redirect import external_redirect
from sp404_app.components.menus import modal
from sp404_app.components.server_link import server_link
from sp404_app.components.slow_note import slow_note
from sp404_app.components.test_mode_banner import test_mode_banner
from sp404_app.pages.layout import layout
from sp404_app.state.billing.billing import BillingState
from sp404_app.state.billing.billing_view import InvoiceRow
from sp404_app.state.billing.checkout_redirect import LeavingState

CARD = BillingState.card


def billing() -> rx.Component:
    """The billing page."""
    return layout(
        style_sheet("/billing.css"),
        rx.el.div(
            test_mode_banner(BillingState.test_mode),
            rx.el.header(
                rx.el.h1("Plan and billing"),
                rx.el.a("Plans", href="/plans", class_name="link"),
                rx.el.a("Usage", href="/usage", class_name="link"),
                class_name="money-head row",
            ),
            rx.cond(BillingState.activating, activating()),
            rx.el.div(
                rx.cond(
                    BillingState.problem != "",
                    rx.el.p(BillingState.problem, class_name="notice error"),
                ),
                role="alert",
            ),
            slow_note(BillingState.slow),
            rx.cond(BillingState.banner.title != "", banner()),
            rx.cond(
                BillingState.loaded,
                rx.fragment(subscription(), invoices()),
                rx.el.div(
                    rx.el.i(class_name="skeleton short"),
                    rx.el.i(class_name="skeleton tall"),
                    rx.el.i(class_name="skeleton"),
                    class_name="card stack",
                    aria_busy="true",
                ),
            ),
            external_redirect(to=LeavingState.to),
            class_name="page money",
            data_testid="billing",
        ),
        current="/billing",
    )


def activating() -> rx.Component:
    """Shown after Checkout until the subscription is active."""
    return rx.el.p(
        rx.el.i(class_name="pulse", aria_hidden="true"),
        "Activating your plan…",
        class_name="notice",
        role="status",
        data_testid="activating",
    )


def banner() -> rx.Component:
    """The payment problem, with buttons to pay or to update the card."""
    return rx.el.section(
        rx.el.h2(BillingState.banner.title),
        rx.el.p(BillingState.banner.text),
        rx.el.div(
            action_button("Pay now", BillingState.to_payment, "pay", "primary"),
            action_button("Update card", BillingState.to_portal, "fix-card"),
            class_name="row wrap",
        ),
        class_name=f"payment-problem {CARD.mood}",
        role="alert",
        data_testid="banner",
    )


def subscription() -> rx.Component:
    """The plan, its price, next date, payment method and actions."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                rx.el.p("Current plan", class_name="label"),
                rx.el.h2(CARD.plan, class_name="plan-title", data_testid="plan-name"),
            ),
            rx.el.span(CARD.state, class_name=f"mood {CARD.mood}", data_testid="state"),
            class_name="plan-name",
        ),
        rx.el.dl(
            fact("Price", CARD.price, "price"),
            rx.cond(CARD.next_label != "", next_fact()),
            rx.cond(CARD.method != "", fact("Payment method", CARD.method, "method")),
            class_name="money-facts",
        ),
        actions(),
        rx.cond(BillingState.asking, cancel_question()),
        rx.cond(CARD.known, invoice_details_note()),
        class_name="card stack subscription",
        aria_label="Subscription",
    )


def fact(name: str, value: str, testid: str) -> rx.Component:
    """One property of the subscription."""
    return rx.el.div(rx.el.dt(name), rx.el.dd(value, class_name="mono", data_testid=testid))


def next_fact() -> rx.Component:
    """The next date: end, change, retry or invoice."""
    return rx.el.div(
        rx.el.dt(CARD.next_label),
        rx.el.dd(CARD.next_text, class_name="mono", data_testid="next"),
    )


def actions() -> rx.Component:
    """The subscription's buttons."""
    return rx.el.div(
        rx.cond(
            CARD.can_resume, action_button("Resume plan", BillingState.resume, "resume", "primary")
        ),
        rx.cond(
            CARD.keep_label != "",
            action_button(CARD.keep_label, BillingState.keep, "keep", "primary"),
        ),
        rx.el.a(
            rx.cond(CARD.can_cancel, "Change plan", "See plans"),
            href="/plans",
            class_name=rx.cond(CARD.can_cancel | CARD.can_resume, "button", "button primary"),
            id="change-plan",
            data_testid="change-plan",
        ),
        rx.cond(
            CARD.known,
            action_button("Manage payment and invoice details", BillingState.to_portal, "portal"),
        ),
        rx.cond(
            CARD.can_cancel,
            action_button("Cancel plan", BillingState.ask(True), "cancel", "danger"),
        ),
        class_name="row wrap",
    )


def invoice_details_note() -> rx.Component:
    """Where to change what invoices say about the customer."""
    return rx.el.p(
        "“Manage payment and invoice details” also changes name, address and VAT number.",
        class_name="muted",
        data_testid="invoice-details-note",
    )


def cancel_question() -> rx.Component:
    """The dialog that confirms a cancellation."""
    return modal(
        rx.el.h2("Cancel your plan?"),
        rx.el.p(CARD.question),
        rx.el.div(
            slow_note(BillingState.slow),
            rx.cond(
                BillingState.problem != "", rx.el.p(BillingState.problem, class_name="notice error")
            ),
            role="alert",
            class_name="modal-trouble",
        ),
        rx.el.div(
            action_button("Keep plan", BillingState.ask(False), "cancel-no", "ghost"),
            action_button("Cancel plan", BillingState.cancel, "cancel-yes", "danger"),
            class_name="dialog-foot",
        ),
        label="Cancel your plan?",
        test_id="cancel-question",
        on_close=BillingState.ask(False),
    )


def action_button(
    label: str | rx.Var[str], handler: rx.event.EventType[()], testid: str, look: str = ""
) -> rx.Component:
    """A button that is disabled while an action runs."""
    return rx.el.button(
        label,
        type="button",
        disabled=BillingState.busy,
        on_click=handler,
        class_name=f"button {look}",
        data_testid=testid,
    )


def invoices() -> rx.Component:
    """All invoices."""
    return rx.el.section(
        rx.el.h2("Invoices"),
        rx.cond(
            BillingState.rows,
            rx.el.ul(rx.foreach(BillingState.rows, invoice), class_name="invoices"),
            rx.el.p("No invoices yet. They'll appear here after a payment.", class_name="muted"),
        ),
        class_name="card stack",
        aria_label="Invoices",
    )


def invoice(row: InvoiceRow) -> rx.Component:
    """One invoice."""
    return rx.el.li(
        rx.el.span(row.date, class_name="mono invoice-date"),
        rx.el.span(row.what, class_name="invoice-what"),
        rx.el.span(row.amount, class_name="mono invoice-amount", data_testid="invoice-amount"),
        rx.el.span(row.status, class_name=rx.cond(row.open, "mood warn", "mood calm")),
        server_link(
            "PDF",
            href=row.pdf,
            download=True,
            target="_blank",
            class_name="link touch-target",
            aria_label=f"Download invoice {row.number} as PDF",
            data_testid="invoice-pdf",
        ),
        class_name="invoice",
        data_testid="invoice",
    )
