"""404: the page for every address that leads nowhere."""

import reflex as rx

from sp404_app.components import forms


def not_found() -> rx.Component:
    """Draw the page."""
    return forms.door("Page not found", explanation(), testid="not-found")


def explanation() -> rx.Component:
    """Say what happened, and where to go from here."""
    return rx.el.div(
        rx.el.p(
            "There is no page at this address. The link may be old or mistyped.",
            class_name="muted",
        ),
        rx.el.a("Open the library", href="/library", class_name="button primary wide"),
        rx.el.a("Go to the start page", href="/", class_name="button wide"),
        class_name="stack",
    )
