"""The map of sounds, which a canvas of the browser draws and plays."""

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components import player
from sp404_app.components.scripts import publish_scripts

# Its assets are imported by the script of this module.
__all__ = ["player", "sound_map"]

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "sound_map.jsx")


class SoundMap(rx.Component):
    """All sounds that `GET /api/samples/map` finds with the parameters `query`.

    They are read once the query `is_known`, and again when `version` changes. `on_select`
    receives the ids within the lasso, `selected` are those that were selected elsewhere.
    """

    library = _ASSET["sound_map.jsx"]
    tag = "SoundMap"

    query: rx.Var[str]
    version: rx.Var[int]
    is_known: rx.Var[bool]
    any_marked: rx.Var[bool]
    selected: rx.Var[list[str]]

    on_select: rx.EventHandler[passthrough_event_spec(list[str])]
    on_open: rx.EventHandler[passthrough_event_spec(str)]


sound_map = SoundMap.create
