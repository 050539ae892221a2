"""Note for an operation that takes longer than usual."""

import reflex as rx


def slow_note(slow: rx.Var | bool) -> rx.Component:
    """Render the note while `slow` is true; screen readers announce it."""
    return rx.el.div(
        rx.cond(
            slow,
            rx.el.p(
                "This is taking longer than usual. Please wait…",
                class_name="notice",
                data_testid="slow-note",
            ),
        ),
        role="status",
    )
