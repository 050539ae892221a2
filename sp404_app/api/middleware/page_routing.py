"""Page routing: serve each page under its own URL, without a redirect and with the right status.

Reflex builds pages into folders, so the file server would redirect `/library` to `/library/`, and
it knows pages with an id in their URL only as "not found". It would also resolve `//host/..` to a
folder and redirect there; such paths never reach it.
"""

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.services.auth.redirects import is_ambiguous_path

NOT_FOUND_PATH = "/not-found"
API_NOT_FOUND_PATH = "/api/not-found"
DYNAMIC_PAGE_FILE = "/404.html"  # the built file that renders any page, chosen by the URL


def route_pages(routes: Iterable[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Return a middleware that maps the URLs of pages (`/x`, `/x/[id]`) to their built files."""
    static_routes = {route for route in routes if "[" not in route and route != "/"}
    dynamic_prefixes = tuple(route.split("[")[0] for route in routes if "[" in route)

    def wrap(app: ASGIApp) -> ASGIApp:
        async def routed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and is_ambiguous_path(scope["path"]):
                is_api = scope["path"].startswith("/api/")
                scope = {**scope, "path": API_NOT_FOUND_PATH if is_api else NOT_FOUND_PATH}
            elif scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
                path = _file_path(scope["path"], static_routes, dynamic_prefixes)
                scope = {**scope, "path": path}
            await app(scope, receive, send)

        return routed

    return wrap


def _file_path(path: str, static_routes: set[str], dynamic_prefixes: tuple[str, ...]) -> str:
    """Return the path under which the file server finds a page; other paths unchanged."""
    if path in static_routes:
        return f"{path}/"
    for prefix in dynamic_prefixes:
        rest = path.removeprefix(prefix)
        if path.startswith(prefix) and rest and "/" not in rest.rstrip("/"):
            return DYNAMIC_PAGE_FILE
    return path
