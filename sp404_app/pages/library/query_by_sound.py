"""Query-by-sound dialog: find samples similar to a file or a recording."""

import reflex as rx

from sp404_app.components.query_by_sound import sound_finder
from sp404_app.pages.sample.similar import aspects, line
from sp404_app.state.sample.query_by_sound import HearingState


def query_by_sound_dialog() -> rx.Component:
    """The dialog: input at the top, similar samples below."""
    return sound_finder(
        rx.el.div(
            rx.el.span("Compare by", class_name="muted"),
            aspects(HearingState, "finder"),
            class_name="finder-by",
        ),
        query_results(),
        open=HearingState.is_open,
        aspect=HearingState.aspect,
        on_found=HearingState.show,
        on_close=HearingState.close,
    )


def query_results() -> rx.Component:
    """The analysis of the query sound, and the similar samples."""
    return rx.el.div(
        rx.cond(
            HearingState.heard != "",
            rx.el.p(
                rx.el.span("Detected ", class_name="muted"),
                rx.el.span(HearingState.heard, class_name="mono", data_testid="finder-heard"),
            ),
        ),
        rx.cond(
            HearingState.nothing != "",
            rx.el.p(HearingState.nothing, role="status", data_testid="finder-nothing"),
        ),
        rx.el.ul(rx.foreach(HearingState.rows, line), class_name="finder-list"),
        class_name="finder-found",
    )
