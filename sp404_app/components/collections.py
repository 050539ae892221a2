"""JavaScript components of collections: picker, rule editor, dragged rows, playing through.

They run in the browser because typing, dragging and playing must not wait for the server.
"""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components import pads, player
from sp404_app.components.scripts import publish_scripts

# Their assets are imported by the scripts of this module.
__all__ = [
    "collection_picker",
    "pads",
    "play_through",
    "player",
    "row_drag",
    "rule_editor",
]

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "collection_picker.jsx",
    "play_through.jsx",
    "row_drag.jsx",
    "rule_editor.jsx",
)


class CollectionPicker(rx.Component):
    """A field that filters `choices` (id, name, colour, count), and the list of what it found.

    `on_choose` receives the id of a collection, `on_create` the name of a new one.
    """

    library = _ASSET["collection_picker.jsx"]
    tag = "CollectionPicker"

    choices: rx.Var[Any]

    on_choose: rx.EventHandler[passthrough_event_spec(str)]
    on_create: rx.EventHandler[passthrough_event_spec(str)]


class RowDrag(rx.Component):
    """Drags rows of the sample table; shows nothing itself.

    `on_collect` receives a collection and the dragged sample. With `movable` rows, `on_place`
    receives the dragged sample, another one, and "before" or "after".
    """

    library = _ASSET["row_drag.jsx"]
    tag = "RowDrag"

    movable: rx.Var[bool]

    on_collect: rx.EventHandler[passthrough_event_spec(str, str)]
    on_place: rx.EventHandler[passthrough_event_spec(str, str, str)]


class PlayThrough(rx.Component):
    """Button that plays the sample table of the page through, or stops it."""

    library = _ASSET["play_through.jsx"]
    tag = "PlayThrough"

    disabled: rx.Var[bool]
    test_id: rx.Var[str]


class RuleEditor(rx.NoSSRComponent):
    """Edits the rules of a smart collection; puts them as JSON into the field `rules` of its form.

    `fields` are as in `state.collections.rule_fields`. `on_draft` receives the JSON and a number
    that comes back as `answered` with the `matches` or the `problem`.
    """

    library = _ASSET["rule_editor.jsx"]
    tag = "RuleEditor"

    fields: rx.Var[Any]
    rules: rx.Var[Any]
    tags: rx.Var[Any]
    collections: rx.Var[Any]
    matches: rx.Var[str]
    problem: rx.Var[str]
    answered: rx.Var[int]

    on_draft: rx.EventHandler[passthrough_event_spec(str, int)]


collection_picker = CollectionPicker.create
play_through = PlayThrough.create
row_drag = RowDrag.create
rule_editor = RuleEditor.create
