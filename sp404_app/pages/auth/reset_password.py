"""/reset-password: choose a new password by a mailed link."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.pages.auth.password_field import new_password_with_meter
from sp404_app.state.auth.email_links import ResetPasswordState


def reset_password() -> rx.Component:
    """Render the page."""
    return forms.auth_page(
        rx.cond(ResetPasswordState.done, "Password changed", "Choose a new password"),
        rx.cond(ResetPasswordState.done, _done(), _form()),
        testid="reset-password",
    )


def _form() -> rx.Component:
    return rx.el.form(
        forms.notice(ResetPasswordState.problem),
        rx.cond(
            ResetPasswordState.problem,
            forms.alternative_link("", "Request a new link", "/forgot-password"),
        ),
        new_password_with_meter("New password", ResetPasswordState.password_problem),
        rx.el.p("This signs out all your devices.", class_name="muted"),
        forms.submit("Change password", ResetPasswordState.busy),
        on_submit=ResetPasswordState.submit,
        class_name="stack",
    )


def _done() -> rx.Component:
    return rx.el.div(
        rx.el.p("All your devices have been signed out. Sign in with your new password."),
        rx.el.a(
            "Sign in",
            href="/login",
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
