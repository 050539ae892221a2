"""A Reflex plugin that leaves out of the bundle what our pages do not use.

Emotion, a library for styles in components: our styles are files in `assets`, and components have
only plain ones, such as the width of a bar. And the names that Reflex publishes on `window` for
components made while the app runs, which we have none of: they keep unused code in the bundle.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from reflex.plugins import Plugin

STYLES: Final = Path(__file__).with_name("inline_styles.js")
TARGET: Final = Path("utils") / STYLES.name  # in the folder of the build
VITE_CONFIG, ROOT = "vite.config.js", "app/root.jsx"
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
NOT_PUBLISHED: Final = "// No names are published for components made while the app runs."


class SlimPages(Plugin):
    """Compiles styles of components to React's `style` property, and publishes no names."""

    def get_static_assets(self, **_: Any) -> Sequence[tuple[Path, str | bytes]]:
        """Return the script that takes the place of Emotion."""
        return [(TARGET, STYLES.read_text("utf-8"))]

    def pre_compile(self, **context: Any) -> None:
        """Change the configuration of Vite and the root of the pages before they are bundled."""
        context["add_modify_task"](VITE_CONFIG, slim_config)
        context["add_modify_task"](ROOT, publish_nothing)


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


def _ensure_known(found: int, name: str) -> None:
    if found != 1:
        raise RuntimeError(f"Reflex's {name} has changed: adapt `sp404_app/slim_pages.py` to it.")
