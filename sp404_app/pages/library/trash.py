"""The line above the trash: how full it is, and when sounds are deleted."""

import reflex as rx

from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.permanent_deletion import PermanentDeletionState


def trash_note() -> rx.Component:
    """How full the trash is, and when the oldest sounds are permanently deleted."""
    return rx.cond(
        LibraryState.query.trash,
        rx.el.div(
            rx.el.p(LibraryState.sidebar.trash, data_testid="trash-note"),
            rx.cond(
                LibraryState.sidebar.has_trash,
                rx.el.button(
                    "Empty trash",
                    type="button",
                    class_name="button small danger",
                    on_click=PermanentDeletionState.ask_about_trash,
                    data_testid="empty-trash",
                ),
            ),
            class_name="trash-note",
        ),
    )
