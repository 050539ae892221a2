"""/collections: the list of collections, and their trash."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import menu_button, menu_item, menu_line, modal
from sp404_app.components.page_address import trash_address
from sp404_app.components.projects import project_grid, project_item
from sp404_app.pages.collections.dialogs import collection_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.sharing.share_dialog import share_dialog
from sp404_app.state.collections.collection_cards import CollectionCard
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.collections.collection_list import CollectionListState
from sp404_app.state.library.smart_counts import SmartCountState
from sp404_app.state.sharing.share import ShareState

LIST = CollectionListState


def collection_list() -> rx.Component:
    """The list of collections."""
    return layout(
        style_sheet("/projects.css"),
        style_sheet("/collections.css"),
        rx.el.div(
            header(),
            rx.cond(
                LIST.loaded,
                rx.fragment(
                    trash_address(LIST.address),
                    rx.cond(LIST.cards.length() > 0, cards(), empty_state()),
                ),
                loading(),
            ),
            rx.cond(LIST.chosen.length() > 0, merge_bar()),
            class_name="page projects collections",
        ),
        collection_dialog(),
        share_dialog(),
        rx.cond(LIST.merging, merge_dialog()),
        rx.cond(LIST.deleting_id != "", deletion_dialog()),
        current="/collections",
    )


def header() -> rx.Component:
    """The title, the switch to the trash, and the buttons for new collections."""
    return rx.el.header(
        rx.el.h1("Collections"),
        rx.el.div(
            view_button("In use", "in-use", trash=False),
            view_button(
                rx.fragment("Trash ", rx.el.span(LIST.trash_count, class_name="mono")),
                "trash",
                trash=True,
            ),
            role="group",
            aria_label="Show",
            class_name="project-views",
        ),
        rx.el.div(
            new_smart_button("new-smart-collection"),
            new_button("new-collection"),
            class_name="collections-new",
        ),
        class_name="projects-head",
    )


def new_button(test_id: str) -> rx.Component:
    """Button that creates a manual collection."""
    return rx.el.button(
        rx.icon("plus"),
        "New collection",
        type="button",
        class_name="button primary",
        on_click=CollectionFormState.open_new(False),
        id=test_id,
        data_testid=test_id,
    )


def new_smart_button(test_id: str) -> rx.Component:
    """Button that creates a smart collection."""
    return rx.el.button(
        rx.icon("sparkles"),
        "New smart collection",
        type="button",
        class_name="button",
        on_click=CollectionFormState.open_new(True),
        id=test_id,
        data_testid=test_id,
    )


def view_button(text: str | rx.Component, test_id: str, *, trash: bool) -> rx.Component:
    """Button that shows the collections in use or the trash."""
    is_open = LIST.trash if trash else ~LIST.trash
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(is_open, "chip on", "chip"),
        aria_pressed=is_open,
        on_click=LIST.show_trash(trash),
        data_testid=f"view-{test_id}",
    )


def cards() -> rx.Component:
    """The cards of all collections."""
    return project_grid(
        rx.foreach(LIST.cards, card),
        in_trash=LIST.trash,
        on_act=LIST.act,
    )


def card(collection: CollectionCard) -> rx.Component:
    """The colour, name and facts of a collection, and its menu."""
    return project_item(
        rx.el.div(class_name="collection-cover", aria_hidden="true"),
        rx.el.div(
            name(collection),
            rx.el.p(
                rx.cond(collection.is_smart, rx.icon("sparkles", size=12), rx.fragment()),
                rx.cond(collection.is_smart, "Smart", "Manual"),
                class_name="project-device label collection-kind",
            ),
            class_name="project-title",
        ),
        rx.cond(LIST.trash, rx.fragment(), actions(collection)),
        rx.cond(collection.note != "", rx.el.p(collection.note, class_name="collection-note")),
        rx.el.p(
            rx.el.span(
                rx.cond(
                    collection.is_smart, SmartCountState.texts[collection.id], collection.count
                ),
                class_name="mono",
                data_testid="count",
            ),
            rx.el.span(collection.changed, class_name="project-age"),
            class_name="project-facts",
        ),
        rx.cond(
            LIST.trash,
            rx.el.div(
                rx.el.button(
                    "Restore",
                    type="button",
                    class_name="button small",
                    on_click=LIST.act("restore", collection.id),
                    custom_attrs={"data-card-focus": ""},
                    aria_label=f"Restore {collection.name}",
                    data_testid="restore",
                ),
                rx.el.button(
                    "Delete permanently",
                    type="button",
                    class_name="button small danger",
                    on_click=LIST.act("ask", collection.id),
                    aria_label=f"Delete {collection.name} permanently",
                    data_testid="delete-for-good",
                ),
                class_name="row",
            ),
        ),
        project_id=collection.id,
        style={"--bank": rx.cond(collection.colour != "", collection.colour, "var(--faint)")},
        key=collection.id,
        data_testid="collection",
    )


def name(collection: CollectionCard) -> rx.Component:
    """The name, as a link unless the collection is in the trash."""
    return rx.el.h2(
        rx.cond(
            LIST.trash,
            rx.el.span(collection.name, title=collection.name, data_testid="name"),
            rx.el.a(
                collection.name,
                href=f"/collections/{collection.id}",
                title=collection.name,
                custom_attrs={"data-card-focus": ""},
                data_testid="name",
            ),
        )
    )


def actions(collection: CollectionCard) -> rx.Component:
    """The check box that chooses a collection to merge, and its menu."""
    return rx.el.div(
        rx.el.label(
            rx.el.input(
                type="checkbox",
                class_name="collection-tick",
                checked=LIST.chosen.contains(collection.id),
                aria_label=f"Select {collection.name}",
                title="Select to merge",
                on_change=lambda _: LIST.toggle_chosen(collection.id),
                data_testid="choose-collection",
            ),
            class_name="collection-choose",
        ),
        menu_button(
            menu_item("Edit…", "menu-edit", on_click=CollectionFormState.open_edit(collection.id)),
            menu_item(
                "Share…", "menu-share", on_click=ShareState.open_for_collection(collection.id)
            ),
            menu_item("Duplicate", "menu-duplicate", on_click=LIST.act("duplicate", collection.id)),
            menu_line(),
            menu_item(
                "Delete", "menu-delete", deletes=True, on_click=LIST.act("delete", collection.id)
            ),
            label=f"Actions of {collection.name}",
            test_id="collection-menu",
        ),
        class_name="collection-actions",
    )


def merge_bar() -> rx.Component:
    """The bar that merges the chosen collections."""
    return rx.el.div(
        rx.el.strong(rx.el.span(LIST.chosen.length(), class_name="mono"), " selected"),
        rx.el.button(
            "Merge…",
            type="button",
            class_name="button small",
            disabled=LIST.chosen.length() < 2,
            title="Select at least two collections",
            on_click=LIST.ask_to_merge,
            data_testid="merge",
        ),
        rx.el.button(
            "×",
            type="button",
            class_name="icon-button small",
            aria_label="Clear selection",
            on_click=LIST.clear_chosen,
            data_testid="clear-chosen",
        ),
        class_name="bulk",
        data_testid="merge-bar",
    )


def merge_dialog() -> rx.Component:
    """The dialog that asks for the name of the merged collection."""
    return modal(
        rx.el.form(
            rx.el.h2("Merge collections"),
            rx.el.p(
                "A new collection gets the sounds of the selected ones, each sound once. "
                "The selected collections stay as they are.",
                class_name="muted",
            ),
            forms.field(
                "name",
                "Name",
                field_id="name-of-merged-collection",
                placeholder="Merged collection",
                data_autofocus="",
                max_length=200,
            ),
            rx.el.div(
                rx.el.button(
                    "Cancel", type="button", class_name="button ghost", on_click=LIST.close_dialogs
                ),
                rx.el.button(
                    "Merge",
                    type="submit",
                    class_name="button primary",
                    data_testid="confirm-merge",
                ),
                class_name="dialog-foot",
            ),
            on_submit=LIST.merge,
            class_name="stack",
        ),
        label="Merge collections",
        test_id="merge-dialog",
        on_close=LIST.close_dialogs,
    )


def deletion_dialog() -> rx.Component:
    """The dialog that asks before a collection is permanently deleted."""
    return modal(
        rx.el.h2("Delete collection permanently?"),
        rx.el.p(
            f"“{LIST.deleting_name}” is deleted. Its sounds stay in the library. "
            "This can’t be undone."
        ),
        rx.el.div(
            rx.el.button(
                "Cancel", type="button", class_name="button ghost", on_click=LIST.close_dialogs
            ),
            rx.el.button(
                "Delete permanently",
                type="button",
                class_name="button danger",
                on_click=LIST.delete_for_good,
                data_testid="confirm-deletion",
            ),
            class_name="dialog-foot",
        ),
        label="Delete collection permanently",
        test_id="deletion",
        on_close=LIST.close_dialogs,
    )


def empty_state() -> rx.Component:
    """What to do when there is no collection, or nothing in the trash."""
    return rx.cond(
        LIST.trash,
        rx.el.div(
            rx.el.h2("The trash is empty"),
            rx.el.p("Deleted collections stay here for 30 days. Until then, you can restore them."),
            class_name="projects-empty",
            data_testid="empty-trash",
        ),
        rx.el.div(
            rx.el.h2("No collections yet"),
            rx.el.p(
                "A collection holds sounds in an order of yours: add them in the library with the "
                "key C, from a menu, or by dragging. A smart collection holds all sounds that "
                "match its rules."
            ),
            rx.el.div(
                new_button("first-collection"),
                new_smart_button("first-smart-collection"),
                rx.el.a("Go to library", href="/library", class_name="button"),
                class_name="row",
            ),
            class_name="projects-empty",
            data_testid="no-collections",
        ),
    )


def loading() -> rx.Component:
    """The skeleton shown while the collections load."""
    return rx.el.div(
        *(
            rx.el.div(class_name="project-card project-loading collection-loading")
            for _ in range(3)
        ),
        rx.el.span("Loading …", class_name="visually-hidden", role="status"),
        class_name="project-grid",
        aria_busy="true",
    )
