"""API documentation at /api/docs: Swagger UI in the app's fonts and colours.

Nothing is loaded from other servers and there is no inline script, so the page works offline and
under the same Content-Security-Policy as every other page.
"""

from functools import cache
from importlib import resources

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from sp404_app.api.routes.legal_pages import text_bar
from sp404_app.api.share_page.frame import APP_NAME, font_faces
from sp404_app.api.share_page.markup import style
from sp404_app.components.theme import THEME_SCRIPT
from sp404_app.errors import NotFound

router = APIRouter(prefix="/api/docs", include_in_schema=False)

SWAGGER_UI_FILES = resources.files("fastapi_offline") / "static"
CACHE_HEADERS = {"Cache-Control": "public, max-age=86400"}
# Mends the barriers of Swagger UI. The plugin: a link within each operation's button, and tags of
# level 3 that follow a heading of level 1. `nameParts`: fields, buttons and tables without names,
# headings of the wrong level, and examples that do not scroll by keys.
START_SCRIPT = """
const frame = document.getElementById("swagger-ui");
const nameParts = () => {
  for (const field of frame.querySelectorAll(":is(select, input, textarea):not([aria-label])")) {
    if (field.labels.length) continue;
    const parameter = field.closest("[data-param-name]")?.dataset.paramName;
    const body = field.closest(".opblock-section-request-body") && "Request body";
    field.setAttribute("aria-label", parameter ?? (body || field.title || "Media type"));
  }
  for (const example of frame.querySelectorAll("pre:not([tabindex])")) {
    example.tabIndex = 0;
    example.setAttribute("role", "group");
    example.setAttribute("aria-label", "Example");
  }
  frame.querySelector(".close-modal")?.setAttribute("aria-label", "Close");
  for (const button of frame.querySelectorAll(".copy-to-clipboard button")) {
    button.setAttribute("aria-label", "Copy");
  }
  for (const heading of frame.querySelectorAll(".modal-ux :is(h3, h4)")) {
    heading.setAttribute("aria-level", heading.tagName === "H3" ? "2" : "3");
  }
  for (const table of frame.querySelectorAll("table[role=region]:not([aria-label])")) {
    const summary = table.closest(".opblock").querySelector(".opblock-summary");
    const part = (name) => summary.querySelector(`.opblock-summary-${name}`).innerText;
    table.setAttribute("aria-label", `Answers to ${part("method")} ${part("path")}`);
  }
};
new MutationObserver(nameParts).observe(frame, { childList: true, subtree: true });
const withoutBarriers = ({ React: { createElement, Fragment } }) => ({
  wrapComponents: {
    DeepLink: () => ({ text }) => createElement("span", null, text),
    operations: (Operations) => (props) =>
      createElement(Fragment, null,
        createElement("h2", { className: "visually-hidden" }, "Operations"),
        createElement(Operations, props)),
  },
});
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [withoutBarriers],
});
"""
# Swagger UI has a dark theme of its own, for the class that it gives the root element.
DARK_MODE_SCRIPT = """
(() => {
  const root = document.documentElement;
  const show = () => root.classList.toggle("dark-mode", root.dataset.theme !== "light");
  show();
  addEventListener("themechange", show);
})();
"""
FILE_NAMES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "start.js", "theme.js"})
MEDIA_TYPES = {"js": "text/javascript", "css": "text/css"}


@router.get("")
def docs_page() -> HTMLResponse:
    """Return the documentation page."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>API · {APP_NAME}</title><script src="/api/docs/theme.js"></script>'
        '<link rel="icon" href="/favicon.ico"><link rel="stylesheet" href="/app.css">'
        '<link rel="stylesheet" href="/text.css">'
        '<link rel="stylesheet" href="/api/docs/swagger-ui.css">'
        f'<link rel="stylesheet" href="/api-docs.css">{style(font_faces())}</head>'
        f'<body>{text_bar()}<main id="swagger-ui"></main>'
        '<script src="/api/docs/swagger-ui-bundle.js"></script>'
        '<script src="/api/docs/start.js"></script></body></html>'
    )


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
    theme = THEME_SCRIPT + DARK_MODE_SCRIPT
    generated = {"start.js": START_SCRIPT, "theme.js": theme}
    return generated[name].encode() if name in generated else (SWAGGER_UI_FILES / name).read_bytes()
