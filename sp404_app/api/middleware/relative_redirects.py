"""Host-relative redirects: the file server takes the host of a redirect from the `Host` header.

The client chooses that header, so an absolute redirect could send a user to another site.
"""

import re
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def make_redirects_relative(app: ASGIApp) -> ASGIApp:
    """Remove the request's own host from the `Location` of redirects."""

    async def with_relative_redirects(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_location(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    host = Headers(scope=scope).get("host", "")
                    headers["location"] = _without_host(headers["location"], host)
            await send(message)

        await app(scope, receive, send_with_location if scope["type"] == "http" else send)

    return with_relative_redirects


def _without_host(location: str, request_host: str) -> str:
    """Return a redirect target without its host if that is the request's own host."""
    url = urlsplit(location)
    if url.netloc and url.netloc != request_host:
        return location
    path = re.sub(r"^[/\\]+", "/", url.path or "/")
    return urlunsplit(("", "", path, url.query, url.fragment))
