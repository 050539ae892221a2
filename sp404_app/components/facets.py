"""Filters with the number of sounds beside each value."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "facets.jsx")


class FacetSelect(rx.Component):
    """Select field of a filter; `options` are pairs of a text and a value.

    `counts` are the numbers of sounds by value, without those that are 0, or nothing before they
    are known. `on_choose` receives the field and the value.
    """

    library = _ASSET["facets.jsx"]
    tag = "FacetSelect"

    field: rx.Var[str]
    value: rx.Var[Any]
    options: rx.Var[list[list[str]]]
    counts: rx.Var[Any]

    on_choose: rx.EventHandler[passthrough_event_spec(str, str)]


class FacetWatch(rx.Component):
    """Calls `on_count` when it is opened, and while it is open at each change of `version`."""

    library = _ASSET["facets.jsx"]
    tag = "FacetWatch"

    is_open: rx.Var[bool]
    version: rx.Var[str]

    on_count: rx.EventHandler[no_args_event_spec]


facet_select = FacetSelect.create
facet_watch = FacetWatch.create
