"""The frame of a public page: head with Open Graph tags, bar, content, foot."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi.responses import HTMLResponse

from sp404_app.api.middleware.csp import built_folder, csp_hash
from sp404_app.api.share_page.markup import (
    Html,
    data_script,
    element,
    inline_script,
    join,
    style,
)
from sp404_app.api.share_page.share_scripts import PAGE_SCRIPT, script_address
from sp404_app.components.theme import THEME_SCRIPT
from sp404_app.settings import settings

APP_NAME: Final = "Crate 404"
FONT_FACE: Final = re.compile(r"@font-face\s*\{[^}]*Geist[^}]*\}")
POLICY: Final = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; img-src 'self' data:; media-src 'self'; "
    f"script-src 'self' {csp_hash(THEME_SCRIPT)}; "
    "style-src 'self' 'unsafe-inline'; worker-src 'self'; frame-ancestors "
)
NO_INDEX: Final = "noindex, nofollow"
# The theme that this browser chose in the app; most visitors chose none: that of their system.
HTML_ATTRIBUTES: Final = {"lang": "en", "data_theme_choice": "system"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the head of a page says; `properties` are Open Graph tags."""

    title: str
    description: str = ""
    address: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    oembed: str = ""
    is_indexed: bool = False
    refresh_s: int = 0
    sheets: tuple[str, ...] = field(default=())


def page_response(
    head: Head,
    *content: Html,
    status: int = 200,
    data: object = None,
    is_embedded: bool = False,
) -> HTMLResponse:
    """Return a page. Only an embedded one may be framed by other sites; none is cached."""
    body = element(
        "body",
        None if is_embedded else _bar(),
        element("main", *content, class_="share", id="content"),
        None if is_embedded else _foot(),
        data_script("share-data", data) if data is not None else None,
        class_="share-embed" if is_embedded else "share-body",
    )
    page = element("html", _head(head, has_script=data is not None), body, **HTML_ATTRIBUTES)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY + ("*" if is_embedded else "'none'"),
        "Referrer-Policy": "same-origin",
    }
    if not head.is_indexed:
        headers["X-Robots-Tag"] = NO_INDEX
    return HTMLResponse(join(Html("<!doctype html>"), page), status, headers)


def _head(head: Head, *, has_script: bool) -> Html:
    named = {"viewport": "width=device-width, initial-scale=1", "description": head.description}
    if not head.is_indexed:
        named["robots"] = NO_INDEX
    sheets = ("/app.css", *head.sheets, "/share.css")
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("title", f"{head.title} · {APP_NAME}"),
        inline_script(THEME_SCRIPT),
        *(element("meta", name=name, content=text) for name, text in named.items() if text),
        *(element("meta", property=name, content=text) for name, text in head.properties),
        _canonical(head),
        _refresh(head),
        element("link", rel="icon", href="/favicon.ico"),
        *(element("link", rel="stylesheet", href=sheet) for sheet in sheets),
        style(font_faces()),
        element("script", type="module", src=script_address(PAGE_SCRIPT)) if has_script else None,
    )


def _canonical(head: Head) -> Html | None:
    if not head.address:
        return None
    canonical = element("link", rel="canonical", href=head.address)
    if not head.oembed:
        return canonical
    kind = "application/json+oembed"
    return join(canonical, element("link", rel="alternate", type=kind, href=head.oembed))


def _refresh(head: Head) -> Html | None:
    if not head.refresh_s:
        return None
    # "http_equiv" would become the right name, too; `content` is the pause in seconds.
    return element("meta", http_equiv="refresh", content=head.refresh_s)


def _bar() -> Html:
    return element(
        "header",
        brand("/"),
        element("a", "Open library", href="/library", class_="button small"),
        class_="topbar share-bar",
    )


def brand(href: str, **attributes: object) -> Html:
    """Return the logo (nine pads, one lit) and the name as a link."""
    pads = [element("i", class_="lit" if pad == 4 else None) for pad in range(9)]
    picture = element("span", *pads, class_="brand-pads", aria_hidden="true")
    return element("a", picture, APP_NAME, href=href, class_="brand", **attributes)


def _foot() -> Html:
    links = (
        *(("Terms", "/terms"), ("Privacy", "/privacy"), ("Contact", "/contact")),
        ("Status", "/status"),
    )
    return element(
        "footer",
        element("span", "Crate 404, the sample library for SP-404 owners"),
        *(element("a", text, href=href, class_="link") for text, href in links),
        class_="share-foot muted",
    )


def font_faces() -> str:
    """Return the rules of the app's fonts, which Vite names when it builds the pages."""
    folder = built_folder() / "assets"
    try:
        return _read_font_faces(folder, folder.stat().st_mtime_ns)
    except OSError:  # not built: the system's fonts are used
        return ""


@lru_cache(maxsize=2)
def _read_font_faces(folder: Path, _built_at: int) -> str:
    sheets = sorted(folder.glob("*.css"))
    found = (rule for sheet in sheets for rule in FONT_FACE.findall(sheet.read_text("utf-8")))
    return "".join(dict.fromkeys(found))


def absolute(path: str) -> str:
    """Return the full address of a path of this site."""
    return f"{settings().origin}{path}"
