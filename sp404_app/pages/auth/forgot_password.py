"""/forgot-password: request a link to choose a new password."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.email_links import ForgotPasswordState


def forgot_password() -> rx.Component:
    """Render the page."""
    return forms.auth_page(
        rx.cond(ForgotPasswordState.sent, "Check your email", "Forgot password?"),
        rx.cond(ForgotPasswordState.sent, _sent(), _form()),
        forms.alternative_link("Remember your password?", "Sign in", "/login"),
        testid="forgot-password",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.p("Enter your email and we'll send you a reset link.", class_name="muted"),
        forms.email_field(problem=ForgotPasswordState.problem),
        forms.submit("Send reset link", ForgotPasswordState.busy),
        on_submit=ForgotPasswordState.submit,
        class_name="stack",
    )


def _sent() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "If this email has an account, a reset link is on its way. "
            "It works once and expires in an hour.",
            custom_attrs={"data-testid": "sent"},
        ),
        forms.outbox_link(ForgotPasswordState.development),
        class_name="stack",
    )
