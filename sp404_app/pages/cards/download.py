"""The dialog that downloads samples in another format, and the download menu of a sample."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import menu_button, menu_item, modal
from sp404_app.services.cards.download_formats import FORMATS
from sp404_app.services.cards.name_template import FIELDS, MAX_TEMPLATE_LENGTH
from sp404_app.state.cards.download import DownloadState

EXAMPLE_FIELDS = " ".join(f"{{{field}}}" for field in FIELDS[:-1]) + " {n:03}"


TAGS_HINT = "Writes tempo, key and root note into the file’s tags. The sound stays the same."


def download_dialog() -> rx.Component:
    """The dialog: format and names, then the progress."""
    return rx.cond(
        DownloadState.is_open,
        modal(
            style_sheet("/cards.css"),
            style_sheet("/projects.css"),
            rx.el.h2("Download as"),
            rx.el.p(DownloadState.sounds, class_name="muted", data_testid="download-what"),
            rx.cond(DownloadState.phase == "running", _progress(), _choices()),
            label="Download as",
            test_id="download-dialog",
            on_close=DownloadState.close,
        ),
    )


def download_menu(sample_id: str | rx.Var[str]) -> rx.Component:
    """The button with the formats of one sample."""
    return menu_button(
        # No link: the menu closes before the browser would follow it.
        menu_item(
            "Original",
            "download-original",
            on_click=rx.download(f"/api/samples/{sample_id}/download", ""),
        ),
        menu_item(
            "Original with tags",
            "download-tagged",
            on_click=DownloadState.download_tagged(sample_id),
            title=TAGS_HINT,
        ),
        *(
            menu_item(
                details.title,
                f"download-{wanted}",
                on_click=DownloadState.download_sample(sample_id, wanted.value),
                title=details.hint,
            )
            for wanted, details in FORMATS.items()
        ),
        label="Download",
        text="Download",
        test_id="download-menu",
    )


def _choices() -> rx.Component:
    return rx.fragment(
        _formats(),
        rx.cond(DownloadState.is_single, rx.fragment(), _names()),
        _tags(),
        rx.el.div(
            rx.el.span("Names", class_name="field-label"),
            rx.el.ul(
                rx.foreach(DownloadState.names, lambda name: rx.el.li(name, class_name="mono")),
                class_name="download-names",
                data_testid="download-names",
            ),
            rx.el.p(DownloadState.more, class_name="field-hint"),
            class_name="field",
        ),
        rx.cond(
            DownloadState.is_single, forms.notice(DownloadState.problem, testid="download-problem")
        ),
        rx.el.div(
            rx.el.button(
                "Cancel", type="button", class_name="button ghost", on_click=DownloadState.close
            ),
            rx.el.button(
                "Download",
                type="button",
                class_name="button primary",
                on_click=DownloadState.start,
                data_testid="start-download",
            ),
            class_name="dialog-foot",
        ),
    )


def _formats() -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend("Format", class_name="field-label"),
        rx.el.div(
            *(
                rx.el.label(
                    rx.el.input(
                        type="radio",
                        name="format",
                        value=wanted.value,
                        default_checked=DownloadState.wanted == wanted.value,
                        on_change=DownloadState.choose_format(wanted.value),
                        data_testid=f"format-{wanted}",
                    ),
                    rx.el.span(rx.el.strong(details.title), rx.el.small(details.hint)),
                    class_name="device-choice",
                )
                for wanted, details in FORMATS.items()
            ),
            class_name="device-choices",
        ),
        class_name="plain-fieldset",
    )


def _tags() -> rx.Component:
    """Whether tempo and key are written into the files; files for a device hold no tags."""
    taggable = [wanted.value for wanted, details in FORMATS.items() if details.device is None]
    return rx.cond(
        rx.Var.create(taggable).contains(DownloadState.wanted),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=DownloadState.has_tags,
                on_change=DownloadState.toggle_tags,
                data_testid="download-tags",
            ),
            " Write tempo and key into the files",
            class_name="check",
            title=TAGS_HINT,
        ),
    )


def _names() -> rx.Component:
    """The template, and whether folders are kept."""
    return rx.fragment(
        forms.field(
            "template",
            "Name template",
            hint=f"Fields: {EXAMPLE_FIELDS}",
            problem=DownloadState.problem,
            default_value=DownloadState.template,
            on_change=DownloadState.set_template,
            max_length=MAX_TEMPLATE_LENGTH,
            spell_check=False,
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=DownloadState.has_folders,
                on_change=DownloadState.toggle_folders,
                data_testid="download-folders",
            ),
            " Keep the folders of the library",
            class_name="check",
        ),
    )


def _progress() -> rx.Component:
    return rx.el.div(
        rx.el.p("Converting: ", DownloadState.percent, "%. The download starts when it’s done."),
        rx.el.progress(
            value=DownloadState.percent, max=100, aria_label="Progress", class_name="wide"
        ),
        rx.el.div(
            rx.el.button(
                "Continue in background",
                type="button",
                class_name="button ghost",
                on_click=DownloadState.close,
                data_testid="download-in-background",
            ),
            rx.el.button(
                "Cancel download",
                type="button",
                class_name="button",
                on_click=DownloadState.cancel,
                data_testid="cancel-download",
            ),
            class_name="dialog-foot",
        ),
        role="status",
        class_name="stack",
        data_testid="download-progress",
    )
