"""/change-email and /revert-email: the pages of links about a change of email."""

import reflex as rx
from reflex.event import EventType

from sp404_app.components import forms
from sp404_app.state.auth.email_links import EmailLinkState


def change_email() -> rx.Component:
    """Render the page that confirms a new email."""
    return forms.auth_page(
        rx.cond(EmailLinkState.done, "Email changed", "Confirm your new email"),
        forms.notice(EmailLinkState.problem),
        rx.cond(
            EmailLinkState.done,
            _done("Sign in with this email from now on:", "Go to my account", "/account"),
            _ask(
                "Your account will use this email from now on.",
                "Confirm email",
                EmailLinkState.confirm,
            ),
        ),
        testid="change-email",
    )


def revert_email() -> rx.Component:
    """Render the page that restores the former email."""
    return forms.auth_page(
        rx.cond(EmailLinkState.done, "Your email has been restored", "Keep your email?"),
        forms.notice(EmailLinkState.problem),
        rx.cond(
            EmailLinkState.done,
            _done(
                "All devices are signed out. We sent you a link to choose a new password.",
                "Sign in",
                "/login",
            ),
            _ask(
                "This restores your email, signs out all devices, and lets you choose a new "
                "password.",
                "This wasn't me",
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
