"""Content-Security-Policy per page: scripts by hash, no `unsafe-inline` and no `eval` for scripts.

Reflex writes a few inline scripts into each built page. Each is allowed by its hash, so an
injected script does not run. Inline styles are allowed: Plotly, Radix and Emotion need them.
"""

import base64
import hashlib
import os
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from sp404_app.settings import settings

BUILT_PAGES_FOLDER = Path("build") / "client"
FALLBACK = "/404.html"  # served for every page with an id in its URL
COMMON_DIRECTIVES = (
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
# The thread that stretches previews is the only script that compiles WebAssembly. A thread has the
# policy of its own file.
WASM_SCRIPT = re.compile(r"/assets/stretch_worker-[\w-]+\.js")
WASM_POLICY = "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
STYLE_DIRECTIVE = "style-src 'self' 'unsafe-inline'"


def content_security_policy(path: str) -> str:
    """Return the Content-Security-Policy of the response at a path."""
    if WASM_SCRIPT.fullmatch(path):
        return WASM_POLICY
    pages = _page_policies()
    page_policy = pages.get(path) or pages.get(FALLBACK) or _policy_of_html("")
    return f"{page_policy}; {_connect_directive(settings().origin)}"


@lru_cache
def _connect_directive(origin: str) -> str:
    """Allow our own websocket; older Safari versions do not count it as 'self'."""
    return f"connect-src 'self' {origin} {origin.replace('http', 'ws', 1)}"


def script_hashes(html: str) -> list[str]:
    """Return the CSP hash of every inline script of a page."""
    parser = _InlineScripts()
    parser.feed(html)
    return [csp_hash(script) for script in dict.fromkeys(parser.scripts)]


def csp_hash(script: str) -> str:
    """Return the source expression that allows one inline script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _InlineScripts(HTMLParser):
    """Collects the text of inline scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._in_script = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def _policy_of_html(html: str) -> str:
    scripts = " ".join(["script-src 'self'", *script_hashes(html)])
    return "; ".join((*COMMON_DIRECTIVES, scripts, STYLE_DIRECTIVE))


def built_folder() -> Path:
    """Return the folder of the built pages; it may not exist."""
    return Path(os.environ.get("REFLEX_WEB_WORKDIR", ".web")) / BUILT_PAGES_FOLDER


def _page_policies() -> dict[str, str]:
    """Return the policy of each built page by path; read again after every build."""
    folder = built_folder()
    try:
        built_at = (folder / FALLBACK[1:]).stat().st_mtime_ns
    except OSError:
        return {}
    return _read_policies(folder, built_at)


@lru_cache(maxsize=2)
def _read_policies(folder: Path, _built_at: int) -> dict[str, str]:
    policies = {}
    for file in folder.rglob("*.html"):
        path = "/" + file.relative_to(folder).as_posix()
        policies[re.sub(r"(?<=/)index\.html$", "", path)] = _policy_of_html(file.read_text())
    return policies
