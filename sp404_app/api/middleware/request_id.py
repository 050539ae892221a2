"""Request ids: one per request, in every log line and in `X-Request-ID`."""

import re
import uuid
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from sp404_app.api.middleware.client_ip import FROM_TRUSTED_PROXY

VALID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


def add_request_id(app: ASGIApp) -> ASGIApp:
    """Give every request a new id; only that of a trusted proxy is kept, if it is valid."""

    async def with_request_id(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request_id = _id_of_proxy(scope) or uuid.uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await app(scope, receive, send_with_id)

    return with_request_id


def _id_of_proxy(scope: Scope) -> str:
    found = Headers(scope=scope).get("x-request-id", "") if scope.get(FROM_TRUSTED_PROXY) else ""
    return found if VALID.fullmatch(found) else ""
