"""`RateLimit-*` response headers: how many requests the caller has left in this minute."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def add_rate_limit_headers(app: ASGIApp) -> ASGIApp:
    """Add the rate limit that `api.deps.authenticate_and_count` saved in the request's state."""

    async def with_rate_limit(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            allowance = state.get("allowance")
            if message["type"] == "http.response.start" and allowance is not None:
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Limit"] = str(allowance.limit)
                headers["RateLimit-Remaining"] = str(allowance.remaining)
                headers["RateLimit-Reset"] = str(allowance.reset)
            await send(message)

        await app(scope, receive, send_with_headers)

    return with_rate_limit
