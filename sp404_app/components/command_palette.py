"""The command palette, which runs in the browser so that it opens and answers at once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import reflex as rx

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True), "command_palette.jsx", "theme.jsx"
)


@dataclass(frozen=True, slots=True)
class Destination:
    """A page of the palette; `words` are further words that find it.

    With `press`, an action: the control with this id is clicked when the page shows it.
    """

    text: str
    href: str
    words: str = ""
    press: str = ""


class CommandPalette(rx.Component):
    """Button and dialog that find pages, actions of the page, sounds, collections and projects.

    `keys` are actions with the keys that start them, as the page shows them: "Shift E".
    """

    library = _ASSET["command_palette.jsx"]
    tag = "CommandPalette"

    destinations: rx.Var[list[dict[str, str]]]
    keys: rx.Var[list[dict[str, str]]]


def command_palette(
    destinations: Sequence[Destination], keys: Sequence[tuple[str, str]], **attributes: Any
) -> rx.Component:
    """Render the palette; `keys` are pairs of keys and text."""
    return CommandPalette.create(
        destinations=[asdict(each) for each in destinations],
        keys=[{"text": text, "keys": shown} for shown, text in keys],
        **attributes,
    )
