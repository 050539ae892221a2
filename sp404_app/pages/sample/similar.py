"""Sample page: the section of similar samples."""

import reflex as rx

from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.components.player import mini_wave, play_button
from sp404_app.pages.library.track import track_of
from sp404_app.state.sample.query_by_sound import QueryBySoundState
from sp404_app.state.sample.similar import SimilarRow, SimilarState

ASPECTS = (
    (Aspect.OVERALL, "Everything"),
    (Aspect.TIMBRE, "Timbre"),
    (Aspect.ENVELOPE, "Envelope"),
    (Aspect.PITCH, "Pitch"),
    (Aspect.RHYTHM, "Rhythm"),
)


def similar_section() -> rx.Component:
    """The most similar samples, by everything or by one aspect."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2("Similar sounds"),
            aspect_buttons(SimilarState, "alike"),
            class_name="alike-head",
        ),
        rx.cond(
            SimilarState.rows.length() > 0,
            rx.fragment(
                rx.el.ul(rx.foreach(SimilarState.rows, similar_row), class_name="alike-list"),
                rx.el.a(
                    "Show all in the library",
                    href=SimilarState.library_url,
                    class_name="alike-all",
                    data_testid="alike-all",
                ),
            ),
            rx.cond(
                SimilarState.looked,
                rx.el.p(
                    "No similar sounds yet. Sounds are compared once they’re analysed.",
                    class_name="muted",
                ),
            ),
        ),
        class_name="card alike",
        data_testid="alike",
    )


def aspect_buttons(state: type[SimilarState | QueryBySoundState], testid: str) -> rx.Component:
    """Buttons that choose the aspect to compare by."""
    return rx.el.div(
        *(
            rx.el.button(
                text,
                type="button",
                class_name=rx.cond(state.aspect == value, "chip on", "chip"),
                aria_pressed=state.aspect == value,
                on_click=state.compare_by(value),
                data_testid=f"{testid}-{value}",
            )
            for value, text in ASPECTS
        ),
        class_name="alike-aspects",
        role="group",
        aria_label="Compare by",
    )


def similar_row(found: SimilarRow) -> rx.Component:
    """A row with one similar sample."""
    sample = found.row
    return rx.el.li(
        play_button(track=track_of(sample)),
        mini_wave(bars=sample.wave),
        rx.el.a(
            sample.name,
            href=f"/samples/{sample.id}",
            class_name="alike-name touch-target",
            data_testid="alike-name",
        ),
        rx.el.span(sample.bpm, class_name="mono muted"),
        rx.el.span(sample.key, class_name="mono muted"),
        rx.el.span(found.alike, class_name="mono", title="Similarity"),
        class_name="alike-line",
        key=sample.id,
    )
