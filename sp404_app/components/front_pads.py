"""Pads on the landing page, which a visitor plays; deploy/front_sounds.py makes their sounds."""

import json
from pathlib import Path
from typing import Any, Final

import reflex as rx

from sp404_app.components.scripts import publish_scripts

PADS: Final = json.loads((Path(__file__).parent / "front_pads.json").read_text("utf-8"))
_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "front_pads.jsx")


class FrontPads(rx.Component):
    """Pads with a name and a waveform each, played by pointer, Enter, Space and number keys."""

    library = _ASSET["front_pads.jsx"]
    tag = "FrontPads"

    pads: rx.Var[list[dict[str, Any]]]


def front_pads() -> rx.Component:
    """Render the pads."""
    return FrontPads.create(pads=PADS)
