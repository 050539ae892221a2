"""/forgot-password: asking for a link to choose a new password."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.state.auth.email_links import ForgotPasswordState


def forgot_password() -> rx.Component:
    """Draw the page."""
    return forms.door(
        rx.cond(ForgotPasswordState.sent, "Look at your mail", "Forgotten the password?"),
        rx.cond(ForgotPasswordState.sent, _sent(), _form()),
        forms.other_way("It came back to you?", "Sign in", "/login"),
        testid="forgot-password",
    )


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.p("We mail you a link to choose a new one.", class_name="muted"),
        forms.email_field(problem=ForgotPasswordState.problem),
        forms.submit("Send me the link", ForgotPasswordState.busy),
        on_submit=ForgotPasswordState.submit,
        class_name="stack",
    )


def _sent() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "If this address has an account, a mail is on its way. "
            "Its link works once, within an hour.",
            custom_attrs={"data-testid": "sent"},
        ),
        forms.outbox_link(ForgotPasswordState.development),
        class_name="stack",
    )
