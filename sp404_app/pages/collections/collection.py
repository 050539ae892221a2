"""/collections/[id]: a collection, with the table, player and keys of the library."""

import reflex as rx

from sp404_app.components.address import is_open
from sp404_app.components.brand import style_sheet
from sp404_app.pages.bulk.edit_dialog import bulk_edit_dialog
from sp404_app.pages.collections.header import header
from sp404_app.pages.layout import layout
from sp404_app.pages.library.dialogs import COLLECTION_ACTION_KEYS, KEYS_IN_COLLECTION, tag_dialog
from sp404_app.pages.library.filters import active_chips, filters
from sp404_app.pages.library.likeness import likeness_bar
from sp404_app.pages.library.sidebar import sidebar
from sp404_app.pages.library.table import sample_list
from sp404_app.pages.library.toolbar import filters_button, search_field
from sp404_app.pages.sample_dialogs import sample_dialogs
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.library.library import LibraryState

SHEET = CollectionState.sheet


def collection() -> rx.Component:
    """The page, in one of its phases: loading, loaded or missing."""
    return layout(
        style_sheet("/alike.css"),
        style_sheet("/projects.css"),
        style_sheet("/collections.css"),
        style_sheet("/bulk.css"),
        rx.cond(
            CollectionState.phase == "missing",
            missing(),
            rx.cond(
                (CollectionState.phase == "here")
                & (LibraryState.query.collection == SHEET.id)
                & is_open(SHEET.id),
                here(),
                rx.el.span("Loading …", class_name="visually-hidden", role="status"),
            ),
        ),
        tag_dialog(),
        sample_dialogs(),
        bulk_edit_dialog(),
        current="/collections",
        help_keys=KEYS_IN_COLLECTION,
        keys=COLLECTION_ACTION_KEYS,
    )


def here() -> rx.Component:
    """The page of a collection that was found."""
    return rx.el.div(
        sidebar(in_collection=True),
        rx.el.section(
            header(),
            rx.el.div(
                rx.el.div(search_field(), filters_button(), class_name="tools"),
                filters(),
                active_chips(),
                likeness_bar(),
            ),
            sample_list(in_collection=True, empty=empty_collection()),
            class_name="main",
            aria_label="Collection",
        ),
        class_name="library",
        data_testid="collection-page",
    )


def empty_collection() -> rx.Component:
    """What to do in a collection without sounds."""
    return rx.el.div(
        rx.cond(
            SHEET.is_smart,
            rx.fragment(
                rx.el.h2("No sounds match"),
                rx.el.p("Sounds that match the rules appear here by themselves."),
                rx.el.button(
                    "Edit rules",
                    type="button",
                    class_name="button",
                    on_click=CollectionFormState.open_edit(SHEET.id),
                    data_testid="edit-empty",
                ),
            ),
            rx.fragment(
                rx.el.h2("No sounds yet"),
                rx.el.p(
                    "Select sounds in the library and press C, use their menu, or drag them onto "
                    "the name of this collection."
                ),
                rx.el.a("Go to library", href="/library", class_name="button"),
            ),
        ),
        class_name="empty",
        data_testid="empty-collection",
    )


def missing() -> rx.Component:
    """The page of an unknown id. It is the same for another user's collection."""
    return rx.el.div(
        rx.el.h1("Collection not found"),
        rx.el.p("It may have been deleted, or the link is wrong.", class_name="muted"),
        rx.el.a("All collections", href="/collections", class_name="button primary"),
        class_name="collection-missing",
        data_testid="missing",
    )
