"""/reset-password: choosing a new password by a mailed link."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.pages.auth.password_field import weighed_password
from sp404_app.state.auth.email_links import ResetPasswordState


def reset_password() -> rx.Component:
    """Draw the page."""
    return forms.door(
        rx.cond(ResetPasswordState.done, "Password changed", "Choose a new password"),
        rx.cond(ResetPasswordState.done, _done(), _form()),
        testid="reset-password",
    )


def _form() -> rx.Component:
    wrong = ResetPasswordState.problems
    return rx.el.form(
        forms.notice(wrong["form"]),
        rx.cond(wrong["form"], forms.other_way("", "Ask for a new link", "/forgot-password")),
        weighed_password("New password", wrong["password"]),
        rx.el.p("All your devices will be signed out.", class_name="muted"),
        forms.submit("Change my password", ResetPasswordState.busy),
        on_submit=ResetPasswordState.submit,
        class_name="stack",
    )


def _done() -> rx.Component:
    return rx.el.div(
        rx.el.p("Sign in with the new one. All your devices were signed out."),
        rx.el.a(
            "Sign in",
            href="/login",
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
