"""The dialog that finds by sound: a file or a recording, and what is like it."""

import reflex as rx

from sp404_app.components.query_by_sound import sound_finder
from sp404_app.pages.sample.similar import aspects, line
from sp404_app.state.sample.query_by_sound import HearingState


def by_sound() -> rx.Component:
    """A sound goes in at the top; what is like it stands below."""
    return sound_finder(
        rx.el.div(
            rx.el.span("Compare by", class_name="muted"),
            aspects(HearingState, "finder"),
            class_name="finder-by",
        ),
        found(),
        open=HearingState.is_open,
        aspect=HearingState.aspect,
        on_found=HearingState.show,
        on_close=HearingState.close,
    )


def found() -> rx.Component:
    """What the sound was heard to be, and what is like it."""
    return rx.el.div(
        rx.cond(
            HearingState.heard != "",
            rx.el.p(
                rx.el.span("Heard ", class_name="muted"),
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
