"""The Content-Security-Policy of a page: which scripts may run in it, and whom it may talk to.

Reflex writes a few scripts into each page. Each is allowed by its hash, so that one which somebody
manages to slip into a page does not run; `eval` is closed too. Styles may be written into
elements: Plotly, Radix and Emotion place things that way, and a style runs nothing.
"""

import base64
import hashlib
import os
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from sp404_app.settings import settings

PAGES = Path("build") / "client"
FALLBACK = "/404.html"  # drawn for every address with an id in it
COMMON = (
    "default-src 'self'",
    "base-uri 'self'",
    "font-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "object-src 'none'",
    "worker-src 'self' blob:",
)
STYLES = "style-src 'self' 'unsafe-inline'"


def policy(path: str) -> str:
    """Return the policy for what is answered at an address."""
    pages = _pages()
    return f"{pages.get(path) or pages.get(FALLBACK) or _of('')}; {_connections(settings().origin)}"


@lru_cache
def _connections(origin: str) -> str:
    """Allow our own websocket; older Safaris do not count it as 'self'."""
    return f"connect-src 'self' {origin} {origin.replace('http', 'ws', 1)}"


def hashes(page: str) -> list[str]:
    """Name every script that is written into a page."""
    reader = _Scripts()
    reader.feed(page)
    return [_hash(script) for script in dict.fromkeys(reader.found)]


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _Scripts(HTMLParser):
    """Collects what stands between the tags of scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def _of(page: str) -> str:
    scripts = " ".join(["script-src 'self'", *hashes(page)])
    return "; ".join((*COMMON, scripts, STYLES))


def _pages() -> dict[str, str]:
    """Return the policies of the built pages, read again after every build."""
    folder = Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web")) / PAGES
    try:
        built = (folder / FALLBACK[1:]).stat().st_mtime_ns
    except OSError:
        return {}
    return _read(folder, built)


@lru_cache(maxsize=2)
def _read(folder: Path, _built: int) -> dict[str, str]:
    found = {}
    for file in folder.rglob("*.html"):
        name = "/" + file.relative_to(folder).as_posix()
        found[re.sub(r"(?<=/)index\.html$", "", name)] = _of(file.read_text())
    return found
