"""Logo, typeface and page style sheets."""

import reflex as rx
from reflex_base.utils.imports import ImportDict


class Typeface(rx.Fragment):
    """Loads Geist and Geist Mono from npm; browsers fetch only the subsets that a page uses."""

    lib_dependencies: list[str] = [
        "@fontsource-variable/geist@5.3.0",
        "@fontsource-variable/geist-mono@5.3.0",
    ]

    def add_imports(self) -> ImportDict:
        """Import the style sheets of the fonts."""
        return {
            "": [
                "@fontsource-variable/geist/wght.css",
                "@fontsource-variable/geist-mono/wght.css",
            ]
        }


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
