"""What the installed app needs of the server: service worker, offline page, and share target.

They are no pages of Reflex: the offline page has to work without a websocket.
"""

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import sp404_app
from sp404_app.api.middleware.csp import built_folder
from sp404_app.api.share_page import frame
from sp404_app.api.share_page.frame import Head
from sp404_app.api.share_page.markup import Html, element, join, style
from sp404_app.components.theme import THEME_SCRIPT

router = APIRouter(include_in_schema=False)

COMPONENTS: Final = Path(sp404_app.__file__).parent / "components"
OFFLINE_URL, OFFLINE_SCRIPT_URL, SHARE_URL = "/offline", "/offline.js", "/share-target"
STYLE_SHEETS: Final = ("/app.css", "/offline.css")
FONTS: Final = ("geist*-basic-wght*.woff2", "geist*-latin-wght*.woff2")  # enough for English
CHECK_AGAIN: Final = {"Cache-Control": "no-cache"}


@router.get("/service-worker.js")
def get_service_worker() -> Response:
    """Return the service worker; its text changes with every build, so browsers install it anew."""
    return Response(_service_worker(), media_type="text/javascript", headers=CHECK_AGAIN)


@router.get(OFFLINE_SCRIPT_URL)
def get_offline_script() -> Response:
    """Return the script of the offline page."""
    return Response(_source("offline_page.js"), media_type="text/javascript", headers=CHECK_AGAIN)


@router.get(OFFLINE_URL)
def get_offline_page() -> HTMLResponse:
    """Return the page that a service worker shows without a connection; it is for all the same."""
    return HTMLResponse(_offline_page(), headers=CHECK_AGAIN)


@router.post(SHARE_URL)
def post_shared() -> Response:
    """Answer for a browser without a service worker, which would have taken the files.

    The body is not read, so a request from another site uploads nothing.
    """
    return RedirectResponse(SHARE_URL, 303)


@router.get(SHARE_URL)
def get_sharing_failed() -> HTMLResponse:
    """Return the page that says what to do when shared files did not arrive."""
    return frame.page_response(
        Head(title="Nothing was added"),
        element(
            "section",
            element("h1", "Nothing was added"),
            element(
                "p",
                "The app was not ready to take files, or this was no sound. "
                "Open your library once, then share the recording again.",
                class_="muted",
            ),
            element("p", element("a", "Open library", href="/library", class_="button primary")),
            class_="card stack share-card",
        ),
    )


def _offline_page() -> Html:
    """Return the page; its inline script is the theme's, which the policy of all pages allows."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="robots", content="noindex"),
        element("title", f"No connection · {frame.APP_NAME}"),
        Html(f"<script>{THEME_SCRIPT}</script>"),
        *(element("link", rel="stylesheet", href=sheet) for sheet in STYLE_SHEETS),
        style(frame.font_faces()),
        element("script", type="module", src=OFFLINE_SCRIPT_URL),
    )
    bar = element("header", frame.brand("/library"), class_="topbar")
    body = element("body", bar, element("main", *_offline_content(), class_="offline-page"))
    return join(Html("<!doctype html>"), element("html", head, body, lang="en"))


def _offline_content() -> tuple[Html, ...]:
    """Return what the script of the page fills and shows."""
    return (
        element(
            "div",
            element("span", class_="pulse", aria_hidden="true"),
            element("h1", "No connection"),
            class_="offline-head",
        ),
        element(
            "p",
            "This page opens by itself when the connection is back.",
            class_="muted",
        ),
        element("button", "Try again", type="button", class_="button", id="again"),
        element(
            "section",
            element("h2", "Your library, as last seen here", class_="label"),
            element("p", id="summary", class_="muted", role="status"),
            element("ul", id="names", class_="offline-names"),
            id="library",
            hidden=True,
        ),
    )


def _service_worker() -> str:
    build = built_folder()
    try:
        built_at = (build / "404.html").stat().st_mtime_ns
    except OSError:  # nothing is built, as in tests
        built_at = 0
    return _service_worker_of(build, built_at)


@lru_cache(maxsize=2)
def _service_worker_of(build: Path, _built_at: int) -> str:
    found = [path.name for pattern in FONTS for path in (build / "assets").glob(pattern)]
    fonts = [f"/assets/{name}" for name in sorted(found)]
    shell = [OFFLINE_URL, OFFLINE_SCRIPT_URL, *STYLE_SHEETS, *fonts]
    source = _source("service_worker.js")
    version = hashlib.sha256()
    for part in (source, _source("offline_page.js"), _offline_page(), *_built_names(build)):
        version.update(part.encode())
    for path in (build / sheet.lstrip("/") for sheet in STYLE_SHEETS):
        version.update(path.read_bytes() if path.is_file() else b"")
    constants = {"BUILD": version.hexdigest()[:16], "SHELL": shell}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in constants.items()]
    return "".join([*lines, source])


def _built_names(build: Path) -> list[str]:
    return sorted(path.name for path in (build / "assets").glob("*"))


@lru_cache
def _source(name: str) -> str:
    return (COMPONENTS / name).read_text("utf-8")
