"""A Reflex plugin that leaves out of the bundle what our pages do not use.

Emotion, a library for styles in components: our styles are files in `assets`, and components have
only plain ones, such as the width of a bar. And the names that Reflex publishes on `window` for
components made while the app runs, which we have none of: they keep unused code in the bundle.
And the preloads of most modules, which delay the first paint (docs/PERFORMANCE.md).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from reflex.plugins import Plugin

STYLES: Final = Path(__file__).with_name("inline_styles.js")
SCRIPTS: Final = Path(__file__).with_name("entry_scripts.jsx")
TARGET: Final = Path("utils") / STYLES.name  # in the folder of the build
SCRIPTS_TARGET: Final = Path("utils") / SCRIPTS.name
VITE_CONFIG, ROOT, DOCUMENT = "vite.config.js", "app/root.jsx", "app/_document.js"
ALIASES: Final = "    alias: [\n"
OWN_ALIAS: Final = f"""      {{
        find: "@emotion/react",
        replacement: fileURLToPath(new URL("./{TARGET.as_posix()}", import.meta.url)),
      }},
"""
# Fewer, larger files: each has headers of its own, and is compressed by itself.
GROUPS: Final = "          groups: [\n"
OWN_GROUPS: Final = """            { name: "core", minShareCount: 24, priority: 3 },
            { name: "frame", minShareCount: 12, priority: 2 },
            { name: "list", minShareCount: 4, priority: 1 },
"""
PUBLISHED_RE: Final = re.compile(r"window\.__reflex = \{[^{}]*\};")
ALL_SCRIPTS: Final = "jsx(Scripts,{},)"
FEW_PRELOADS: Final = "jsx(EntryScripts,{},)"
OWN_SCRIPTS: Final = 'import {EntryScripts} from "$/utils/entry_scripts";\n'
NOT_PUBLISHED: Final = "// No names are published for components made while the app runs."


class SlimPages(Plugin):
    """Compiles styles of components to React's `style` property, and publishes no names."""

    def get_static_assets(self, **_: Any) -> Sequence[tuple[Path, str | bytes]]:
        """Return the scripts that take the place of Emotion and of React Router's `Scripts`."""
        return [
            (TARGET, STYLES.read_text("utf-8")),
            (SCRIPTS_TARGET, SCRIPTS.read_text("utf-8")),
        ]

    def pre_compile(self, **context: Any) -> None:
        """Change the configuration of Vite and the root of the pages before they are bundled."""
        context["add_modify_task"](VITE_CONFIG, slim_config)
        context["add_modify_task"](ROOT, publish_nothing)
        context["add_modify_task"](DOCUMENT, preload_the_entry)


def slim_config(config: str) -> str:
    """Return a configuration of Vite with our script for Emotion, and with few files.

    Raises:
        RuntimeError: If this version of Reflex has another configuration.
    """
    if OWN_GROUPS in config:  # `reflex run` compiles several times in one folder
        return config
    _ensure_known(config.count(ALIASES), VITE_CONFIG)
    _ensure_known(config.count(GROUPS), VITE_CONFIG)
    return config.replace(ALIASES, ALIASES + OWN_ALIAS).replace(GROUPS, GROUPS + OWN_GROUPS)


def publish_nothing(root: str) -> str:
    """Return the root of the pages without names on `window`.

    Raises:
        RuntimeError: If this version of Reflex has another root.
    """
    if NOT_PUBLISHED in root:
        return root
    _ensure_known(len(PUBLISHED_RE.findall(root)), ROOT)
    return PUBLISHED_RE.sub(NOT_PUBLISHED, root)


def preload_the_entry(document: str) -> str:
    """Return the document of all pages with a preload of the entry alone.

    Raises:
        RuntimeError: If this version of Reflex has another document.
    """
    if OWN_SCRIPTS in document:
        return document
    _ensure_known(document.count(ALL_SCRIPTS), DOCUMENT)
    return OWN_SCRIPTS + document.replace(ALL_SCRIPTS, FEW_PRELOADS)


def _ensure_known(found: int, name: str) -> None:
    if found != 1:
        raise RuntimeError(f"Reflex's {name} has changed: adapt `sp404_app/slim_pages.py` to it.")
