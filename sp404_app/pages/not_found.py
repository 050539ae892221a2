"""The 404 page."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.server_link import server_link


def not_found() -> rx.Component:
    """Render the page."""
    return forms.auth_page("Page not found", not_found_message(), testid="not-found")


def not_found_message() -> rx.Component:
    """Render the explanation and links to the library and the home page."""
    return rx.el.div(
        rx.el.p(
            "This page doesn't exist. The link may be outdated or mistyped.",
            class_name="muted",
        ),
        rx.el.a("Open the library", href="/library", class_name="button primary wide"),
        # The server leads whoever is signed in to the library.
        server_link("Go to the home page", href="/", class_name="button wide"),
        class_name="stack",
    )
