"""Banners over every page: the server can't be reached, or a part of the page is missing."""

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from sp404_app.components.late_part_error import late_part_error
from sp404_app.components.scripts import publish_scripts

_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), "connection_notice.jsx")


class ConnectionNotice(rx.Component):
    """The banner; `is_lost` says that the websocket was given up. Reflex reconnects by itself."""

    library = _ASSET["connection_notice.jsx"]
    tag = "ConnectionNotice"

    is_lost: rx.Var[bool]


def offline(stateful: bool) -> rx.Component:
    """Return the banners for every page; one without a state has no websocket."""
    notices = [ConnectionNotice.create(is_lost=has_connection_errors)] if stateful else []
    # Reflex puts the page into it.
    return rx.fragment(rx.el.div(*notices, late_part_error(), class_name="banners"))
