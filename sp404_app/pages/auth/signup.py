"""/signup: making an account."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.pages.auth.password_field import weighed_password
from sp404_app.state.auth.signup import SignupState


def signup() -> rx.Component:
    """Draw the page: the form, and then where to look for the mail."""
    return forms.door(
        rx.cond(SignupState.sent_to, "Look at your mail", "Make an account"),
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
            weighed_password("Password", wrong["password"]),
            rx.el.p(
                "With an account you accept the ",
                rx.el.a("terms", href="/terms", class_name="link"),
                "; here is ",
                rx.el.a("what we keep of you", href="/privacy", class_name="link"),
                ".",
                class_name="muted small",
            ),
            forms.submit("Make my account", SignupState.busy),
            on_submit=SignupState.submit,
            class_name="stack",
        ),
        forms.other_way("Have one already?", "Sign in", "/login"),
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
            ". Open it to confirm your address, then sign in.",
        ),
        rx.cond(
            SignupState.not_sent,
            rx.el.p(
                "Our mail could not be sent to this address. Check it, or ",
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
            "Send it again",
            type="button",
            on_click=SignupState.resend,
            class_name="button",
            custom_attrs={"data-testid": "resend"},
        ),
        forms.other_way("Confirmed?", "Sign in", "/login"),
        class_name="stack",
        custom_attrs={"data-testid": "sent"},
    )
