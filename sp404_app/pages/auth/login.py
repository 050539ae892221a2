"""/login: the sign-in page."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.external_redirect import external_redirect
from sp404_app.components.offline_library import signed_out_check
from sp404_app.components.plain_form import plain_form
from sp404_app.state.auth.login import LoginState


def login() -> rx.Component:
    """Render the page."""
    field_problem = LoginState.password_problem | LoginState.code_problem  # type: ignore[operator]
    return forms.auth_page(
        rx.cond(LoginState.second_step, "Enter your code", "Sign in"),
        forms.notice(rx.cond(field_problem, "", LoginState.problem)),
        forms.notice(LoginState.goodbye, "ok", "goodbye"),
        rx.cond(LoginState.unverified, _send_again()),
        rx.cond(LoginState.second_step, _second_step(), _first_step()),
        external_redirect(to=LoginState.leaving_to),
        signed_out_check(),
        testid="login",
    )


def _first_step() -> rx.Component:
    return rx.fragment(
        _form(), _demo(), forms.alternative_link("New here?", "Create account", "/signup")
    )


def _second_step() -> rx.Component:
    """Render the form for the two-factor code; the challenge stays in a cookie."""
    return plain_form(
        forms.field(
            "code",
            "Code from your authenticator app",
            autocomplete="one-time-code",
            hint="No phone? Enter one of your recovery codes.",
            problem=LoginState.code_problem,
            required=True,
            auto_focus=True,
            max_length=40,
            spell_check=False,
            auto_capitalize="off",
        ),
        _next(),
        rx.el.button(
            "Sign in",
            type="submit",
            class_name="button primary wide",
            custom_attrs={"data-testid": "submit-code"},
        ),
        rx.el.a("Start over", href="/login", class_name="link quiet touch-target"),
        action="/auth/session/code",
        method="post",
        class_name="stack",
    )


def _next() -> rx.Component:
    return rx.el.input(
        type="hidden", name="next", key=LoginState.next, default_value=LoginState.next
    )


def _form() -> rx.Component:
    """Render a plain HTML form: it needs no websocket, and no script sees the cookie."""
    return plain_form(
        forms.email_field(autocomplete="username"),
        forms.field(
            "password",
            "Password",
            kind="password",
            autocomplete="current-password",
            problem=LoginState.password_problem,
            required=True,
        ),
        _next(),
        rx.el.button(
            "Sign in",
            type="submit",
            class_name="button primary wide",
            custom_attrs={"data-testid": "submit"},
        ),
        rx.el.a("Forgot password?", href="/forgot-password", class_name="link quiet touch-target"),
        action="/auth/session",
        method="post",
        class_name="stack",
        custom_attrs={"data-one-answer": ""},  # the email may be what is wrong
    )


def _send_again() -> rx.Component:
    return rx.el.div(
        rx.el.button(
            "Resend link",
            type="button",
            on_click=LoginState.resend,
            class_name="button",
            custom_attrs={"data-testid": "resend"},
        ),
        forms.notice(LoginState.resent, "ok", "resent"),
        class_name="stack",
    )


def _demo() -> rx.Component:
    """Render the button that signs in to the demo account, on a development machine."""
    return rx.cond(
        LoginState.demo_email,
        plain_form(
            rx.el.input(type="hidden", name="email", value=LoginState.demo_email),
            rx.el.input(type="hidden", name="password", value=LoginState.demo_password),
            _next(),
            rx.el.button(
                "Try the demo account",
                type="submit",
                class_name="button ghost wide",
                custom_attrs={"data-testid": "demo"},
            ),
            action="/auth/session",
            method="post",
        ),
    )
