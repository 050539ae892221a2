"""Sidebar of the library: views, tags, storage and reanalysis progress."""

import reflex as rx

from sp404_app.services.library.tags import TagCount
from sp404_app.state.library.library import LibraryState

VIEWS = (
    ("All sounds", "all"),
    ("Favourites", "favourites"),
    ("Loops", "loops"),
    ("One-shots", "one_shots"),
    ("Trash", "trash"),
)


def sidebar() -> rx.Component:
    """The sidebar."""
    view = LibraryState.sidebar
    return rx.el.aside(
        rx.el.div(*(view_button(text, name) for text, name in VIEWS), class_name="rail-group"),
        rx.cond(
            LibraryState.sidebar.tags.length() > 0,
            rx.el.div(
                rx.el.span("Tags", class_name="label"),
                rx.foreach(LibraryState.sidebar.tags, tag_button),
                class_name="rail-group",
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


def tag_button(tag: TagCount) -> rx.Component:
    """Button that toggles a tag filter, with the number of samples."""
    is_active = LibraryState.query.tags.contains(tag.name)
    return rx.el.button(
        rx.el.span(tag.name, class_name="room-name"),
        rx.el.span(tag.samples, class_name="mono"),
        type="button",
        class_name=rx.cond(is_active, "room on", "room"),
        aria_pressed=is_active,
        on_click=LibraryState.toggle_tag(tag.name),
    )
