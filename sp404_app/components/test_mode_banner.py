"""The ribbon on every page about money while no money moves."""

import reflex as rx


def ribbon(shown: bool | rx.Var[bool]) -> rx.Component:
    """Say that this is a test machine, and where its clock is."""
    return rx.cond(
        shown,
        rx.el.p(
            rx.el.strong("TEST MODE"),
            rx.el.span(" No money moves here. Pay with 4242 4242 4242 4242. "),
            rx.el.a("Clock and events", href="/dev/stripe", class_name="link"),
            class_name="test-ribbon",
            data_testid="test-mode",
        ),
    )
