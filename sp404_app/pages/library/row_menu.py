"""The menu of a row of the library."""

import reflex as rx

from sp404_app.components.menus import menu_button, menu_item, menu_line
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection import MAX_STEP, CollectionState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.likeness import LikenessState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.put_on_pads import PutOnPadsState
from sp404_app.state.rows import Row
from sp404_app.state.sharing.share import ShareState


def row_menu(sample: Row, *, in_collection: bool = False) -> rx.Component:
    """Menu of actions on one sample."""

    def item(text: str, action: str, *, deletes: bool = False) -> rx.Component:
        act = LibraryState.act_on(action, sample.id)
        return menu_item(text, f"menu-{action}", deletes=deletes, on_click=act)

    return rx.cond(
        LibraryState.query.trash,
        menu_button(
            item("Restore", "restore"),
            menu_line(),
            menu_item(
                "Delete permanently…",
                "menu-delete-for-good",
                deletes=True,
                on_click=PermanentDeletionState.ask_about(sample.id),
            ),
            label=f"Actions of {sample.name}",
            test_id="row-menu",
        ),
        menu_button(
            *(collection_items(sample) if in_collection else []),
            menu_item(
                "Add to collection…",
                "menu-collect",
                on_click=AddToCollectionState.open_for_sample(sample.id),
            ),
            menu_item(
                "Put on pads…",
                "menu-pads",
                on_click=PutOnPadsState.open_for_sample(sample.id),
            ),
            menu_item(
                "New project",
                "menu-project",
                on_click=NewProjectState.open_for_sample(sample.id),
            ),
            menu_line(),
            menu_item(
                "Download as…",
                "menu-download",
                on_click=DownloadState.open_for_sample(sample.id),
            ),
            menu_item(
                "Share…",
                "menu-share",
                on_click=ShareState.open_for_sample(sample.id),
            ),
            menu_item(
                "Sort by likeness",
                "menu-like",
                on_click=LikenessState.compare_with(sample.id),
            ),
            menu_line(),
            item("Tag", "tag"),
            item("Rename", "rename"),
            item("Analyse again", "analyse"),
            menu_line(),
            item("Delete", "delete", deletes=True),
            label=f"Actions of {sample.name}",
            test_id="row-menu",
        ),
    )


def collection_items(sample: Row) -> list[rx.Component]:
    """Items that move a sample in a manual collection, or remove it."""
    items = (
        menu_item("Move up", "menu-up", on_click=CollectionState.step(sample.id, -1)),
        menu_item("Move down", "menu-down", on_click=CollectionState.step(sample.id, 1)),
        menu_item(
            "Move to start", "menu-start", on_click=CollectionState.step(sample.id, -MAX_STEP)
        ),
        menu_item(
            "Remove from collection",
            "menu-remove",
            on_click=CollectionState.remove_one(sample.id),
        ),
        menu_line(),
    )
    return [rx.cond(CollectionState.sheet.is_smart, rx.fragment(), rx.fragment(*items))]
