"""/verify-email: where the mail's link leads; opening it changes nothing, pressing does."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.email_links import VerifyEmailState


def verify_email() -> rx.Component:
    """Draw the page."""
    return forms.door(
        rx.cond(VerifyEmailState.done, "Confirmed", "Confirm your address"),
        forms.notice(VerifyEmailState.problem),
        rx.cond(VerifyEmailState.done, _done(), _ask()),
        testid="verify-email",
    )


def _ask() -> rx.Component:
    return rx.el.div(
        rx.el.p("One press, and your account is ready.", class_name="muted"),
        forms.submit(
            "Confirm my address",
            VerifyEmailState.busy,
            type="button",
            on_click=VerifyEmailState.confirm,
            custom_attrs={"data-testid": "confirm"},
        ),
        class_name="stack",
    )


def _done() -> rx.Component:
    return rx.el.div(
        rx.el.p("Your address is confirmed. Sign in, and drop your first sounds."),
        rx.el.a(
            "Sign in",
            href="/login",
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
