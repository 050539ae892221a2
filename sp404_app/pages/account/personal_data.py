"""Sections of the account page: photo, email, activity, data export, account deletion."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.account_nav import picture_drop
from sp404_app.components.plain_form import plain_form
from sp404_app.components.server_link import server_link
from sp404_app.settings import settings
from sp404_app.state.account.account import AccountState
from sp404_app.state.account.personal_data import LogRow, OwnDataState


def photo_form() -> rx.Component:
    """Render the photo, and a plain form that uploads one as soon as it is chosen."""
    return picture_drop(
        rx.cond(
            OwnDataState.avatar_url,
            rx.el.img(
                src=OwnDataState.avatar_url,
                alt="Your photo",
                width="72",
                height="72",
                class_name="avatar",
            ),
            rx.el.span(OwnDataState.initials, class_name="avatar", aria_hidden="true"),
        ),
        plain_form(
            rx.el.span("Photo", class_name="field-label"),
            rx.el.input(
                type="file",
                id="picture",
                name="picture",
                accept="image/png,image/jpeg,image/webp,image/gif",
                class_name="visually-hidden",
            ),
            _photo_buttons(),
            rx.el.p("Or drop a picture on this page.", class_name="field-hint"),
            rx.cond(OwnDataState.picture_said, _upload_result()),
            action="/auth/avatar",
            method="post",
            custom_attrs={"encType": "multipart/form-data"},
            class_name="field grow",
        ),
        field="picture",
    )


def _photo_buttons() -> rx.Component:
    return rx.el.div(
        rx.el.label(
            rx.cond(OwnDataState.avatar_url, "Change photo", "Choose a photo"),
            html_for="picture",
            class_name="button small file-button touch-target",
        ),
        rx.cond(
            OwnDataState.avatar_url,
            forms.button(
                "Remove", "remove-picture", "ghost small", on_click=OwnDataState.remove_picture
            ),
        ),
        class_name="row",
    )


def _upload_result() -> rx.Component:
    return rx.el.p(
        OwnDataState.picture_said,
        class_name=rx.cond(OwnDataState.picture_bad, "field-error", "field-hint"),
        role="status",
        custom_attrs={"data-testid": "picture-said"},
    )


def email_form() -> rx.Component:
    """Render the form for a new email."""
    return rx.el.form(
        rx.el.p("Your email is ", rx.el.span(AccountState.email, class_name="mono"), "."),
        rx.cond(OwnDataState.unsent, _unsent()),
        forms.field(
            "email",
            "New email",
            kind="email",
            autocomplete="email",
            hint=(
                "We'll send a link to confirm it. You can undo the change from your current email "
                "for a week."
            ),
            problem=OwnDataState.email_problem,
            required=True,
            max_length=254,
        ),
        rx.cond(
            OwnDataState.email_sent,
            rx.el.p(
                "We sent a confirmation link to ",
                rx.el.span(OwnDataState.email_sent, class_name="mono"),
                ".",
                class_name="notice ok",
                role="status",
                custom_attrs={"data-testid": "email-sent"},
            ),
        ),
        rx.el.div(
            rx.el.button(
                "Change email",
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
        rx.el.p("We couldn't deliver these emails. Check your email address."),
        rx.el.ul(rx.foreach(OwnDataState.unsent, _line)),
        class_name="notice error",
        role="status",
        custom_attrs={"data-testid": "unsent-mails"},
    )


def _line(words: str) -> rx.Component:
    return rx.el.li(words)


def activity_list() -> rx.Component:
    """Render the newest audit log events."""
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


def export_panel() -> rx.Component:
    """Render the data export."""
    return rx.el.div(
        rx.el.p(
            "A ZIP file with your original files and all data we store about you (JSON).",
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
                forms.button("Export my data", "ask-export", on_click=OwnDataState.request_export)
            ),
        ),
        class_name="stack",
        custom_attrs={"data-testid": "export"},
    )


def _export_open() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            "Preparing your export: ", OwnDataState.percent, "%. We'll email you when it's ready."
        ),
        rx.el.progress(value=OwnDataState.percent, max=100, aria_label="Export", class_name="wide"),
        role="status",
        class_name="stack",
    )


def _export_done() -> rx.Component:
    return rx.el.p(
        server_link(
            "Download ZIP",
            href=OwnDataState.export_url,
            download=True,
            class_name="button primary",
            data_testid="download-export",
        ),
        rx.el.span(OwnDataState.export_words, class_name="muted mono device-facts"),
        class_name="row wrap",
    )


def deletion_panel() -> rx.Component:
    """Render the account deletion, with a countdown of thirty seconds."""
    return rx.el.div(
        rx.el.p(
            "This ends your subscription at once and deletes all your sounds and data. "
            if settings().billing
            else "This deletes all your sounds and data. ",
            "This can't be undone, so export your data first.",
            class_name="muted",
        ),
        rx.cond(OwnDataState.leaving, _delete_countdown(), _delete_button()),
        forms.notice(OwnDataState.end_problem),
        class_name="stack",
        custom_attrs={"data-testid": "ending"},
    )


def _delete_button() -> rx.Component:
    return rx.el.div(
        forms.button("Delete my account", "think", "danger", on_click=OwnDataState.begin_deletion)
    )


def _delete_countdown() -> rx.Component:
    wait = OwnDataState.seconds > 0
    return rx.el.div(
        rx.el.p(
            rx.el.strong("Are you sure? "),
            rx.cond(
                wait,
                rx.fragment("You can confirm in ", OwnDataState.seconds, " seconds."),
                "This can't be undone.",
            ),
            class_name="notice error",
        ),
        rx.el.div(
            forms.button(
                "Keep my account",
                "stay",
                "primary",
                auto_focus=True,
                on_click=OwnDataState.cancel_deletion,
            ),
            plain_form(
                rx.el.button(
                    "Delete permanently",
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
