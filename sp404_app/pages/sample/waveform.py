"""Sample page, /samples/[id]: the waveform, and the spectrogram under it."""

import plotly.graph_objects as go
import reflex as rx

from sp404_app.components.sample_controls import transport, zoomable_figure
from sp404_app.state.sample.sample import SampleState
from sp404_app.state.sample.spectrogram import SpectrogramState
from sp404_app.state.sample.waveform import WaveformState

SHEET = SampleState.sheet
CONFIG = {"displayModeBar": False, "doubleClick": "reset", "showTips": False, "scrollZoom": False}
PICTURES = (
    ("spectrum", "Spectrum", "How loud each frequency is: bass below, cymbals above."),
    ("pulse", "Pulse", "Bright bands mark the tempos of repeating hits."),
    ("notes", "Notes", "Energy of each of the twelve notes, over all octaves."),
)


def track() -> rx.Var[dict[str, object]]:
    """Return the properties of the sample that the player needs."""
    return rx.Var.create(
        {
            "id": SHEET.id,
            "name": SHEET.name,
            "seconds": SHEET.seconds,
            "gain": SHEET.gain,
            "loops": SHEET.kind == "loop",
            "playable": SHEET.drawable & ~SHEET.trashed,
            "bpm": SHEET.tempo.value,
            "key": SHEET.short_key,
        }
    )


def sound() -> rx.Component:
    """The transport controls and the waveform."""
    return rx.fragment(
        transport(
            rx.cond(
                WaveformState.pulse.period > 0, layer("beats", "Beats", WaveformState.layers.beats)
            ),
            layer("onsets", "Onsets", WaveformState.layers.onsets),
            track=track(),
            pulse=WaveformState.pulse,
            on_act=SampleState.act,
        ),
        rx.el.div(
            rx.cond(
                WaveformState.drawn,
                zoomable_figure(
                    plot(WaveformState.figure, "wave-plot"),
                    track=track(),
                    label="Waveform with beats; zoom and seek with the buttons and keys",
                    on_view=WaveformState.zoom,
                ),
                rx.el.p(
                    rx.cond(SHEET.drawable, "", "The waveform appears once the sound is analysed."),
                    class_name="muted",
                ),
            ),
            class_name="wave-box",
            data_testid="wave",
        ),
        rx.el.p(
            "Wheel or drag to zoom · shift and wheel to move · double-click to show all · "
            "click to seek",
            class_name="wave-hint",
        ),
    )


def layer(name: str, text: str, on: bool) -> rx.Component:
    """A button that shows or hides a layer over the waveform."""
    return rx.el.button(
        rx.el.i(class_name=f"layer-mark layer-mark-{name}", aria_hidden="true"),
        text,
        type="button",
        class_name=rx.cond(on, "chip on", "chip"),
        aria_pressed=on,
        on_click=WaveformState.toggle_layer(name),
        data_testid=f"layer-{name}",
    )


def plot(figure: go.Figure, name: str) -> rx.Component:
    """A Plotly figure that fills its box."""
    return rx.plotly.cartesian(
        data=figure,
        template=None,
        config=CONFIG,
        use_resize_handler=True,
        class_name=f"plot {name}",
    )


def pictures() -> rx.Component:
    """The spectrogram tabs, and the picture of the visible stretch when one is chosen."""
    return rx.cond(
        SHEET.drawable,
        rx.el.div(
            rx.el.div(
                *(tab(*each) for each in PICTURES),
                rx.el.span(
                    rx.cond(SpectrogramState.stretch != "", SpectrogramState.stretch, ""),
                    class_name="mono muted picture-stretch",
                ),
                class_name="picture-tabs",
                role="group",
                aria_label="Pictures",
            ),
            rx.cond(SpectrogramState.view != "", picture()),
            class_name="pictures",
        ),
    )


def tab(view: str, text: str, explained: str) -> rx.Component:
    """A button that shows or hides one view."""
    on = SpectrogramState.view == view
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(on, "chip on", "chip"),
        aria_pressed=on,
        title=explained,
        on_click=SpectrogramState.choose(view),
        data_testid=f"picture-{view}",
    )


def picture() -> rx.Component:
    """The picture, its error message, or a busy indicator."""
    return rx.el.div(
        rx.el.p(
            rx.match(SpectrogramState.view, *((view, said) for view, _, said in PICTURES), ""),
            class_name="field-hint",
        ),
        rx.el.div(
            rx.cond(
                SpectrogramState.problem != "",
                rx.el.p(SpectrogramState.problem, class_name="field-error"),
                rx.cond(SpectrogramState.ready, heat_map()),
            ),
            rx.cond(
                SpectrogramState.busy,
                rx.el.span(
                    rx.el.span(class_name="pulse"), "Drawing …", class_name="drawing", role="status"
                ),
            ),
            class_name="picture-box",
            data_testid="picture",
            custom_attrs={"data-busy": SpectrogramState.busy},
        ),
        class_name="stack-tight",
    )


def heat_map() -> rx.Component:
    """The heat map, which follows the waveform's zoom."""
    return zoomable_figure(
        plot(SpectrogramState.figure, "picture-plot"),
        track=track(),
        delay=350,
        patient=True,
        label="Picture of the visible part",
        on_view=SpectrogramState.look_at,
    )
