"""Veil beside a sheet that lies over the page on phones."""

import reflex as rx

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "sheet_veil.jsx")


class SheetVeil(rx.Component):
    """Closes the sheet by a tap, Escape or Android's Back."""

    library = _ASSET["sheet_veil.jsx"]
    tag = "SheetVeil"

    on_close: rx.EventHandler[rx.event.no_args_event_spec]


sheet_veil = SheetVeil.create
