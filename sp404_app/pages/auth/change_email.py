"""/change-email and /revert-email: where the mails about a new address lead."""

import reflex as rx
from reflex.event import EventType

from sp404_app.components import forms
from sp404_app.state.auth.email_links import EmailLinkState


def change_email() -> rx.Component:
    """Draw the page that asks the new address."""
    return forms.door(
        rx.cond(EmailLinkState.done, "Address changed", "Use this address?"),
        forms.notice(EmailLinkState.problem),
        rx.cond(
            EmailLinkState.done,
            _done("From now on you sign in with this address:", "Go to my account", "/account"),
            _ask(
                "One press, and your account uses this address from now on.",
                "Use this address",
                EmailLinkState.confirm,
            ),
        ),
        testid="change-email",
    )


def revert_email() -> rx.Component:
    """Draw the page that gives an account back."""
    return forms.door(
        rx.cond(EmailLinkState.done, "The account is yours again", "Keep your address?"),
        forms.notice(EmailLinkState.problem),
        rx.cond(
            EmailLinkState.done,
            _done(
                "Every device is signed out. We mailed you a link to choose a new password.",
                "Sign in",
                "/login",
            ),
            _ask(
                "This gives the account back to this address, signs out every device, and lets "
                "you choose a new password.",
                "This was not me",
                EmailLinkState.revert,
            ),
        ),
        testid="revert-email",
    )


def _ask(words: str, label: str, on_click: EventType[()]) -> rx.Component:
    return rx.el.div(
        rx.el.p(words, class_name="muted"),
        forms.submit(
            label,
            EmailLinkState.busy,
            type="button",
            on_click=on_click,
            custom_attrs={"data-testid": "confirm"},
        ),
        class_name="stack",
    )


def _done(words: str, label: str, href: str) -> rx.Component:
    return rx.el.div(
        rx.el.p(words),
        rx.cond(EmailLinkState.email, rx.el.p(EmailLinkState.email, class_name="mono")),
        rx.el.a(
            label,
            href=href,
            class_name="button primary wide",
            custom_attrs={"data-testid": "go-on"},
        ),
        class_name="stack",
    )
