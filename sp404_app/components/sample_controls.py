"""JavaScript components of the sample page: zoomable figure, transport and tap tempo.

They use the audio player of `components.player`, which every page loads.
"""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "visible_range.js",
    "metronome.js",
    "zoomable_figure.jsx",
    "transport.jsx",
)


class ZoomableFigure(rx.Component):
    """Makes the Plotly figure inside it zoom, seek and follow playback.

    `on_view` receives the visible range in seconds (0, 0 for all of it) at most every `delay` ms;
    with `patient`, once it has not changed for `delay` ms.
    """

    library = _ASSET["zoomable_figure.jsx"]
    tag = "ZoomableFigure"

    track: rx.Var[Any]
    delay: rx.Var[int]
    patient: rx.Var[bool]
    label: rx.Var[str]

    on_view: rx.EventHandler[passthrough_event_spec(float, float)]


class Transport(rx.Component):
    """Play button, position, metronome and zoom; its children are further toggles."""

    library = _ASSET["transport.jsx"]
    tag = "Transport"

    track: rx.Var[Any]
    pulse: rx.Var[Any]

    on_act: rx.EventHandler[passthrough_event_spec(str)]


class TapTempo(rx.Component):
    """Button that measures a tempo from taps."""

    library = _ASSET["transport.jsx"]
    tag = "TapTempo"

    on_tempo: rx.EventHandler[passthrough_event_spec(str)]


zoomable_figure = ZoomableFigure.create
transport = Transport.create
tap_tempo = TapTempo.create
