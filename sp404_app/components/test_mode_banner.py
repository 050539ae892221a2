"""Banner on billing pages while the Stripe emulator replaces Stripe."""

import reflex as rx


def test_mode_banner(shown: bool | rx.Var[bool]) -> rx.Component:
    """Show that payments are simulated, with the test card and a link to the test clock."""
    return rx.cond(
        shown,
        rx.el.p(
            rx.el.strong("TEST MODE"),
            rx.el.span(" You won't be charged. Pay with the test card 4242 4242 4242 4242. "),
            rx.el.a("Clock and events", href="/dev/stripe", class_name="link"),
            class_name="test-ribbon",
            data_testid="test-mode",
        ),
    )
