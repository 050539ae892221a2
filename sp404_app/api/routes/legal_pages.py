"""GET /terms, /privacy, /contact: the operator's texts as static pages without scripts."""

import re
from functools import lru_cache
from html import escape
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

import sp404_app
from sp404_app.components.theme import THEME_SCRIPT
from sp404_app.settings import settings

DEFAULT_TEXTS = Path(sp404_app.__file__).parent / "texts"
TITLES = {"terms": "Terms", "privacy": "Privacy", "contact": "Contact"}
STYLE = """
.text { max-width: 720px; margin: 0 auto; padding: 32px 20px 64px; line-height: 1.65; }
.text h1 { margin: 40px 0 16px; }
.text h2 { margin: 32px 0 8px; font-size: 17px; }
.text a { color: var(--accent); }
.text p a, .text li a, .text td a { text-decoration: underline; text-underline-offset: 0.2em; }
.text td, .text th { padding: 8px 16px 8px 0; border-top: 1px solid var(--line);
  text-align: left; vertical-align: top; }
.text .table { overflow-x: auto; }
.text table { border-collapse: collapse; min-width: 520px; }
.text footer { display: flex; gap: 20px; margin-top: 48px; padding-top: 16px;
  border-top: 1px solid var(--line); }
.text footer a, .text header a { display: inline-flex; min-height: 32px; align-items: center; }
"""

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


@lru_cache(maxsize=8)
def render_legal_page(name: str, source: str) -> str:
    """Render a Markdown text as an HTML page."""
    text = markdown.render(source)
    text = text.replace("<table>", '<div class="table"><table>').replace(
        "</table>", "</table></div>"
    )
    links = "".join(
        f'<a href="/{each}"{" aria-current=page" if each == name else ""}>{title}</a>'
        for each, title in TITLES.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(TITLES[name])} · Crate 404</title><script>{THEME_SCRIPT}</script>"
        f'<link rel="stylesheet" href="/app.css"><style>{STYLE}</style></head><body>'
        '<main class="text"><header><a href="/">Crate 404</a></header>'
        f"<article>{text}</article><footer>{links}</footer></main></body></html>"
    )
