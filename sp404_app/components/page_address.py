"""The address of what a page shows, without opening it, and the title of the tab."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec
from reflex.state import OnLoadInternalState

from sp404_app.components.scripts import publish_scripts

# What the router sends when it opens an address: the page is loaded, and what it did before ends.
OPEN_ADDRESS: Any = OnLoadInternalState.on_load_internal

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True), "page_address.jsx", "list_history.js"
)


class PageAddress(rx.Component):
    """Shows `address` in the browser's address bar when `version` changes.

    If it `is_step`, Back returns to the address before it; else it replaces that address.
    `on_return` is called when Back or Forward returned to an address that the router had not left.
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


def trash_address(address: str | rx.Var[str]) -> rx.Component:
    """Show the address of a list or of its trash, each of them a step."""
    return PageAddress.create(
        address=address,
        is_step=True,
        version=address,
        is_hydrated=rx.State.is_hydrated,
        on_return=OPEN_ADDRESS,
    )


page_address = PageAddress.create
page_title = PageTitle.create
