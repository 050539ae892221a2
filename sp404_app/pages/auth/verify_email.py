"""/verify-email: the mailed link opens it; only pressing its button verifies the email."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.email_links import VerifyEmailState


def verify_email() -> rx.Component:
    """Render the page."""
    return forms.auth_page(
        rx.cond(VerifyEmailState.done, "Email confirmed", "Confirm your email"),
        forms.notice(VerifyEmailState.problem),
        rx.cond(VerifyEmailState.done, _done(), _ask()),
        testid="verify-email",
    )


def _ask() -> rx.Component:
    return rx.el.div(
        rx.el.p("One click and your account is ready.", class_name="muted"),
        forms.submit(
            "Confirm my email",
            VerifyEmailState.busy,
            type="button",
            on_click=VerifyEmailState.confirm,
            custom_attrs={"data-testid": "confirm"},
        ),
        class_name="stack",
    )


def _done() -> rx.Component:
    return rx.el.div(
        rx.el.p("Your account is ready. Sign in and upload your first sounds."),
        rx.el.a(
            "Sign in",
            href="/login",
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
