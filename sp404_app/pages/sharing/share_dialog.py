"""The dialog that shares a sound, a collection or a project."""

from typing import Any

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import modal
from sp404_app.pages.sharing.share_links import download_options, revoke_dialog, share_list
from sp404_app.state.sharing.share import ShareState

EXPIRIES = (("Never", ""), ("After a day", "1"), ("After 7 days", "7"), ("After 30 days", "30"))


def share_dialog() -> rx.Component:
    """The dialog; a page that opens it contains it once."""
    return rx.fragment(
        rx.cond(
            ShareState.is_open,
            modal(
                style_sheet("/sharing.css"),
                rx.el.h2("Share"),
                rx.el.p(f"“{ShareState.name}”", class_name="muted share-what"),
                rx.cond(ShareState.rows, share_list(names=False)),
                new_link_form(),
                label="Share",
                test_id="share-dialog",
                on_close=ShareState.close_dialog,
            ),
        ),
        revoke_dialog(),
    )


def new_link_form() -> rx.Component:
    """The form of a new link."""
    return rx.el.form(
        rx.el.h3(rx.cond(ShareState.rows, "Another link", "New link")),
        rx.el.p(explanation(), class_name="field-hint"),
        rx.el.div(
            choice(
                "Expires",
                "expires",
                *(rx.el.option(text, value=value) for text, value in EXPIRIES),
            ),
            choice("Visitors may", "download", download_options(ShareState.kind)),
            class_name="halves",
        ),
        forms.field(
            "share_password",
            "Password (optional)",
            kind="password",
            autocomplete="new-password",
            hint="Visitors must type it. At least 8 characters.",
            max_length=1024,
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="indexing", data_testid="new-indexing"),
            " Let search engines find the page",
            class_name="check",
        ),
        forms.notice(ShareState.problem, testid="share-problem"),
        rx.el.div(
            rx.el.button(
                "Close",
                type="button",
                class_name="button ghost",
                on_click=ShareState.close_dialog,
                data_testid="close-share",
            ),
            rx.el.button(
                rx.cond(ShareState.busy, "One moment…", "Create link"),
                type="submit",
                disabled=ShareState.busy,
                class_name="button primary",
                data_testid="create-link",
            ),
            class_name="dialog-foot",
        ),
        key=ShareState.form_round,
        on_submit=ShareState.create,
        class_name="stack",
        data_testid="new-link",
    )


def explanation() -> Any:
    """Say what a link shows."""
    return rx.match(
        ShareState.kind,
        (
            "collection",
            rx.fragment(
                "Anyone with the link can listen to its sounds, also to those that you add later "
                "or that match its rules later, and sees its note and your name."
            ),
        ),
        (
            "project",
            rx.fragment("Anyone with the link can play its pads, and sees your name."),
        ),
        rx.fragment("Anyone with the link can listen to the sound, and sees your name."),
    )


def choice(label: str, name: str, *options: rx.Component) -> rx.Component:
    """A labelled select of the form."""
    return rx.el.div(
        rx.el.label(label, html_for=f"share-{name}", class_name="field-label"),
        rx.el.select(
            *options,
            id=f"share-{name}",
            name=name,
            class_name="input",
            data_testid=f"new-{name}",
        ),
        class_name="field",
    )
