"""/verify-email: the mailed link opens it; only pressing its button verifies the email."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.plain_form import plain_form
from sp404_app.state.auth.email_links import VerifyEmailState


def verify_email() -> rx.Component:
    """Render the page."""
    return forms.auth_page(
        rx.cond(VerifyEmailState.outcome != "", "Email confirmed", "Confirm your email"),
        forms.notice(VerifyEmailState.problem),
        rx.fragment(
            rx.match(
                VerifyEmailState.outcome,
                (
                    "other",
                    _go_on(
                        "This browser stays signed in to another account. Sign out to use "
                        "the new one.",
                        "Open the library",
                        "/library",
                    ),
                ),
                ("sign_in", _go_on("Your account is ready.", "Sign in", "/login")),
                rx.cond(
                    VerifyEmailState.loaded & (VerifyEmailState.token == ""),
                    _go_on(
                        "Sign in: if your email is not confirmed yet, we offer you a new link.",
                        "Sign in",
                        "/login",
                    ),
                    _ask(),
                ),
            )
        ),
        testid="verify-email",
    )


def _ask() -> rx.Component:
    """Render the form that confirms and signs in; no script sees the cookie."""
    return plain_form(
        rx.cond(
            VerifyEmailState.email != "",
            rx.el.p(
                "One click, and you are signed in as ",
                rx.el.strong(VerifyEmailState.email, data_testid="email-to-confirm"),
                ".",
                class_name="muted",
            ),
        ),
        rx.el.input(
            type="hidden",
            name="token",
            key=VerifyEmailState.token,
            default_value=VerifyEmailState.token,
        ),
        rx.el.button(
            "Confirm my email",
            type="submit",
            disabled=VerifyEmailState.token == "",
            class_name="button primary wide",
            custom_attrs={"data-testid": "confirm"},
        ),
        action="/auth/session/confirmed",
        method="post",
        class_name="stack",
    )


def _go_on(text: str, label: str, href: str) -> rx.Component:
    return rx.el.div(
        rx.el.p(text, class_name="muted"),
        rx.el.a(
            label,
            href=href,
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
