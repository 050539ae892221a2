"""CSRF protection: a request that a cookie authenticates must come from our own origin."""

from starlette.requests import HTTPConnection

from sp404_app.errors import Forbidden
from sp404_app.settings import settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def ensure_same_origin(request: HTTPConnection) -> None:
    """Refuse an unsafe request that another site made the browser send.

    Every browser sends `Origin` with unsafe methods, and `Sec-Fetch-Site` with all. A request
    without both comes from a program, which other sites cannot control.

    Raises:
        Forbidden: If the method is unsafe and the request comes from another origin.
    """
    if request.scope.get("method") in SAFE_METHODS:
        return
    origin = request.headers.get("origin")
    fetch_site = request.headers.get("sec-fetch-site")
    if origin is not None:
        is_same_origin = origin in _own_origins()
    else:
        is_same_origin = fetch_site in (None, "same-origin")
    if not is_same_origin:
        raise Forbidden("This request came from another site. Nothing was changed.")


def _own_origins() -> set[str]:
    if settings().in_production:
        return {settings().origin}
    port = settings().port
    return {settings().origin, f"http://localhost:{port}", f"http://127.0.0.1:{port}"}
