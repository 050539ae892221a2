"""The address of what a page shows, without opening it, and the title of the tab."""

import reflex as rx
from reflex.event import no_args_event_spec

from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "page_address.jsx")


class PageAddress(rx.Component):
    """Shows `address` in the browser's address bar when `version` changes.

    If it `is_step`, Back returns to the address before it; else it replaces that address.
    `on_return` loads the page of an address to which Back or Forward returned.
    """

    library = _ASSET["page_address.jsx"]
    tag = "PageAddress"

    address: rx.Var[str]
    is_step: rx.Var[bool]
    version: rx.Var[int | str]
    is_hydrated: rx.Var[bool]

    on_return: rx.EventHandler[no_args_event_spec]


class PageTitle(rx.Component):
    """Names what the page shows in the title of the tab."""

    library = _ASSET["page_address.jsx"]
    tag = "PageTitle"

    name: rx.Var[str]


page_address = PageAddress.create
page_title = PageTitle.create
