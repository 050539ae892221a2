"""The bar of actions for the selection."""

from typing import Any

import reflex as rx

from sp404_app.components.menus import menu_button, menu_item
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.put_on_pads import PutOnPadsState


def bulk_bar(*, in_collection: bool = False) -> rx.Component:
    """Bar of actions for the selection."""
    removal = bulk_item("Remove from collection", "remove", CollectionState.remove(""))
    act = LibraryState.act
    return rx.el.div(
        rx.el.strong(rx.el.span(LibraryState.selected_count, class_name="mono"), " selected"),
        rx.cond(
            LibraryState.query.trash,
            rx.fragment(
                bulk_button("Restore", "restore", act("restore", "")),
                bulk_button(
                    "Delete permanently", "delete_for_good", PermanentDeletionState.ask, "danger"
                ),
            ),
            rx.fragment(
                bulk_button("Add to collection…", "collect", AddToCollectionState.open_dialog("")),
                bulk_button("Put on pads…", "pads", PutOnPadsState.open_dialog("")),
                bulk_button("Edit…", "edit", BulkEditState.open_for_selection),
                rx.cond(
                    LibraryState.all_favourites,
                    bulk_button("Unfavourite", "favourite", act("unmark", "")),
                    bulk_button("Favourite", "favourite", act("mark", "")),
                ),
                bulk_button("Delete", "delete", act("delete", "")),
                menu_button(
                    *(
                        [rx.cond(CollectionState.sheet.is_smart, "", removal)]
                        if in_collection
                        else []
                    ),
                    bulk_item("Download as…", "download", DownloadState.open_for_selection),
                    bulk_item("New project", "project", NewProjectState.open_for_selection),
                    bulk_item("Tag", "tag", act("tag", "")),
                    bulk_item("Analyse again", "analyse", act("analyse", "")),
                    label="More actions on the selection",
                    text="More",
                    test_id="bulk-more",
                ),
            ),
        ),
        rx.el.button(
            "×",
            type="button",
            class_name="icon-button small",
            aria_label="Clear selection",
            on_click=LibraryState.select_rows("none", 0, 0),
        ),
        class_name="bulk",
        data_testid="bulk",
    )


def bulk_item(text: str, action: str, handler: Any) -> rx.Component:
    """Item of the bar's menu that applies an action to the selection."""
    return menu_item(text, f"bulk-{action}", on_click=handler)


def bulk_button(text: str, action: str, handler: Any, kind: str = "ghost") -> rx.Component:
    """Button that applies an action to the selection."""
    return rx.el.button(
        text,
        type="button",
        class_name=f"button small {kind}",
        on_click=handler,
        data_testid=f"bulk-{action}",
    )
