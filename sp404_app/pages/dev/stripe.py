"""`/dev/stripe`: test clocks, events and webhook faults of the Stripe emulator."""

from typing import Any

import reflex as rx

from sp404_app.components.brand import Typeface, brand, style_sheet
from sp404_app.services.billing.emulator_controls import Clock, Sent, Taken
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
        Typeface.create(),
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
            (True, rx.el.p("There is nothing at this address.", class_name="muted")),
            board(),
        ),
        class_name="page money dev",
        custom_attrs={"data-testid": "dev-stripe"},
    )


def board() -> rx.Component:
    """Render the toolbar and all sections."""
    return rx.fragment(
        rx.el.div(
            button("Refresh", DevStripeState.load, "refresh"),
            button("Reconcile", DevStripeState.reconcile, "reconcile"),
            button("Retry deliveries", DevStripeState.retry, "retry"),
            rx.el.span(
                rx.cond(DevStripeState.busy, "Working …", DevStripeState.said),
                role="status",
                data_testid="said",
            ),
            class_name="row wrap",
        ),
        section("Customer clocks", DevStripeState.clocks, clock, "No customers yet."),
        webhook_faults(),
        section("Sent events", DevStripeState.sent, sent, "No events yet."),
        section("Received events", DevStripeState.taken, taken, "No events received yet."),
    )


def section(title: str, rows: list[Any], row: Any, empty: str) -> rx.Component:
    """Render a list under a heading."""
    return rx.el.section(
        rx.el.h2(title),
        rx.cond(
            rows,
            rx.el.ul(rx.foreach(rows, row), class_name="invoices"),
            rx.el.p(rx.cond(DevStripeState.loaded, empty, "…"), class_name="muted"),
        ),
        class_name="card stack",
    )


def clock(one: Clock) -> rx.Component:
    """Render one customer's clock and the buttons to advance it."""
    return rx.el.li(
        rx.el.div(
            rx.el.strong(one.email),
            rx.el.p(one.at, class_name="mono", data_testid="now"),
            rx.el.p(
                f"next: {one.next} · {one.subscriptions}",
                class_name="muted mono device-facts",
            ),
        ),
        rx.el.div(
            *(
                button(label, DevStripeState.advance(one.id, step), f"advance-{step}")
                for step, label in STEPS
            ),
            class_name="row wrap",
        ),
        class_name="dev-row",
        data_testid="clock",
        data_email=one.email,
    )


def webhook_faults() -> rx.Component:
    """Render the settings for faulty webhook delivery."""
    found = DevStripeState.chaos
    return rx.el.section(
        rx.el.h2("Webhook faults"),
        rx.el.div(
            number("duplicate", "Extra copies of each event", found.duplicate),
            number("delay_seconds", "Delay in seconds", found.delay_seconds),
            number("drop", "Share of lost events (0 to 1)", found.drop),
            switch("shuffle", "Random order", found.shuffle),
            switch("paused", "Pause delivery", found.paused),
            class_name="weather",
        ),
        class_name="card stack",
    )


def number(name: str, label: str, value: float) -> rx.Component:
    """Render a number input for one setting."""
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


def switch(name: str, label: str, on: bool) -> rx.Component:
    """Render a checkbox for one setting."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=on,
            on_change=DevStripeState.change(name, rx.cond(on, False, True)),
            data_testid=name,
        ),
        label,
        class_name="choice",
    )


def sent(one: Sent) -> rx.Component:
    """Render one event that the emulator sent."""
    return rx.el.li(
        rx.el.span(one.at, class_name="mono muted"),
        rx.el.span(one.type, class_name="mono"),
        rx.el.span(one.deliveries, class_name="muted"),
        button("Resend", DevStripeState.send_again(one.id), "send-again"),
        class_name="dev-event",
    )


def taken(one: Taken) -> rx.Component:
    """Render one event that this app received."""
    return rx.el.li(
        rx.el.span(one.at, class_name="mono muted"),
        rx.el.span(one.type, class_name="mono"),
        rx.el.span(one.state, " ", one.error, class_name="muted"),
        button("Process again", DevStripeState.replay(one.id), "replay"),
        class_name="dev-event",
        data_testid="taken",
    )


def button(label: str, handler: rx.event.EventType[()], testid: str) -> rx.Component:
    """Render a small button, disabled while an action runs."""
    return rx.el.button(
        label,
        type="button",
        disabled=DevStripeState.busy,
        on_click=handler,
        class_name="button small",
        data_testid=testid,
    )
