"""Sliders for the weights by which sounds are compared."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components import pads
from sp404_app.components.scripts import publish_scripts

__all__ = ["likeness_sliders", "pads"]  # the slider's script imports one of `pads`

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "likeness_sliders.jsx")


class LikenessSliders(rx.Component):
    """One slider for each aspect, 0 to 100 percent, and a button that sets all to 100.

    `on_weigh` receives all weights when a slider has come to rest, and the number of the change;
    `confirmed` is the number of the last change that the server has handled.
    """

    library = _ASSET["likeness_sliders.jsx"]
    tag = "LikenessSliders"

    aspects: rx.Var[list[str]]
    scope: rx.Var[str]
    weights: rx.Var[Any]
    confirmed: rx.Var[int]

    on_weigh: rx.EventHandler[passthrough_event_spec(list[int], int)]


likeness_sliders = LikenessSliders.create
