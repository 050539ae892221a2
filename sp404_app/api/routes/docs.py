"""API documentation at /api/docs: Swagger UI, served from this server.

Nothing is loaded from other servers and there is no inline script, so the page works offline and
under the same Content-Security-Policy as every other page.
"""

from functools import cache
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from sp404_app.errors import NotFound

router = APIRouter(prefix="/api/docs", include_in_schema=False)

SWAGGER_UI_FILES = resources.files("fastapi_offline") / "static"
CACHE_HEADERS = {"Cache-Control": "public, max-age=86400"}
START_SCRIPT = """SwaggerUIBundle({
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
STYLE_SHEET = """body { margin: 0; background: #fdfcfb; }
.dark-mode body { background: #1c2022; }
.home { display: inline-block; padding: 20px; font: 600 16px system-ui, sans-serif;
  color: #b84a00; text-decoration: none; }
.dark-mode .home { color: #ff8a3d; }
.swagger-ui .wrapper { max-width: 1100px; overflow-wrap: anywhere; }
"""
PAGE_HTML = """<!doctype html>
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
FILE_NAMES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "start.js", "page.css"})
MEDIA_TYPES = {"js": "text/javascript", "css": "text/css"}


@router.get("")
def docs_page() -> HTMLResponse:
    """Return the documentation page."""
    return HTMLResponse(PAGE_HTML)


@router.get("/{name}")
def docs_file(name: str) -> Response:
    """Return a script or style sheet of the page.

    Raises:
        NotFound: If the page has no such file.
    """
    if name not in FILE_NAMES:
        raise NotFound("This URL does not exist.")
    return Response(
        _file_content(name), headers=CACHE_HEADERS, media_type=MEDIA_TYPES[name.rpartition(".")[2]]
    )


@cache
def _file_content(name: str) -> bytes:
    generated = {"start.js": START_SCRIPT, "page.css": STYLE_SHEET}
    return generated[name].encode() if name in generated else (SWAGGER_UI_FILES / name).read_bytes()
