"""While this process drains, answer with `Connection: close`.

A client or proxy that keeps its connection open then sends its next request on a new connection,
which another process accepts, instead of on one that is about to be closed.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api.lifecycle import Phase, current_phase


def close_connections_when_draining(app: ASGIApp) -> ASGIApp:
    """Add the header to each HTTP/1 response that starts while this process drains."""

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["http_version"].startswith("1"):
            await app(scope, receive, send)
            return

        async def send_and_close(message: Message) -> None:
            starts = message["type"] == "http.response.start"
            if starts and current_phase() is not Phase.SERVING:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await app(scope, receive, send_and_close)

    return closing
