"""Rooms, tags, and how full the plan is."""

import reflex as rx

from sp404_app.services.library.tags import TagCount
from sp404_app.state.library.library import LibraryState

ROOMS = (
    ("All sounds", "all"),
    ("Favourites", "favourites"),
    ("Loops", "loops"),
    ("One-shots", "one_shots"),
    ("Trash", "trash"),
)


def rail() -> rx.Component:
    """Rooms, tags, and how full the plan is."""
    facts = LibraryState.facts
    return rx.el.aside(
        rx.el.div(*(room(*each) for each in ROOMS), class_name="rail-group"),
        rx.cond(
            LibraryState.facts.tags.length() > 0,
            rx.el.div(
                rx.el.span("Tags", class_name="label"),
                rx.foreach(LibraryState.facts.tags, tag_room),
                class_name="rail-group",
            ),
        ),
        rx.el.div(
            renewal(),
            rx.el.span(facts.stored, class_name="mono"),
            meter(facts.stored_share),
            class_name="rail-foot",
        ),
        class_name="rail",
        aria_label="Rooms and tags",
    )


def renewal() -> rx.Component:
    """How far a better ear is with hearing the library again, while it is."""
    facts = LibraryState.facts
    return rx.cond(
        facts.renewing != "",
        rx.el.span(
            rx.el.span(facts.renewing),
            meter(facts.renewed_share),
            class_name="renewal",
            title="A better ear hears your library again; what you corrected stays as it is",
            data_testid="renewal",
        ),
    )


def meter(share: rx.Var) -> rx.Component:
    """A thin bar, 0 to 100."""
    return rx.el.span(rx.el.span(style={"width": f"{share}%"}), class_name="bar")


def room(text: str, view: str) -> rx.Component:
    """One way of looking at the library."""
    query = LibraryState.query
    here = {
        "favourites": query.favourite,
        "loops": query.kind == "loop",
        "one_shots": query.kind == "one_shot",
        "trash": query.trash,
        "all": ~(query.favourite | query.trash | (query.kind != "")),
    }[view]
    return rx.el.button(
        rx.el.span(text, class_name="room-name"),
        type="button",
        class_name=rx.cond(here, "room on", "room"),
        aria_pressed=here,
        on_click=LibraryState.visit(view),
        data_testid=f"room-{view}",
    )


def tag_room(tag: TagCount) -> rx.Component:
    """A tag that narrows the list."""
    here = LibraryState.query.tags.contains(tag.name)
    return rx.el.button(
        rx.el.span(tag.name, class_name="room-name"),
        rx.el.span(tag.samples, class_name="mono"),
        type="button",
        class_name=rx.cond(here, "room on", "room"),
        aria_pressed=here,
        on_click=LibraryState.toggle_tag(tag.name),
    )
