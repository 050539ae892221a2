"""Dialogs of the library, tags of the selection and permanent deletion, and its keys."""

import reflex as rx

from sp404_app.components.menus import modal
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState
from sp404_app.state.library.selected_tags import SelectedTag

DELETE_KEY = "Del"
ROWS_MOVE = ~CollectionState.sheet.is_smart & ~CollectionState.sheet.is_trashed
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
    (DELETE_KEY, "Delete"),
    ("Shift ↑ ↓", "Select a range"),
    ("Ctrl A", "Select all"),
    ("Esc", "Clear selection"),
    ("?", "Show shortcuts"),
    ("Ctrl K", "Find a sound, a page or an action"),
)
# The command palette presses these.
ACTION_KEYS = tuple(
    (key, what)
    for key, what in KEYBOARD
    if what in {"Favourite", "Tag", "Add to collection", "Put on pads", "Rename", "Open"}
    or what in {"Delete", "Select all", "Clear selection", "Show shortcuts", "Play or stop"}
)
COLLECTION_ACTION_KEYS = tuple(pair for pair in ACTION_KEYS if pair[0] != DELETE_KEY)
# In a collection, "Del" does not delete; a manual one has these as well.
COLLECTION_KEYBOARD = (
    ("Alt ↑ ↓", "Move up or down"),
    (DELETE_KEY, "Remove from collection"),
)
OTHER_KEYS = tuple(pair for pair in KEYBOARD if pair[0] != DELETE_KEY)
KEYS_IN_COLLECTION = rx.cond(
    ROWS_MOVE,
    [*OTHER_KEYS, *COLLECTION_KEYBOARD],
    [*OTHER_KEYS],
)


def tag_dialog() -> rx.Component:
    """Dialog to add and remove tags of the selected samples."""
    return rx.cond(
        LibraryState.tags_open,
        modal(tag_form(), label="Tags", test_id="tags", on_close=LibraryState.close_dialogs),
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
                data_autofocus="",
                auto_complete="off",
                data_testid="tag-input",
            ),
            class_name="field",
        ),
        rx.el.div(
            rx.el.button("Add", type="submit", class_name="button primary"),
            rx.el.button(
                "Done",
                type="submit",  # what was typed is added, too
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


def tag_chip(tag: SelectedTag) -> rx.Component:
    """Button that removes a tag from the selection, with how many sounds have it, if not all."""
    return rx.el.button(
        tag.name,
        rx.cond(tag.share != "", rx.el.span(tag.share, class_name="facet-count")),
        " ×",
        type="button",
        class_name="chip",
        on_click=LibraryState.drop_tag(tag.name),
        aria_label=rx.cond(
            tag.share != "", f"Remove {tag.name}, on {tag.share}", f"Remove {tag.name}"
        ),
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
