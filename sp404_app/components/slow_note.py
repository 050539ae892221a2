"""A note that something takes longer than usual."""

import reflex as rx


def slow_note(slow: rx.Var | bool) -> rx.Component:
    """A note for work that goes on after two seconds; screen readers hear it, too."""
    return rx.el.div(
        rx.cond(
            slow,
            rx.el.p(
                "This takes longer than usual. Please wait …",
                class_name="notice",
                data_testid="slow-note",
            ),
        ),
        role="status",
    )
