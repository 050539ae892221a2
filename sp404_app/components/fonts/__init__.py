"""The pages' fonts, Geist and Geist Mono; browsers fetch only the subsets that a page uses.

The files are made by deploy/web_fonts.py; LICENSE is their licence.
"""

from pathlib import Path
from typing import Final

import reflex as rx
from reflex_base.utils.imports import ImportDict

from sp404_app.components.scripts import publish_scripts

STYLE_SHEET: Final = "fonts.css"
FILES: Final = sorted(path.name for path in Path(__file__).parent.glob("*.woff2"))
_ASSET = publish_scripts(lambda name: rx.asset(name, shared=True), STYLE_SHEET, *FILES)


class Typeface(rx.Fragment):
    """Loads the style sheet of the fonts, with which Vite bundles them."""

    def add_imports(self) -> ImportDict:
        """Import the style sheet."""
        return {"": [_ASSET[STYLE_SHEET]]}
