"""Filters with the number of sounds beside each value."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "facets.jsx")


class FacetSelects(rx.Component):
    """Select fields of filters: of each the label, the field, and pairs of a text and a value.

    `query` has the present values. `counts` are the numbers of sounds by field and value, without
    those that are 0; fields that are missing are not counted yet. `on_choose` receives the field
    and the value.
    """

    library = _ASSET["facets.jsx"]
    tag = "FacetSelects"

    filters: rx.Var[list[Any]]
    query: rx.Var[Any]
    counts: rx.Var[Any]

    on_choose: rx.EventHandler[passthrough_event_spec(str, str)]


class FacetWatch(rx.Component):
    """Calls `on_count` when it is opened, and while it is open at each change of `version`."""

    library = _ASSET["facets.jsx"]
    tag = "FacetWatch"

    is_open: rx.Var[bool]
    version: rx.Var[str]

    on_count: rx.EventHandler[no_args_event_spec]


facet_selects = FacetSelects.create
facet_watch = FacetWatch.create
