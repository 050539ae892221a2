"""JavaScript components of the pad page: pads, screen, waveform with handles, and knobs.

They run in the browser because a pad must sound within milliseconds, and a page update must not
interrupt it. They use the player of `components.pad_engine`.
"""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components import pad_engine, player
from sp404_app.components.scripts import publish_scripts

# Their assets are imported by the scripts of this module.
__all__ = [
    "commit_field",
    "knob",
    "pad_engine",
    "pad_grid",
    "pad_screen",
    "pad_transport",
    "pad_wave",
    "player",
    "similar_swap",
]

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "commit_field.jsx",
    "details_menu.jsx",
    "knob.jsx",
    "local_edit.js",
    "pad_cell.jsx",
    "pad_changes.js",
    "pad_deck.js",
    "pad_drag.js",
    "pad_grid.jsx",
    "pad_menu.jsx",
    "pad_preview.js",
    "pad_screen.jsx",
    "pad_wave.jsx",
    "playhead.js",
    "similar_swap.jsx",
)


class PadGrid(rx.Component):
    """The pads of one bank. They play, are chosen, and accept samples and other pads.

    A change is shown at once. The last argument of its event is its number; `confirmed` is the
    number of the last change that the server has handled.
    """

    library = _ASSET["pad_grid.jsx"]
    tag = "PadGrid"

    head: rx.Var[Any]
    bank: rx.Var[str]
    colour: rx.Var[str]
    cells: rx.Var[Any]
    chosen: rx.Var[str]
    confirmed: rx.Var[int]
    defaults: rx.Var[Any]

    on_choose: rx.EventHandler[passthrough_event_spec(str)]
    on_move: rx.EventHandler[passthrough_event_spec(str, str, str, int)]
    on_put: rx.EventHandler[passthrough_event_spec(str, str, int)]
    on_clear: rx.EventHandler[passthrough_event_spec(str, int)]
    on_step: rx.EventHandler[passthrough_event_spec(str, int)]
    on_bank: rx.EventHandler[passthrough_event_spec(str)]
    on_act: rx.EventHandler[passthrough_event_spec(str, str)]


class DetailsMenu(rx.Component):
    """A panel of actions, its children, that a button opens."""

    library = _ASSET["details_menu.jsx"]
    tag = "DetailsMenu"

    label: rx.Var[str]
    test_id: rx.Var[str]


class PadScreen(rx.Component):
    """The screen above the pads: the chosen pad as the device names it, and the output level."""

    library = _ASSET["pad_screen.jsx"]
    tag = "PadScreen"

    sheet: rx.Var[Any]
    head: rx.Var[Any]
    draft: rx.Var[str]


class PadTransport(rx.Component):
    """Stop, volume and MIDI. `on_mapping` receives the learned notes."""

    library = _ASSET["pad_screen.jsx"]
    tag = "PadTransport"

    mapping: rx.Var[Any]

    on_mapping: rx.EventHandler[passthrough_event_spec(dict)]


class PadWave(rx.Component):
    """The chosen pad's waveform; start, end, loop point and chops are handles.

    The last argument of its events is the number of the change; `confirmed` is the number of the
    last change that the server has handled. Until then the user's own values are shown.
    """

    library = _ASSET["pad_wave.jsx"]
    tag = "PadWave"

    sheet: rx.Var[Any]
    confirmed: rx.Var[int]
    url: rx.Var[str]
    min_frames: rx.Var[int]
    snap: rx.Var[bool]
    chop_keys: rx.Var[bool]

    on_positions: rx.EventHandler[passthrough_event_spec(int, int, int, int)]
    on_chops: rx.EventHandler[passthrough_event_spec(list, int)]


class SimilarSwap(rx.Component):
    """Two buttons, and ← → while they have the focus: the previous and next similar sound."""

    library = _ASSET["similar_swap.jsx"]
    tag = "SimilarSwap"

    pad_key: rx.Var[str]
    sample_id: rx.Var[str]
    place: rx.Var[str]

    on_step: rx.EventHandler[passthrough_event_spec(int)]


class Knob(rx.Component):
    """A rotary knob; `on_change` is called once at the end of a gesture.

    It gets the value and the number of the change; `confirmed` is as in `PadWave`. `scope` names
    what the value belongs to: a pad.
    """

    library = _ASSET["knob.jsx"]
    tag = "Knob"

    label: rx.Var[str]
    value: rx.Var[float]
    scope: rx.Var[str]
    confirmed: rx.Var[int]
    low: rx.Var[float]
    high: rx.Var[float]
    step: rx.Var[float]
    standard: rx.Var[float]
    unit: rx.Var[str]
    centred: rx.Var[bool]
    disabled: rx.Var[bool]
    test_id: rx.Var[str]

    on_change: rx.EventHandler[passthrough_event_spec(float, int)]


class CommitField(rx.Component):
    """A text field that saves when it is left or by Enter, and restores its value by Escape.

    `on_commit`, `scope` and `confirmed` are as in `Knob`.
    """

    library = _ASSET["commit_field.jsx"]
    tag = "CommitField"

    value: rx.Var[str]
    scope: rx.Var[str]
    confirmed: rx.Var[int]
    label: rx.Var[str]
    max_length: rx.Var[int]
    input_mode: rx.Var[str]
    placeholder: rx.Var[str]
    disabled: rx.Var[bool]
    test_id: rx.Var[str]

    on_commit: rx.EventHandler[passthrough_event_spec(str, int)]
    on_draft: rx.EventHandler[passthrough_event_spec(str)]


commit_field = CommitField.create
knob = Knob.create
pad_grid = PadGrid.create
pad_screen = PadScreen.create
pad_transport = PadTransport.create
pad_wave = PadWave.create
similar_swap = SimilarSwap.create
