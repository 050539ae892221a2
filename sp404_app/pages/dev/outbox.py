"""`/dev/outbox`: emails that were not sent because no mail server is configured."""

import reflex as rx

from sp404_app.components.brand import brand, style_sheet
from sp404_app.services.infra.dev_outbox import OutboxMail
from sp404_app.state.dev.outbox import DevOutboxState


def dev_outbox() -> rx.Component:
    """Render the page."""
    return rx.el.main(
        style_sheet("/account.css"),
        brand(),
        rx.el.header(
            rx.el.h1("Outbox"),
            rx.el.p("Emails from this server. None of them were sent.", class_name="muted"),
        ),
        rx.match(
            DevOutboxState.closed,
            (True, rx.el.p("Page not found.", class_name="muted")),
            rx.cond(
                DevOutboxState.mails,
                rx.el.div(
                    rx.foreach(DevOutboxState.mails, _mail_card), class_name="account-sections"
                ),
                _empty_message(),
            ),
        ),
        class_name="page account",
        custom_attrs={"data-testid": "outbox"},
    )


def _empty_message() -> rx.Component:
    return rx.el.p(
        rx.cond(DevOutboxState.loaded, "No emails yet. Create an account to get one.", "…"),
        class_name="muted",
    )


def _mail_card(mail: OutboxMail) -> rx.Component:
    return rx.el.article(
        rx.el.h2(mail.subject),
        rx.el.p(mail.recipient, " · ", mail.at, class_name="muted mono device-facts"),
        rx.el.pre(mail.text, class_name="letter"),
        rx.cond(
            mail.link,
            rx.el.div(
                rx.el.a(
                    "Open the link",
                    href=mail.link,
                    class_name="button",
                    custom_attrs={"data-testid": "mail-link"},
                )
            ),
        ),
        class_name="card stack",
        custom_attrs={"data-testid": "mail"},
    )
