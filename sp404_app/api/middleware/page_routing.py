"""Serve a page under its own address, without a redirect and with the right status.

The built pages lie in folders, so the file server sends `/library` to `/library/`, and knows
pages with an id in the address only as its "not found". It resolves `//host/..` to a folder and
redirects there, so such addresses never reach it.
"""

from collections.abc import Callable, Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.services.auth.redirects import is_crooked

NOWHERE = "/not-found"
SHELL = "/404.html"  # the built page that draws whatever the address asks for


def page_addresses(routes: Iterable[str]) -> Callable[[ASGIApp], ASGIApp]:
    """Return a wrapper that leads the addresses of pages (`/x`, `/x/[id]`) to their files."""
    fixed = {route for route in routes if "[" not in route and route != "/"}
    with_id = tuple(route.split("[")[0] for route in routes if "[" in route)

    def wrap(app: ASGIApp) -> ASGIApp:
        async def led(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and is_crooked(scope["path"]):
                api = scope["path"].startswith("/api/")  # which has an answer of its own for it
                scope = {**scope, "path": "/api/not-found" if api else NOWHERE}
            elif scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
                scope = {**scope, "path": _file_of(scope["path"], fixed, with_id)}
            await app(scope, receive, send)

        return led

    return wrap


def _file_of(path: str, fixed: set[str], with_id: tuple[str, ...]) -> str:
    if path in fixed:
        return f"{path}/"
    for prefix in with_id:
        rest = path.removeprefix(prefix)
        if path.startswith(prefix) and rest and "/" not in rest.rstrip("/"):
            return SHELL
    return path
