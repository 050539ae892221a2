"""The name and the faces it is written in."""

import reflex as rx
from reflex_base.utils.imports import ImportDict


class Typeface(rx.Fragment):
    """Geist and its monospaced sister, from npm; only the Latin part travels at first."""

    lib_dependencies: list[str] = [
        "@fontsource-variable/geist@5.3.0",
        "@fontsource-variable/geist-mono@5.3.0",
    ]

    def add_imports(self) -> ImportDict:
        """Import the faces' style sheets."""
        return {
            "": [
                "@fontsource-variable/geist/wght.css",
                "@fontsource-variable/geist-mono/wght.css",
            ]
        }


def brand(href: str = "/") -> rx.Component:
    """The name, beside nine pads of which one is lit."""
    pads = [rx.el.i(class_name="lit" if pad == 4 else "") for pad in range(9)]
    return rx.el.a(
        rx.el.span(*pads, class_name="brand-pads", aria_hidden="true"),
        "Crate 404",
        href=href,
        class_name="brand",
    )


def style_sheet(path: str) -> rx.Component:
    """Load a style sheet with the one page that needs it; React puts it into the head."""
    return rx.el.link(rel="stylesheet", href=path, custom_attrs={"precedence": "default"})
