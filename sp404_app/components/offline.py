"""What is said while the server cannot be reached."""

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors


@rx.memo
def offline_banner() -> rx.Component:
    """Say that the connection is gone, and that nothing needs to be done."""
    return rx.cond(
        has_connection_errors,
        rx.el.div(
            rx.el.span(class_name="pulse"),
            "The connection is lost. It comes back by itself; what plays goes on.",
            role="status",
            class_name="offline",
            custom_attrs={"data-testid": "offline"},
        ),
    )


def offline(stateful: bool) -> rx.Component | None:
    """Return the banner for the frame around every page; pages without state need none."""
    return rx.fragment(offline_banner()) if stateful else None
