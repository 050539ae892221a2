"""Components implemented in JavaScript: player, sample table, uploads and toast.

They run in the browser because a page update must not interrupt playback, key presses must not
wait for the server, and uploads start from local files. Everything else is rendered in Python.
"""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from sp404_app.components import cards, columns
from sp404_app.components.scripts import publish_scripts

# Their assets are imported by the scripts of this module.
__all__ = [
    "cards",
    "choose_files",
    "columns",
    "mini_wave",
    "play_button",
    "player_bar",
    "sample_row",
    "sample_table",
    "toast",
    "upload_panel",
]

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "audio_player.js",
    "upload_queue.js",
    "player_voices.js",
    "preview_match.js",
    "preview_match_panel.jsx",
    "stretch_worker.js",
    "stretched_buffers.js",
    "signalsmith-stretch-1.3.2.wasm",
    "waveforms.jsx",
    "keyboard_help.jsx",
    "player_bar.jsx",
    "sample_table.jsx",
    "virtual_list.js",
    "list_place.js",
    "list_history.js",
    "page_address.jsx",
    "menu_button.jsx",
    "upload_panel.jsx",
    "toast.jsx",
)


class MiniWave(rx.Component):
    """Waveform thumbnail; `bars` has one base64 character per bar, its height 0 to 63."""

    library = _ASSET["waveforms.jsx"]
    tag = "MiniWave"

    bars: rx.Var[str]


class PlayerBar(rx.Component):
    """Player bar; playback continues while the user browses. With `help_keys` it has a "?".

    These are pairs of a key and what it does on the page. `notice` is the time of the last notice
    of this tab, or 0, and `to_trash` whether it tells of a deletion: then a sound that was deleted
    stops.
    """

    library = _ASSET["player_bar.jsx"]
    tag = "PlayerBar"

    autoplay: rx.Var[bool]
    levelled: rx.Var[bool]
    notice: rx.Var[float]
    to_trash: rx.Var[bool]
    help_keys: rx.Var[list[tuple[str, str]]]


class PlayButton(rx.Component):
    """Button that plays one sound."""

    library = _ASSET["player_bar.jsx"]
    tag = "PlayButton"

    track: rx.Var[Any]


class SampleTable(rx.Component):
    """Virtual list of `total` rows; its children are `count` rows from row `start`.

    `on_window` requests `size` rows: first row, request id, and the `epoch` of the list.
    `answered` is the id of the last request that was answered. A `drawer` is beside the pads.
    `address`, `is_step` and `on_return` are those of `PageAddress`.
    `trashed` and `collection` say which keys act.
    In a manual collection rows are `removable` and can be moved; `refreshed` grows when they were.
    A list that opens has its cursor at `cursor_row`, at the sample `cursor_id`, unless it is -1.
    `on_step` receives a sample, and 1 to move it down or -1 to move it up.
    """

    library = _ASSET["sample_table.jsx"]
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
    is_step: rx.Var[bool]
    is_hydrated: rx.Var[bool]
    drawer: rx.Var[bool]
    trashed: rx.Var[bool]
    collection: rx.Var[bool]
    removable: rx.Var[bool]
    refreshed: rx.Var[int]
    cursor_row: rx.Var[int]
    cursor_id: rx.Var[str]

    on_window: rx.EventHandler[passthrough_event_spec(int, int, int)]
    on_return: rx.EventHandler[no_args_event_spec]
    on_mark: rx.EventHandler[passthrough_event_spec(str, int, int)]
    on_open: rx.EventHandler[passthrough_event_spec(str)]
    on_act: rx.EventHandler[passthrough_event_spec(str, str)]
    on_put: rx.EventHandler[passthrough_event_spec(str)]
    on_collect: rx.EventHandler[passthrough_event_spec(str)]
    on_remove: rx.EventHandler[passthrough_event_spec(str)]
    on_step: rx.EventHandler[passthrough_event_spec(str, int)]


class SampleRow(rx.Component):
    """A row of the table; `track` is the data that the player needs.

    If it `opens_on_tap`, a tap on a phone plays on its waveform and opens the sample elsewhere.
    """

    library = _ASSET["sample_table.jsx"]
    tag = "SampleRow"

    index: rx.Var[int]
    track: rx.Var[Any]
    marked: rx.Var[bool]
    opens_on_tap: rx.Var[bool]

    on_mark: rx.EventHandler[passthrough_event_spec(str, int, int)]
    on_open: rx.EventHandler[passthrough_event_spec(str)]


class UploadPanel(rx.Component):
    """Accepts files dropped anywhere on the page and shows the progress of uploads."""

    library = _ASSET["upload_panel.jsx"]
    tag = "UploadPanel"

    folder_tags: rx.Var[bool]


class ChooseFiles(rx.Component):
    """Button that opens the file or folder chooser."""

    library = _ASSET["upload_panel.jsx"]
    tag = "ChooseFiles"

    folder: rx.Var[bool]
    test_id: rx.Var[str]


class Toast(rx.Component):
    """Message about the last action; closes after ten seconds. A new `stamp` restarts them.

    `link` is the path that "Open" leads to, or empty.
    """

    library = _ASSET["toast.jsx"]
    tag = "Toast"

    text: rx.Var[str]
    tone: rx.Var[str]
    undo: rx.Var[bool]
    link: rx.Var[str]
    stamp: rx.Var[float]

    on_undo: rx.EventHandler[no_args_event_spec]
    on_close: rx.EventHandler[no_args_event_spec]


mini_wave = MiniWave.create
player_bar = PlayerBar.create
play_button = PlayButton.create
sample_table = SampleTable.create
sample_row = SampleRow.create
upload_panel = UploadPanel.create
choose_files = ChooseFiles.create
toast = Toast.create
