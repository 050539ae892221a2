"""Dialogs of the library: tags of the selection, permanent deletion, and keyboard shortcuts."""

import reflex as rx

from sp404_app.components.menus import modal
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState

KEYBOARD = (
    ("↑ ↓", "Move and play"),
    ("Space", "Play or stop"),
    ("← →", "Seek"),
    ("/", "Search"),
    ("F", "Favourite"),
    ("T", "Tag"),
    ("C", "Add to collection"),
    ("P", "Put on pads"),
    ("0 – 5", "Rate"),
    ("F2", "Rename"),
    ("Enter", "Open"),
    ("Del", "Delete"),
    ("Shift ↑ ↓", "Select a range"),
    ("Ctrl A", "Select all"),
    ("Esc", "Clear selection"),
    ("?", "Show shortcuts"),
)
# Shortcuts that a manual collection adds, or has instead.
COLLECTION_KEYBOARD = (
    ("Alt ↑ ↓", "Move up or down"),
    ("Del", "Remove from collection"),
)


def tag_dialog() -> rx.Component:
    """Dialog to add and remove tags of the selected samples."""
    return rx.cond(
        LibraryState.tags_open,
        rx.fragment(
            rx.el.div(class_name="veil", on_click=LibraryState.close_dialogs),
            rx.el.dialog(tag_form(), open=True, aria_label="Tags"),
        ),
    )


def tag_form() -> rx.Component:
    """The tags of the selection, and a field to add more."""
    return rx.el.form(
        rx.el.h2("Tags"),
        rx.el.div(rx.foreach(LibraryState.selection_tags, tag_chip), class_name="row wrap"),
        rx.el.label(
            rx.el.span("Add tags, separated by commas", class_name="field-label"),
            rx.el.input(
                name="tags",
                class_name="input",
                auto_focus=True,
                autocomplete="off",
                data_testid="tag-input",
            ),
            class_name="field",
        ),
        rx.el.div(
            rx.el.button("Add", type="submit", class_name="button primary"),
            rx.el.button(
                "Done",
                type="button",
                class_name="button",
                on_click=LibraryState.close_dialogs,
                data_testid="tags-done",
            ),
            class_name="row",
        ),
        class_name="stack",
        on_submit=LibraryState.add_tags,
        reset_on_submit=True,
    )


def tag_chip(tag: rx.Var[str]) -> rx.Component:
    """Button that removes a tag from the selection."""
    return rx.el.button(
        tag,
        " ×",
        type="button",
        class_name="chip",
        on_click=LibraryState.drop_tag(tag),
        aria_label=f"Remove {tag}",
    )


def deletion_dialog() -> rx.Component:
    """Dialog that asks before samples are permanently deleted."""
    return rx.cond(
        PermanentDeletionState.count > 0,
        modal(
            rx.el.h2(PermanentDeletionState.title),
            rx.el.p(PermanentDeletionState.question, data_testid="deletion-question"),
            rx.el.div(
                rx.el.button(
                    "Cancel",
                    type="button",
                    class_name="button ghost",
                    on_click=PermanentDeletionState.close,
                ),
                rx.el.button(
                    "Delete permanently",
                    type="button",
                    class_name="button danger",
                    on_click=PermanentDeletionState.confirm,
                    data_testid="confirm-deletion",
                ),
                class_name="dialog-foot",
            ),
            label="Delete permanently",
            test_id="deletion",
            on_close=PermanentDeletionState.close,
        ),
    )


def help_dialog(*, in_collection: bool = False) -> rx.Component:
    """Dialog that lists the keyboard shortcuts."""
    keyboard = dict(KEYBOARD) | (dict(COLLECTION_KEYBOARD) if in_collection else {})
    return rx.cond(
        LibraryState.help_open,
        rx.fragment(
            rx.el.div(class_name="veil", on_click=LibraryState.close_dialogs),
            rx.el.dialog(
                rx.el.div(
                    rx.el.h2("Keyboard shortcuts"),
                    rx.el.dl(
                        *(
                            part
                            for key, what in keyboard.items()
                            for part in (rx.el.dt(rx.el.kbd(key)), rx.el.dd(what))
                        ),
                        class_name="keys",
                    ),
                    rx.el.button(
                        "Close",
                        type="button",
                        class_name="button",
                        auto_focus=True,
                        on_click=LibraryState.close_dialogs,
                    ),
                    class_name="stack",
                ),
                open=True,
                aria_label="Keyboard shortcuts",
            ),
        ),
    )
