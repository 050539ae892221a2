"""GET /terms, /privacy, /contact: the operator's texts as static pages.

Their only script is the theme's, which the Content-Security-Policy allows by its hash.
"""

import re
from functools import lru_cache
from html import escape
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

import sp404_app
from sp404_app.api.share_page.frame import APP_NAME, brand, font_faces
from sp404_app.api.share_page.markup import element, style
from sp404_app.components.theme import THEME_SCRIPT
from sp404_app.settings import settings

DEFAULT_TEXTS = Path(sp404_app.__file__).parent / "texts"
TITLES = {"terms": "Terms", "privacy": "Privacy", "contact": "Contact"}
BILLING_PART = re.compile(r"<!-- billing -->\n?(.*?)<!-- /billing -->\n?", re.DOTALL)

router = APIRouter(include_in_schema=False)
# HTML and script links are disabled: the operator is trusted with text only.
markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")


@router.get("/terms")
def terms() -> HTMLResponse:
    """Return the terms of service."""
    return _legal_page("terms")


@router.get("/privacy")
def privacy() -> HTMLResponse:
    """Return the privacy policy."""
    return _legal_page("privacy")


@router.get("/contact")
def contact() -> HTMLResponse:
    """Return the operator's contact details."""
    return _legal_page("contact")


def _legal_page(name: str) -> HTMLResponse:
    source = select_billing_parts(_text_file(name).read_text("utf-8"))
    return HTMLResponse(render_legal_page(name, source))


def select_billing_parts(source: str) -> str:
    """Remove the parts between `<!-- billing -->` and `<!-- /billing -->` if billing is off.

    Otherwise only these marks are removed.
    """
    return BILLING_PART.sub("\\1" if settings().billing else "", source)


def _text_file(name: str) -> Path:
    """Return the operator's file, or the default text if there is none."""
    folder = settings().pages_dir
    own_text = folder / f"{name}.md" if folder else None
    return own_text if own_text and own_text.is_file() else DEFAULT_TEXTS / f"{name}.md"


def render_legal_page(name: str, source: str) -> str:
    """Render a Markdown text as an HTML page."""
    links = "".join(
        f'<a href="/{each}"{" aria-current=page" if each == name else ""}>{title}</a>'
        for each, title in TITLES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLES[name])} · {APP_NAME}</title><script>{THEME_SCRIPT}</script>"
        '<link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="/app.css">'
        f'<link rel="stylesheet" href="/text.css">{style(font_faces())}</head>'
        f'<body>{text_bar()}<main class="text" id="content"><article>{_render_article(source)}'
        f"</article><footer>{links}</footer></main></body></html>"
    )


def text_bar() -> str:
    """Return the header of a page of text: the name, which leads home, and the library."""
    library = element("a", "Open library", href="/library", class_="button")
    return element("header", brand("/"), library, class_="topbar text-bar")


@lru_cache(maxsize=8)
def _render_article(source: str) -> str:
    text = markdown.render(source)
    return text.replace("<table>", '<div class="table" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )
