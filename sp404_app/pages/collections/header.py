"""The header of a collection's page: name, note, facts and actions."""

import reflex as rx

from sp404_app.components.collections import play_through
from sp404_app.components.menus import menu_button, menu_item
from sp404_app.components.page_address import page_title
from sp404_app.components.server_link import server_link
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.put_on_pads import PutOnPadsState
from sp404_app.state.sharing.share import ShareState

SHEET = CollectionState.sheet
SORTS = (
    ("Name", "name"),
    ("Tempo", "tempo"),
    ("Key", "key"),
    ("Length", "length"),
    ("Added", "added"),
    ("Class", "class"),
)


def header() -> rx.Component:
    """The header."""
    return rx.el.header(
        rx.el.div(
            rx.el.i(class_name="collection-square", aria_hidden="true"),
            name(),
            facts(),
            class_name="collection-title",
        ),
        note(),
        rx.cond(SHEET.is_trashed, trash_notice(), collection_actions()),
        class_name="collection-head",
        style={"--bank": rx.cond(SHEET.colour != "", SHEET.colour, "var(--faint)")},
        data_testid="collection-head",
    )


def name() -> rx.Component:
    """The name, in an input that renames the collection."""
    return rx.el.div(
        page_title(name=SHEET.name),
        rx.el.h1(SHEET.name, class_name="visually-hidden"),
        rx.el.input(
            name="name",
            id="collection-name",
            key=SHEET.name,
            default_value=SHEET.name,
            class_name="collection-name touch-target",
            aria_label="Name",
            title=rx.cond(SHEET.is_trashed, "", "Click to rename"),
            max_length=200,
            auto_complete="off",
            spell_check=False,
            read_only=SHEET.is_trashed,
            aria_invalid=CollectionState.name_error != "",
            data_saves_on_blur="",
            on_blur=CollectionState.rename,
            data_testid="collection-name",
        ),
        rx.el.p(CollectionState.name_error, class_name="field-error", role="alert"),
        class_name="grow",
    )


def facts() -> rx.Component:
    """The kind, the number of sounds, and their length together."""
    return rx.el.p(
        rx.cond(
            SHEET.is_smart,
            rx.el.span(rx.icon("sparkles", size=12), "Smart", class_name="collection-kind"),
            rx.el.span("Manual"),
        ),
        rx.el.span(SHEET.count, class_name="mono", data_testid="collection-count"),
        rx.el.span(SHEET.total_length, class_name="mono", data_testid="collection-length"),
        class_name="collection-facts",
    )


def note() -> rx.Component:
    """The note, saved when the field loses focus."""
    return rx.fragment(
        rx.el.input(
            key=SHEET.id + SHEET.note,
            default_value=SHEET.note,
            class_name="collection-note-field touch-target",
            placeholder=rx.cond(SHEET.is_trashed, "No note", "Add a note"),
            read_only=SHEET.is_trashed,
            data_saves_on_blur="",
            aria_label="Note",
            max_length=4000,
            auto_complete="off",
            on_blur=CollectionState.save_note,
            data_testid="note",
        ),
        rx.el.p(CollectionState.note_error, class_name="field-error", role="alert"),
    )


def collection_actions() -> rx.Component:
    """Buttons for the whole collection."""
    is_empty = LibraryState.window.total == 0
    return rx.el.div(
        play_through(disabled=is_empty, test_id="play-all"),
        rx.el.button(
            rx.icon("grid-3x3", size=15),
            "Put on pads…",
            type="button",
            class_name="button",
            disabled=is_empty,
            on_click=PutOnPadsState.open_for_results,
            data_testid="collection-pads",
        ),
        rx.el.button(
            rx.icon("download", size=15),
            "Download…",
            type="button",
            class_name="button",
            disabled=is_empty,
            on_click=DownloadState.open_for_results,
            data_testid="collection-download",
        ),
        server_link(
            rx.icon("list-music", size=15),
            "Playlist",
            href=f"/api/collections/{SHEET.id}/playlist.m3u8",
            download=True,
            class_name="button",
            title="M3U playlist of the files as “Download…” names them",
            data_testid="collection-playlist",
        ),
        rx.el.button(
            rx.icon("share-2", size=15),
            "Share…",
            type="button",
            class_name="button",
            on_click=ShareState.open_for_collection(SHEET.id),
            data_testid="collection-share",
        ),
        rx.cond(SHEET.is_smart, rx.fragment(), sort_menu()),
        rx.el.button(
            rx.cond(SHEET.is_smart, "Edit rules…", "Edit…"),
            type="button",
            class_name="button",
            on_click=CollectionFormState.open_edit(SHEET.id),
            data_testid="edit-collection",
        ),
        rx.el.button(
            rx.icon("trash-2", size=15),
            type="button",
            class_name="button",
            aria_label="Delete collection",
            title="Delete collection",
            on_click=CollectionState.throw_away,
            data_testid="delete-collection",
        ),
        class_name="collection-bar",
    )


def sort_menu() -> rx.Component:
    """The menu that sorts a manual collection."""
    return menu_button(
        *(
            menu_item(text, f"sort-by-{by}", on_click=CollectionState.sort(by))
            for text, by in SORTS
        ),
        label="Sort the collection",
        text="Sort by",
        test_id="sort-menu",
    )


def trash_notice() -> rx.Component:
    """That the collection is in the trash, with the button that restores it."""
    return rx.el.div(
        rx.el.span("This collection is in the trash.", class_name="grow"),
        rx.el.button(
            "Restore",
            type="button",
            class_name="button small primary",
            on_click=CollectionState.restore,
            data_testid="restore-collection",
        ),
        class_name="notice row",
    )
