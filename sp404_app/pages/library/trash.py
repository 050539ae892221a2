"""What the trash holds, above what is in it."""

import reflex as rx

from sp404_app.state.library.library import LibraryState


def trash_note() -> rx.Component:
    """How long the trash keeps sounds, and when the oldest go for good."""
    return rx.cond(
        LibraryState.query.trash,
        rx.el.p(LibraryState.facts.trash, class_name="trash-note", data_testid="trash-note"),
    )
