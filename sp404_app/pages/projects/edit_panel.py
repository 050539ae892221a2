"""The edit of the chosen pad: instructions that are rendered into its audio."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from sp404_app.pages.projects.controls import saving_knob
from sp404_app.state.projects.pads import PadsState

EDIT = PadsState.edit
IS_MK2 = PadsState.head.device == "mk2"
LEVELS = [
    ("Off", ""),
    ("Peak −1 dBFS", "peak -1"),
    ("Peak −3 dBFS", "peak -3"),
    ("−14 LUFS", "lufs -14"),
    ("−18 LUFS", "lufs -18"),
]
SILENCE = [("Off", ""), ("Below −60 dB", "-60"), ("Below −48 dB", "-48"), ("Below −36 dB", "-36")]
CHANNELS = [
    ("As it is", "keep"),
    ("Left only", "left"),
    ("Right only", "right"),
    ("Mono mix", "mono"),
]


def edit_panel() -> rx.Component:
    """The panel."""
    return rx.el.section(
        rx.el.div(
            rx.el.h3("Edit"),
            rx.el.span(class_name="grow"),
            rx.cond(
                PadsState.sheet.edited,
                rx.el.button(
                    "Reset",
                    type="button",
                    class_name="chip",
                    on_click=PadsState.reset_edit,
                    data_testid="reset-edit",
                ),
            ),
            class_name="row",
        ),
        rx.el.p(
            "Written into the sound of this pad. Your original stays as it is. ",
            rx.el.span(rx.el.kbd("B"), " plays the original.", class_name="for-keyboards"),
            class_name="muted small",
        ),
        rx.el.div(
            edit_knob("Pitch", "pitch", EDIT.pitch, -24, 24, 0, centred=True, unit=" st"),
            edit_knob("Stretch", "stretch", EDIT.stretch, 0.25, 4, 1, step=0.01, unit="×"),
            edit_knob(
                "Gain", "gain_db", EDIT.gain_db, -24, 24, 0, centred=True, unit=" dB", step=0.5
            ),
            edit_knob("Fade in", "fade_in", EDIT.fade_in, 0, 5, 0, step=0.01, unit=" s"),
            edit_knob("Fade out", "fade_out", EDIT.fade_out, 0, 5, 0, step=0.01, unit=" s"),
            rx.cond(
                IS_MK2,
                edit_knob("Resample", "resample_trick", EDIT.resample_trick, 0, 24, 0, unit=" st"),
            ),
            class_name="knobs",
        ),
        rx.el.div(
            edit_select("Normalise", EDIT.normalise, LEVELS, PadsState.set_normalise, "normalise"),
            edit_select(
                "Trim silence",
                EDIT.trim_silence,
                SILENCE,
                PadsState.set_trim_silence,
                "trim-silence",
            ),
            edit_select("Channels", EDIT.channels, CHANNELS, PadsState.set_channels, "channels"),
            rx.el.div(
                rx.el.button(
                    "Reverse audio",
                    type="button",
                    class_name=rx.cond(EDIT.reverse, "switch on", "switch"),
                    aria_pressed=EDIT.reverse,
                    on_click=PadsState.set_edit("reverse", ~EDIT.reverse, PadsState.sheet.key),
                    data_testid="edit-reverse",
                ),
                rx.el.button(
                    f"Match {PadsState.head.tempo} BPM",
                    type="button",
                    class_name=rx.cond(EDIT.tempo_match != "", "switch on", "switch"),
                    aria_pressed=EDIT.tempo_match != "",
                    title="Stretch to the project's tempo",
                    on_click=PadsState.stretch_to_tempo,
                    data_testid="match-tempo",
                ),
                class_name="switches",
            ),
            class_name="options",
        ),
        rx.cond(
            PadsState.sheet.error != "",
            rx.el.div(
                rx.el.span(PadsState.sheet.error, class_name="grow"),
                rx.el.button(
                    "Try again",
                    type="button",
                    class_name="button small",
                    on_click=PadsState.retry_render,
                ),
                class_name="notice error row",
                role="status",
            ),
        ),
        aria_label="Edit",
        class_name="inspector-section",
        data_testid="edit-panel",
    )


def edit_knob(
    text: str, name: str, value: rx.Var[float] | float, *scale: float, **look: Any
) -> rx.Component:
    """A knob for one number of the edit; `scale` is the lowest, highest and standard value."""
    return saving_knob(
        text,
        value,
        *scale,
        test_id=f"edit-{name}",
        on_change=lambda chosen: PadsState.set_edit(name, chosen, PadsState.sheet.key),
        **look,
    )


def edit_select(
    text: str,
    value: rx.Var[str] | str,
    options: Sequence[tuple[str, str]],
    handler: Any,
    test_id: str,
) -> rx.Component:
    """A choice of one instruction of the edit."""
    return rx.el.label(
        rx.el.span(text),
        rx.el.select(
            *(rx.el.option(label, value=each) for label, each in options),
            class_name="input",
            value=value,
            on_change=handler,
            data_testid=f"edit-{test_id}",
        ),
        class_name="option",
    )
