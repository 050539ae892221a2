"""Banner shown while the websocket is disconnected."""

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors


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


def offline(stateful: bool) -> rx.Component | None:
    """Return the banner for every page, or None if the page has no state."""
    return rx.fragment(offline_banner()) if stateful else None
