"""The parts that must run in the browser: the player, the long list, and uploads.

Sound may not stop because a page updates, a key press may not wait for the server, and a file
is in the browser to begin with. Everything else is drawn in Python.
"""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

_FOLDER = {
    name: rx.asset(name, shared=True).importable_path
    for name in (
        "engine.js",
        "queue.js",
        "wave.jsx",
        "player.jsx",
        "table.jsx",
        "windowing.js",
        "uploads.jsx",
        "notice.jsx",
    )
}


class MiniWave(rx.Component):
    """A thumbnail of a sound: `bars` holds one base64 letter for each height."""

    library = _FOLDER["wave.jsx"]
    tag = "MiniWave"

    bars: rx.Var[str]


class PlayerBar(rx.Component):
    """What plays, where, and how; it goes on while one browses."""

    library = _FOLDER["player.jsx"]
    tag = "PlayerBar"

    autoplay: rx.Var[bool]
    levelled: rx.Var[bool]


class PlayThis(rx.Component):
    """A small button that plays one sound."""

    library = _FOLDER["player.jsx"]
    tag = "PlayThis"

    track: rx.Var[Any]


class SampleTable(rx.Component):
    """A scrolling list of `total` rows of which `count` from `start` are its children.

    `on_window` asks for `size` rows: the first of them, the number of the request, and the `epoch`
    of the list it is about. `answered` is the number of the last request that was answered.
    """

    library = _FOLDER["table.jsx"]
    tag = "SampleTable"

    total: rx.Var[int]
    start: rx.Var[int]
    count: rx.Var[int]
    size: rx.Var[int]
    row_height: rx.Var[int]
    epoch: rx.Var[int]
    answered: rx.Var[int]
    any_marked: rx.Var[bool]
    address: rx.Var[str]

    on_window: rx.EventHandler[passthrough_event_spec(int, int, int)]
    on_mark: rx.EventHandler[passthrough_event_spec(str, int, int)]
    on_open: rx.EventHandler[passthrough_event_spec(str)]
    on_act: rx.EventHandler[passthrough_event_spec(str, str)]


class SampleRow(rx.Component):
    """One row of the list: `track` is what the player needs to know of the sound."""

    library = _FOLDER["table.jsx"]
    tag = "SampleRow"

    index: rx.Var[int]
    track: rx.Var[Any]
    marked: rx.Var[bool]

    on_mark: rx.EventHandler[passthrough_event_spec(str, int, int)]
    on_open: rx.EventHandler[passthrough_event_spec(str)]


class Uploads(rx.Component):
    """Takes files dropped anywhere on the page and shows how far they are."""

    library = _FOLDER["uploads.jsx"]
    tag = "Uploads"

    folder_tags: rx.Var[bool]


class ChooseFiles(rx.Component):
    """A button that opens the file chooser, or the folder chooser."""

    library = _FOLDER["uploads.jsx"]
    tag = "ChooseFiles"

    folder: rx.Var[bool]
    test_id: rx.Var[str]


class Notice(rx.Component):
    """One line about what just happened, gone after ten seconds; `stamp` starts it anew."""

    library = _FOLDER["notice.jsx"]
    tag = "Notice"

    text: rx.Var[str]
    tone: rx.Var[str]
    undo: rx.Var[bool]
    stamp: rx.Var[float]

    on_undo: rx.EventHandler[no_args_event_spec]
    on_close: rx.EventHandler[no_args_event_spec]


mini_wave = MiniWave.create
player_bar = PlayerBar.create
play_this = PlayThis.create
sample_table = SampleTable.create
sample_row = SampleRow.create
uploads = Uploads.create
choose_files = ChooseFiles.create
notice = Notice.create
