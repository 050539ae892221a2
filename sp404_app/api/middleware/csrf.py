"""Cross-site request forgery: what a cookie may do is decided by where the request was made."""

from starlette.requests import HTTPConnection

from sp404_app.errors import Forbidden
from sp404_app.settings import settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def ensure_same_origin(request: HTTPConnection) -> None:
    """Refuse a request that another site made a browser send.

    Every browser sends `Origin` with unsafe methods, and `Sec-Fetch-Site` with all. A request
    that has neither comes from a program, which no other site can steer.

    Raises:
        Forbidden: If the request changes something and was not made by one of our pages.
    """
    if request.scope.get("method") in SAFE:
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    trusted = origin in _origins() if origin is not None else site in (None, "same-origin")
    if not trusted:
        raise Forbidden("This request came from another site, so nothing was changed.")


def _origins() -> set[str]:
    if settings().in_production:
        return {settings().origin}
    port = settings().port
    return {settings().origin, f"http://localhost:{port}", f"http://127.0.0.1:{port}"}
