"""Query-by-sound dialog: find samples similar to a file or a recording."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.query_by_sound import query_by_sound_dialog
from sp404_app.pages.sample.similar import aspect_buttons, similar_row
from sp404_app.state.sample.query_by_sound import QueryBySoundState


def find_by_sound() -> rx.Component:
    """The dialog: input at the top, similar samples below."""
    return rx.cond(
        QueryBySoundState.is_open,
        query_by_sound_dialog(
            style_sheet("/alike.css"),
            rx.el.div(
                rx.el.span("Compare by", class_name="muted"),
                aspect_buttons(QueryBySoundState, "finder"),
                class_name="finder-by",
            ),
            query_results(),
            aspect=QueryBySoundState.aspect,
            on_found=QueryBySoundState.show,
            on_close=QueryBySoundState.close,
        ),
    )


def query_results() -> rx.Component:
    """The analysis of the query sound, and the similar samples."""
    return rx.el.div(
        rx.cond(
            QueryBySoundState.heard != "",
            rx.el.p(
                rx.el.span("Detected ", class_name="muted"),
                rx.el.span(QueryBySoundState.heard, class_name="mono", data_testid="finder-heard"),
            ),
        ),
        rx.cond(
            QueryBySoundState.nothing != "",
            rx.el.p(QueryBySoundState.nothing, role="status", data_testid="finder-nothing"),
        ),
        rx.el.ul(rx.foreach(QueryBySoundState.rows, similar_row), class_name="finder-list"),
        class_name="finder-found",
    )
