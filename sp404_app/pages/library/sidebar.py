"""Sidebar of the library and of a collection: views, collections, tags and storage."""

import reflex as rx

from sp404_app.services.library.tags import TagCount
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.sidebar import CollectionLink
from sp404_app.state.library.smart_counts import SmartCountState

VIEWS = (
    ("All sounds", "all"),
    ("Favourites", "favourites"),
    ("Loops", "loops"),
    ("One-shots", "one_shots"),
    ("Trash", "trash"),
)


# The views as links, on the page of a collection.
VIEW_LINKS = {
    "all": "/library",
    "favourites": "/library?favourite=1",
    "loops": "/library?kind=loop",
    "one_shots": "/library?kind=one_shot",
    "trash": "/library?view=trash",
}


def sidebar(*, in_collection: bool = False) -> rx.Component:
    """The sidebar."""
    view = LibraryState.sidebar
    view_item = view_link if in_collection else view_button
    return rx.el.aside(
        rx.el.div(
            *(view_item(text, name) for text, name in VIEWS),
            rx.el.a(
                rx.el.span("Map", class_name="room-name"),
                href="/map" if in_collection else LibraryState.map_url,
                on_click=LibraryState.keep_selection,
                class_name="room narrow-room",
                data_testid="room-map",
            ),
            class_name="rail-group",
        ),
        collection_group(in_collection=in_collection),
        rx.cond(
            LibraryState.sidebar.tags.length() > 0,
            rx.el.div(
                rx.el.span("Tags", class_name="label"),
                rx.foreach(
                    LibraryState.sidebar.tags,
                    lambda tag: tag_button(tag, is_counted=not in_collection),
                ),
                class_name="rail-group rail-tags",
            ),
        ),
        rx.el.div(
            reanalysis_progress(),
            rx.el.span(view.storage, class_name="mono"),
            meter(view.storage_share),
            class_name="rail-foot",
        ),
        class_name="rail",
        aria_label="Views and tags",
    )


def collection_group(*, in_collection: bool) -> rx.Component:
    """The collections: the first ones, the others behind a click, and the link to all."""

    def link(collection: CollectionLink) -> rx.Component:
        return collection_link(collection, in_collection=in_collection)

    view = LibraryState.sidebar
    return rx.el.div(
        rx.el.a("Collections", href="/collections", class_name="label rail-title"),
        rx.foreach(view.collections, link),
        rx.cond(
            (view.storage != "") & (view.collections.length() == 0),  # not before they are known
            rx.el.a(
                rx.el.span("+ New collection", class_name="room-name"),
                href="/collections",
                class_name="room",
                data_testid="first-collection",
            ),
        ),
        rx.cond(
            view.more_collections.length() > 0,
            rx.el.details(
                rx.el.summary(
                    rx.el.span("Show all", class_name="when-closed"),
                    rx.el.span("Show fewer", class_name="when-open"),
                    class_name="room",
                    data_testid="more-collections",
                ),
                rx.foreach(view.more_collections, link),
                class_name="rail-more",
            ),
        ),
        class_name="rail-group rail-collections",
        data_testid="rail-collections",
    )


def collection_link(collection: CollectionLink, *, in_collection: bool) -> rx.Component:
    """Link to a collection; rows can be dropped on it, which a smart one refuses."""
    is_open = (CollectionState.sheet.id == collection.id) if in_collection else False
    return rx.el.a(
        rx.cond(
            collection.is_smart,
            rx.icon("sparkles", class_name="collection-smart", aria_label="Smart"),
            rx.el.i(class_name="collection-dot"),
        ),
        rx.el.span(collection.name, class_name="room-name grow"),
        rx.el.span(
            rx.cond(collection.is_smart, SmartCountState.counts[collection.id], collection.count),
            class_name="mono",
        ),
        href=f"/collections/{collection.id}",
        class_name=rx.cond(is_open, "room on", "room"),
        aria_current=rx.cond(is_open, "page", "false"),
        style={"--bank": rx.cond(collection.colour != "", collection.colour, "var(--faint)")},
        custom_attrs={
            "data-collection": collection.id,
            "data-smart": rx.cond(collection.is_smart, "", None),
        },
        draggable=False,
        key=collection.id,
        data_testid="rail-collection",
    )


def view_link(text: str, name: str) -> rx.Component:
    """Link to a view of the library."""
    return rx.el.a(
        rx.el.span(text, class_name="room-name"), href=VIEW_LINKS[name], class_name="room"
    )


def reanalysis_progress() -> rx.Component:
    """Progress of the automatic reanalysis, while it runs."""
    view = LibraryState.sidebar
    return rx.cond(
        view.reanalysis != "",
        rx.el.span(
            rx.el.span(view.reanalysis),
            meter(view.reanalysis_share),
            class_name="renewal",
            title="Your library is being re-analysed with a newer version. "
            "Your corrections are kept.",
            data_testid="renewal",
        ),
    )


def meter(share: rx.Var) -> rx.Component:
    """A thin progress bar, 0 to 100."""
    return rx.el.span(rx.el.span(style={"width": f"{share}%"}), class_name="bar")


def view_button(text: str, name: str) -> rx.Component:
    """Button that opens a view of the library."""
    query = LibraryState.query
    is_open = {
        "favourites": query.favourite,
        "loops": query.kind == "loop",
        "one_shots": query.kind == "one_shot",
        "trash": query.trash,
        "all": ~(query.favourite | query.trash | (query.kind != "")),
    }[name]
    return rx.el.button(
        rx.el.span(text, class_name="room-name"),
        type="button",
        class_name=rx.cond(is_open, "room on", "room"),
        aria_pressed=is_open,
        on_click=LibraryState.open_view(name),
        data_testid=f"room-{name}",
    )


def tag_button(tag: TagCount, *, is_counted: bool = True) -> rx.Component:
    """Button that toggles a tag filter, with the number of samples in the library."""
    is_active = LibraryState.query.tags.contains(tag.name)
    return rx.el.button(
        rx.el.span(tag.name, class_name="room-name"),
        rx.el.span(tag.samples, class_name="mono") if is_counted else rx.fragment(),
        type="button",
        class_name=rx.cond(is_active, "room on", "room"),
        aria_pressed=is_active,
        on_click=LibraryState.toggle_tag(tag.name),
    )
