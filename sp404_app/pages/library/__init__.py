"""/library: drop, find and hear sounds."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.pages.layout import layout
from sp404_app.pages.library.dialogs import help_dialog, tag_dialog
from sp404_app.pages.library.query_by_sound import by_sound
from sp404_app.pages.library.sidebar import rail
from sp404_app.pages.library.table import sheet
from sp404_app.pages.library.toolbar import filters, tools
from sp404_app.pages.library.trash import trash_note


def library() -> rx.Component:
    """The main room."""
    return layout(
        style_sheet("/alike.css"),
        rx.el.div(
            rail(),
            rx.el.section(
                tools(),
                rx.el.div(filters(), trash_note()),
                sheet(),
                class_name="main",
                aria_label="Library",
            ),
            class_name="library",
        ),
        tag_dialog(),
        help_dialog(),
        by_sound(),
        current="/library",
    )
