"""Banners over every page: the websocket is disconnected, or a part of the page is missing."""

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from sp404_app.components.late_part_error import late_part_error


@rx.memo
def offline_banner() -> rx.Component:
    """Render the banner; Reflex reconnects by itself."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            rx.el.span(class_name="pulse"),
            "Connection lost. Reconnecting… Playback continues.",
            role="status",
            class_name="offline",
            custom_attrs={"data-testid": "offline"},
        ),
    )


def offline(stateful: bool) -> rx.Component:
    """Return the banners for every page; one without a state has no websocket."""
    banners = rx.el.div(
        *([offline_banner()] if stateful else []), late_part_error(), class_name="banners"
    )
    return rx.fragment(banners)  # Reflex puts the page into it
