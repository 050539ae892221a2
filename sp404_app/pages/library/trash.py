"""The line above the trash: how full it is, and when sounds are deleted."""

import reflex as rx

from sp404_app.state.library.library import LibraryState


def trash_note() -> rx.Component:
    """How full the trash is, and when the oldest sounds are permanently deleted."""
    return rx.cond(
        LibraryState.query.trash,
        rx.el.p(LibraryState.sidebar.trash, class_name="trash-note", data_testid="trash-note"),
    )
