"""`Vary: Cookie, Authorization` on private, cacheable responses.

A browser that is used by two accounts must not show one account's cached response to the other.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def add_vary_to_private(app: ASGIApp) -> ASGIApp:
    """Make private, cacheable responses vary with the credentials of the request."""

    async def with_vary(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                cache_control = headers.get("cache-control", "")
                if "private" in cache_control and "no-store" not in cache_control:
                    headers.add_vary_header("Cookie, Authorization")
            await send(message)

        await app(scope, receive, send_with_vary if scope["type"] == "http" else send)

    return with_vary
