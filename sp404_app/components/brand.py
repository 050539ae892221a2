"""Logo and page style sheets."""

import reflex as rx


def brand(href: str = "/") -> rx.Component:
    """Render the logo (nine pads, one lit) and the name as a link."""
    pads = [rx.el.i(class_name="lit" if pad == 4 else "") for pad in range(9)]
    return rx.el.a(
        rx.el.span(*pads, class_name="brand-pads", aria_hidden="true"),
        "Crate 404",
        href=href,
        class_name="brand",
    )


def style_sheet(path: str) -> rx.Component:
    """Load a style sheet with the page that needs it; React hoists it into the document head."""
    return rx.el.link(rel="stylesheet", href=path, custom_attrs={"precedence": "default"})
