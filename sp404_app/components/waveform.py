"""What the page of one sound does in the browser: zoom, seek, play, tap and click.

The player is the one of `deck`, which the frame around every page loads.
"""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

_FOLDER = {
    name: rx.asset(name, shared=True).importable_path
    for name in (
        "viewpoint.js",
        "metronome.js",
        "scope.jsx",
        "transport.jsx",
    )
}


class Scope(rx.Component):
    """Makes the Plotly picture inside it zoom, seek and follow what plays.

    `on_view` is told the stretch in view (0, 0 for all of it) after `delay` ms; a `patient`
    one waits until the view stands still.
    """

    library = _FOLDER["scope.jsx"]
    tag = "Scope"

    track: rx.Var[Any]
    delay: rx.Var[int]
    patient: rx.Var[bool]
    label: rx.Var[str]

    on_view: rx.EventHandler[passthrough_event_spec(float, float)]


class Transport(rx.Component):
    """Play, position, metronome and zoom; its children are further switches."""

    library = _FOLDER["transport.jsx"]
    tag = "Transport"

    track: rx.Var[Any]
    pulse: rx.Var[Any]

    on_act: rx.EventHandler[passthrough_event_spec(str)]


class Tap(rx.Component):
    """Finds a tempo by tapping along."""

    library = _FOLDER["transport.jsx"]
    tag = "Tap"

    on_tempo: rx.EventHandler[passthrough_event_spec(str)]


scope = Scope.create
transport = Transport.create
tap = Tap.create
