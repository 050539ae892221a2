"""Parts of the account page: picture, address, what happened, all data, and the end."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.plain_form import plain_form
from sp404_app.state.account.account import AccountState
from sp404_app.state.account.personal_data import LogRow, OwnDataState


def picture() -> rx.Component:
    """Draw the picture, and a plain form to send another."""
    return rx.el.div(
        rx.cond(
            OwnDataState.avatar_url,
            rx.el.img(
                src=OwnDataState.avatar_url,
                alt="Your picture",
                width="72",
                height="72",
                class_name="avatar",
            ),
            rx.el.span(class_name="avatar", aria_hidden="true"),
        ),
        plain_form(
            rx.el.label("Picture", html_for="picture", class_name="field-label"),
            rx.el.input(
                type="file",
                id="picture",
                name="picture",
                accept="image/png,image/jpeg,image/webp,image/gif",
                required=True,
                class_name="file",
            ),
            rx.el.div(
                rx.el.button(
                    "Send the picture",
                    type="submit",
                    class_name="button small",
                    custom_attrs={"data-testid": "send-picture"},
                ),
                rx.cond(
                    OwnDataState.avatar_url,
                    forms.button(
                        "Remove",
                        "remove-picture",
                        "ghost small",
                        on_click=OwnDataState.remove_picture,
                    ),
                ),
                class_name="row",
            ),
            rx.cond(
                OwnDataState.picture_said,
                rx.el.p(
                    OwnDataState.picture_said,
                    class_name=rx.cond(OwnDataState.picture_bad, "field-error", "field-hint"),
                    role="status",
                    custom_attrs={"data-testid": "picture-said"},
                ),
            ),
            action="/auth/avatar",
            method="post",
            custom_attrs={"encType": "multipart/form-data"},
            class_name="field grow",
        ),
        class_name="row top",
    )


def email() -> rx.Component:
    """Draw the form for another address."""
    return rx.el.form(
        rx.el.p("Your address is ", rx.el.span(AccountState.email, class_name="mono"), "."),
        rx.cond(OwnDataState.unsent, _unsent()),
        forms.field(
            "email",
            "New address",
            kind="email",
            autocomplete="email",
            hint="It counts once you confirm it. This one is told, and can undo it for a week.",
            problem=OwnDataState.email_problem,
            required=True,
            max_length=254,
        ),
        rx.cond(
            OwnDataState.email_sent,
            rx.el.p(
                "A link is on its way to ",
                rx.el.span(OwnDataState.email_sent, class_name="mono"),
                ".",
                class_name="notice ok",
                role="status",
                custom_attrs={"data-testid": "email-sent"},
            ),
        ),
        rx.el.div(
            rx.el.button(
                "Change the address",
                type="submit",
                class_name="button",
                custom_attrs={"data-testid": "change-email"},
            )
        ),
        on_submit=OwnDataState.change_email,
        class_name="stack",
    )


def _unsent() -> rx.Component:
    return rx.el.div(
        rx.el.p("We could not send you these mails. Is the address right?"),
        rx.el.ul(rx.foreach(OwnDataState.unsent, _line)),
        class_name="notice error",
        role="status",
        custom_attrs={"data-testid": "unsent-mails"},
    )


def _line(words: str) -> rx.Component:
    return rx.el.li(words)


def activity() -> rx.Component:
    """Draw the newest lines of the log."""
    return rx.el.ul(
        rx.foreach(OwnDataState.log, _event),
        class_name="log",
        custom_attrs={"data-testid": "activity", "tabIndex": "0"},
        aria_label="Recent activity",
    )


def _event(event: LogRow) -> rx.Component:
    return rx.el.li(
        rx.el.span(event.words), rx.el.span(event.facts, class_name="muted mono device-facts")
    )


def export() -> rx.Component:
    """Draw the way to take everything home."""
    return rx.el.div(
        rx.el.p(
            "A zip with all your original sounds, and everything we know about you as JSON.",
            class_name="muted",
        ),
        rx.match(
            OwnDataState.export,
            ("open", _export_open()),
            ("done", _export_done()),
            ("failed", forms.notice(OwnDataState.export_words)),
            rx.fragment(),
        ),
        rx.cond(
            OwnDataState.export == "open",
            rx.fragment(),
            rx.el.div(
                forms.button("Export all my data", "ask-export", on_click=OwnDataState.ask_export)
            ),
        ),
        class_name="stack",
        custom_attrs={"data-testid": "export"},
    )


def _export_open() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "It is being made: ", OwnDataState.percent, " %. A mail tells you when it is there."
        ),
        rx.el.progress(value=OwnDataState.percent, max=100, aria_label="Export", class_name="wide"),
        role="status",
        class_name="stack",
    )


def _export_done() -> rx.Component:
    return rx.el.p(
        rx.el.a(
            "Download the zip",
            href=OwnDataState.export_url,
            download=True,
            class_name="button primary",
            # Without this the router takes it for one of our pages.
            custom_attrs={"data-testid": "download-export", "reloadDocument": True},
        ),
        rx.el.span(OwnDataState.export_words, class_name="muted mono device-facts"),
        class_name="row wrap",
    )


def ending() -> rx.Component:
    """Draw the way out, with thirty seconds to think."""
    return rx.el.div(
        rx.el.p(
            "Ends your subscription at once, and deletes your sounds, collections and everything "
            "else for good. Nobody can bring it back, so export your data first.",
            class_name="muted",
        ),
        rx.cond(OwnDataState.leaving, _thinking(), _leave()),
        forms.notice(OwnDataState.end_problem),
        class_name="stack",
        custom_attrs={"data-testid": "ending"},
    )


def _leave() -> rx.Component:
    return rx.el.div(
        forms.button("Delete my account", "think", "danger", on_click=OwnDataState.think)
    )


def _thinking() -> rx.Component:
    wait = OwnDataState.seconds > 0
    return rx.el.div(
        rx.el.p(
            rx.el.strong("Are you sure? "),
            rx.cond(
                wait,
                rx.fragment("Take a breath: ", OwnDataState.seconds, " seconds."),
                "The next press deletes everything.",
            ),
            class_name="notice error",
        ),
        rx.el.div(
            forms.button("Keep my account", "stay", "primary", on_click=OwnDataState.stay),
            plain_form(
                rx.el.button(
                    "Delete everything for good",
                    type="submit",
                    disabled=wait,
                    class_name="button danger",
                    custom_attrs={"data-testid": "delete-account"},
                ),
                action="/auth/account/end",
                method="post",
            ),
            class_name="row wrap",
        ),
        class_name="stack",
    )
