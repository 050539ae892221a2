"""/signup: create an account."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.server_link import server_link
from sp404_app.pages.auth.password_field import new_password_with_meter
from sp404_app.state.auth.signup import SignupState


def signup() -> rx.Component:
    """Render the form, and after it where the mail was sent."""
    return forms.auth_page(
        rx.cond(SignupState.sent_to, "Check your email", "Create account"),
        rx.cond(SignupState.sent_to, _sent(), _form()),
        testid="signup",
    )


def _form() -> rx.Component:
    wrong = SignupState.problems
    return rx.el.div(
        rx.el.form(
            forms.notice(wrong["form"]),
            rx.el.div(
                _name("first_name", "First name", "given-name"),
                _name("last_name", "Last name", "family-name"),
                class_name="halves",
            ),
            forms.email_field(problem=wrong["email"]),
            new_password_with_meter("Password", wrong["password"]),
            rx.el.p(
                "By creating an account, you accept the ",
                server_link("terms", href="/terms", class_name="link"),
                ". See ",
                server_link("what we store about you", href="/privacy", class_name="link"),
                ".",
                class_name="muted small",
            ),
            forms.submit("Create account", SignupState.busy),
            on_submit=SignupState.submit,
            no_validate=True,  # the server names all that is wrong, each at its field
            class_name="stack",
        ),
        forms.alternative_link("Already have an account?", "Sign in", "/login"),
        class_name="stack",
    )


def _name(name: str, label: str, autocomplete: str) -> rx.Component:
    return forms.field(
        name,
        label,
        autocomplete=autocomplete,
        problem=SignupState.problems[name],
        max_length=100,
    )


def _sent() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "We sent a link to ",
            rx.el.strong(SignupState.sent_to, custom_attrs={"data-testid": "sent-to"}),
            ". Open it to confirm your email.",
        ),
        rx.cond(
            SignupState.not_sent,
            rx.el.p(
                "We couldn't deliver mail to this address. Check it, or ",
                rx.el.a("sign up with another one", href="/signup", class_name="link"),
                ".",
                class_name="notice error",
                role="alert",
                custom_attrs={"data-testid": "not-sent"},
            ),
        ),
        forms.outbox_link(SignupState.development),
        forms.notice(SignupState.resent, "ok", "resent"),
        rx.el.button(
            "Resend",
            type="button",
            on_click=SignupState.resend,
            class_name="button",
            custom_attrs={"data-testid": "resend"},
        ),
        forms.alternative_link("Already confirmed?", "Sign in", "/login"),
        class_name="stack",
        custom_attrs={"data-testid": "sent"},
    )
