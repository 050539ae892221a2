"""The readable description of the API at /api/docs: Swagger UI, served from here.

Nothing is loaded from other servers, so the page works offline and under the same
Content-Security-Policy as every other page: no script is written into it.
"""

from functools import cache
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from sp404_app.errors import NotFound

router = APIRouter(prefix="/api/docs", include_in_schema=False)

ASSETS = resources.files("fastapi_offline") / "static"
CACHE = {"Cache-Control": "public, max-age=86400"}
START = """SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
if (matchMedia("(prefers-color-scheme: dark)").matches) {
  document.documentElement.classList.add("dark-mode");
}
"""
STYLE = """body { margin: 0; background: #fdfcfb; }
.dark-mode body { background: #1c2022; }
.home { display: inline-block; padding: 20px; font: 600 16px system-ui, sans-serif;
  color: #b84a00; text-decoration: none; }
.dark-mode .home { color: #ff8a3d; }
.swagger-ui .wrapper { max-width: 1100px; overflow-wrap: anywhere; }
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Crate 404</title>
<link rel="icon" href="/favicon.ico">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="stylesheet" href="/api/docs/page.css">
</head><body>
<a class="home" href="/">Crate 404</a>
<main id="swagger-ui"></main>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body></html>
"""
FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "start.js", "page.css"})
TYPES = {"js": "text/javascript", "css": "text/css"}


@router.get("")
def page() -> HTMLResponse:
    """Show the page."""
    return HTMLResponse(PAGE)


@router.get("/{name}")
def asset(name: str) -> Response:
    """Return a script or style sheet of the page.

    Raises:
        NotFound: If the page has no such file.
    """
    if name not in FILES:
        raise NotFound("There is nothing at this address.")
    return Response(_content(name), headers=CACHE, media_type=TYPES[name.rpartition(".")[2]])


@cache
def _content(name: str) -> bytes:
    ours = {"start.js": START, "page.css": STYLE}
    return ours[name].encode() if name in ours else (ASSETS / name).read_bytes()
