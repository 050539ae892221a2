"""JavaScript components of the project list: the grid of cards and the picture of a project."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "bank_picture.jsx",
    "menu_button.jsx",
    "project_grid.jsx",
)


class BankPicture(rx.Component):
    """Miniature of the pads of ten banks; `banks` are dicts with letter, colour and filled pads."""

    library = _ASSET["bank_picture.jsx"]
    tag = "BankPicture"

    banks: rx.Var[Any]
    pads_per_bank: rx.Var[int]


class ProjectGrid(rx.Component):
    """Grid of `ProjectItem`s. `on_act` receives the action of a key and the project's id."""

    library = _ASSET["project_grid.jsx"]
    tag = "ProjectGrid"

    in_trash: rx.Var[bool]

    on_act: rx.EventHandler[passthrough_event_spec(str, str)]


class ProjectItem(rx.Component):
    """A card of the grid."""

    library = _ASSET["project_grid.jsx"]
    tag = "ProjectItem"

    project_id: rx.Var[str]


bank_picture = BankPicture.create
project_grid = ProjectGrid.create
project_item = ProjectItem.create
