"""`/dev/stripe`: test clocks, events and webhook faults of the Stripe emulator."""

from typing import Any

import reflex as rx

from sp404_app.components.brand import brand, style_sheet
from sp404_app.services.billing.emulator_controls import CustomerClock, ReceivedEvent, SentEvent
from sp404_app.state.dev.stripe import DevStripeState

STEPS = (
    ("hour", "+1 hour"),
    ("day", "+1 day"),
    ("week", "+7 days"),
    ("fortnight", "+14 days"),
    ("month", "+31 days"),
    ("next", "To next event"),
)


def dev_stripe() -> rx.Component:
    """Render the page."""
    return rx.el.main(
        style_sheet("/account.css"),
        style_sheet("/billing.css"),
        brand("/billing"),
        rx.el.header(
            rx.el.h1("Stripe emulator"),
            rx.el.p(
                "No real money is involved. Advance the clock to see what happens.",
                class_name="muted",
            ),
            class_name="money-head",
        ),
        rx.match(
            DevStripeState.closed,
            (True, rx.el.p("Page not found.", class_name="muted")),
            control_panel(),
        ),
        class_name="page money dev",
        custom_attrs={"data-testid": "dev-stripe"},
    )


def control_panel() -> rx.Component:
    """Render the toolbar and all sections."""
    return rx.fragment(
        rx.el.div(
            small_button("Refresh", DevStripeState.load, "refresh"),
            small_button("Reconcile", DevStripeState.reconcile, "reconcile"),
            small_button("Retry deliveries", DevStripeState.retry, "retry"),
            rx.el.span(
                rx.cond(DevStripeState.busy, "Working…", DevStripeState.message),
                role="status",
                data_testid="said",
            ),
            class_name="row wrap",
        ),
        list_section("Customer clocks", DevStripeState.clocks, clock_row, "No customers yet."),
        webhook_faults(),
        list_section("Sent events", DevStripeState.sent_events, sent_event_row, "No events yet."),
        list_section(
            "Received events",
            DevStripeState.received_events,
            received_event_row,
            "No events received yet.",
        ),
    )


def list_section(title: str, rows: list[Any], render_row: Any, empty: str) -> rx.Component:
    """Render a list under a heading."""
    return rx.el.section(
        rx.el.h2(title),
        rx.cond(
            rows,
            rx.el.ul(rx.foreach(rows, render_row), class_name="invoices"),
            rx.el.p(rx.cond(DevStripeState.loaded, empty, "…"), class_name="muted"),
        ),
        class_name="card stack",
    )


def clock_row(row: CustomerClock) -> rx.Component:
    """Render one customer's clock and the buttons to advance it."""
    return rx.el.li(
        rx.el.div(
            rx.el.strong(row.email),
            rx.el.p(row.at, class_name="mono", data_testid="now"),
            rx.el.p(
                f"next: {row.next} · {row.subscriptions}",
                class_name="muted mono device-facts",
            ),
        ),
        rx.el.div(
            *(
                small_button(label, DevStripeState.advance(row.id, step), f"advance-{step}")
                for step, label in STEPS
            ),
            class_name="row wrap",
        ),
        class_name="dev-row",
        data_testid="clock",
        data_email=row.email,
    )


def webhook_faults() -> rx.Component:
    """Render the settings for faulty webhook delivery."""
    faults = DevStripeState.delivery_faults
    return rx.el.section(
        rx.el.h2("Webhook faults"),
        rx.el.div(
            fault_input("duplicate", "Extra copies of each event", faults.duplicate),
            fault_input("delay_seconds", "Delay in seconds", faults.delay_seconds),
            fault_input("drop", "Share of lost events (0 to 1)", faults.drop),
            fault_checkbox("shuffle", "Random order", faults.shuffle),
            fault_checkbox("paused", "Pause delivery", faults.paused),
            class_name="weather",
        ),
        class_name="card stack",
    )


def fault_input(name: str, label: str, value: float) -> rx.Component:
    """Render a number input for row setting."""
    return rx.el.label(
        rx.el.span(label, class_name="field-label"),
        rx.el.input(
            type="number",
            min=0,
            step="any",
            default_value=rx.Var.create(value).to_string(),
            key=f"{name}-{value}",
            on_blur=lambda typed: DevStripeState.change(name, typed),
            class_name="input",
            data_testid=name,
        ),
        class_name="field",
    )


def fault_checkbox(name: str, label: str, on: bool) -> rx.Component:
    """Render a checkbox for row setting."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=on,
            on_change=DevStripeState.change(name, rx.cond(on, False, True)),
            data_testid=name,
        ),
        label,
        class_name="choice touch-target",
    )


def sent_event_row(row: SentEvent) -> rx.Component:
    """Render one event that the emulator sent."""
    return rx.el.li(
        rx.el.span(row.at, class_name="mono muted"),
        rx.el.span(row.type, class_name="mono"),
        rx.el.span(row.deliveries, class_name="muted"),
        small_button("Resend", DevStripeState.send_again(row.id), "send-again"),
        class_name="dev-event",
    )


def received_event_row(row: ReceivedEvent) -> rx.Component:
    """Render one event that this app received."""
    return rx.el.li(
        rx.el.span(row.at, class_name="mono muted"),
        rx.el.span(row.type, class_name="mono"),
        rx.el.span(row.state, " ", row.error, class_name="muted"),
        small_button("Process again", DevStripeState.replay(row.id), "replay"),
        class_name="dev-event",
        data_testid="taken",
    )


def small_button(label: str, handler: rx.event.EventType[()], testid: str) -> rx.Component:
    """Render a small button, disabled while an action runs."""
    return rx.el.button(
        label,
        type="button",
        disabled=DevStripeState.busy,
        on_click=handler,
        class_name="button small",
        data_testid=testid,
    )
