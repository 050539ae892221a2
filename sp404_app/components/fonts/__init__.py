"""The pages' fonts, Geist and Geist Mono; browsers fetch only the subsets that a page uses.

The files are made by deploy/web_fonts.py; LICENSE is their licence.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from reflex.plugins import Plugin
from reflex.utils.prerequisites import get_web_dir
from reflex_base.constants import Dirs

STYLE_SHEET: Final = "fonts.css"
FILES: Final = (STYLE_SHEET, *sorted(path.name for path in Path(__file__).parent.glob("*.woff2")))


class Fonts(Plugin):
    """Puts the fonts' rules into the style sheet of all pages.

    A sheet of their own would hold back the first paint: browsers ask for it after the scripts.
    """

    def pre_compile(self, **_: Any) -> None:
        """Copy the style sheet and the fonts to the build, where Vite bundles them.

        `get_static_assets` takes only text.
        """
        styles = get_web_dir() / Dirs.STYLES
        styles.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copyfile(Path(__file__).with_name(name), styles / name)

    def get_stylesheet_paths(self, **_: Any) -> Sequence[str]:
        """Return the style sheet's path from the build's folder of styles."""
        return [f"./{STYLE_SHEET}"]
