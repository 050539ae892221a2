"""The panel with the patterns of a project, drawn and played in the browser."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec

from sp404_app.components import pad_engine
from sp404_app.components.scripts import publish_scripts

__all__ = ["pad_engine", "pattern_panel"]  # the scripts of this module import its assets

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "pattern_grid.jsx",
    "pattern_panel.jsx",
)


class PatternPanel(rx.Component):
    """The list of patterns, and the chosen one as a grid. It loads them itself.

    They are loaded again when `revision` changes. `banks` are `BankTab`s, for their colours.
    """

    library = _ASSET["pattern_panel.jsx"]
    tag = "PatternPanel"

    project: rx.Var[str]
    revision: rx.Var[int]
    banks: rx.Var[Any]

    on_close: rx.EventHandler[no_args_event_spec]


pattern_panel = PatternPanel.create
