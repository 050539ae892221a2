"""The columns of the list of samples: the frame that arranges cells, cells, and the menu."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec, passthrough_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True), "sample_columns.jsx", "columns_menu.jsx"
)


class SampleSheet(rx.Component):
    """Frame of a list of samples; `columns` are the names of those to show, in their order.

    Each `SheetHead` and `SampleRow` in it has one cell before those of the columns, then those of
    all columns in their usual order, then others. The column `kept` is always shown.
    """

    library = _ASSET["sample_columns.jsx"]
    tag = "SampleSheet"

    columns: rx.Var[list[str]]
    kept: rx.Var[str]


class SheetHead(rx.Component):
    """The heads of the columns."""

    library = _ASSET["sample_columns.jsx"]
    tag = "SheetHead"


class TagChips(rx.Component):
    """The tags that fit, and "+2" for the others; `rest` is the number of tags not given.

    `on_tag` receives the name of a tag that was clicked.
    """

    library = _ASSET["sample_columns.jsx"]
    tag = "TagChips"

    tags: rx.Var[list[str]]
    rest: rx.Var[int]

    on_tag: rx.EventHandler[passthrough_event_spec(str)]


class AddedDate(rx.Component):
    """The date of a UUIDv7, by which samples are sorted, in the time zone of the browser."""

    library = _ASSET["sample_columns.jsx"]
    tag = "AddedDate"

    of: rx.Var[str]


class ColumnsMenu(rx.Component):
    """Button with the menu of all columns, `ColumnChoice`s in their order.

    `on_show` receives a name and whether it is shown, `on_move` a name and 1 to move it to the
    right or -1 to the left.
    """

    library = _ASSET["columns_menu.jsx"]
    tag = "ColumnsMenu"

    columns: rx.Var[Any]

    on_show: rx.EventHandler[passthrough_event_spec(str, bool)]
    on_move: rx.EventHandler[passthrough_event_spec(str, int)]
    on_reset: rx.EventHandler[no_args_event_spec]


sample_sheet = SampleSheet.create
sheet_head = SheetHead.create
tag_chips = TagChips.create
added_date = AddedDate.create
columns_menu = ColumnsMenu.create
