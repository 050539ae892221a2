"""Sample page: the section that compares a sample with its duplicates."""

import reflex as rx

from sp404_app.components.player import mini_wave, play_button
from sp404_app.pages.library.track import track_of
from sp404_app.state.rows import Row
from sp404_app.state.sample.duplicates import DuplicateRow, DuplicatesState


def duplicates_section() -> rx.Component:
    """The sample and its duplicates in one list; nothing if it has none."""
    return rx.cond(
        DuplicatesState.rows.length() > 0,
        rx.el.section(
            rx.el.h2("Copies of this recording"),
            rx.el.p(
                "The same recording at a different sample rate, level or format, or with silence "
                "around it. Keep the best one and move the others to the trash.",
                class_name="muted copies-hint",
            ),
            rx.el.ul(rx.foreach(DuplicatesState.rows, duplicate_row), class_name="copies-list"),
            class_name="card alike",
            data_testid="copies",
        ),
    )


def duplicate_row(found: DuplicateRow) -> rx.Component:
    """A row with the properties in which the files differ."""
    sample = found.row
    return rx.el.li(
        play_button(track=track_of(sample)),
        mini_wave(bars=sample.wave),
        rx.cond(
            found.here,
            rx.el.span(sample.name, title=sample.name, class_name="copies-name"),
            rx.el.a(
                sample.name,
                href=f"/samples/{sample.id}",
                title=sample.name,
                class_name="alike-name copies-name touch-target",
                data_testid="copy-name",
            ),
        ),
        rx.el.span(
            *(
                rx.el.span(value, title=what)
                for value, what in (
                    (found.format, "Format"),
                    (found.rate, "Sample rate"),
                    (found.channels, "Channels"),
                    (sample.duration, "Length"),
                    (found.loudness, "Loudness"),
                    (found.size, "Size"),
                )
            ),
            class_name="mono muted copies-facts",
        ),
        rx.cond(
            found.here,
            rx.el.span("this sound", class_name="muted copies-here"),
            discard_button(sample),
        ),
        class_name="copies-line",
        key=sample.id,
        data_testid="copy",
    )


def discard_button(sample: Row) -> rx.Component:
    """The button that moves a duplicate to the trash; the toast offers to undo it."""
    return rx.el.button(
        rx.icon("trash-2"),
        type="button",
        class_name="icon-button",
        aria_label=f"Move {sample.name} to the trash",
        title="Move to the trash",
        on_click=DuplicatesState.throw_away(sample.id),
        data_testid="copy-throw-away",
    )
