"""Read the rest of a request body whose answer did not need it, and throw it away.

Otherwise the connection is closed while the client or proxy still sends, and it may never see the
answer. nginx then takes the web server for broken and sends nobody to it for a while: one client
with a wrong token could take the site away from everybody.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# As `lingering_time` and `lingering_timeout` of nginx.
LINGER_S = 30.0
SILENCE_S = 5.0


def read_unread_bodies(app: ASGIApp) -> ASGIApp:
    """Read on after the answer, for 30 s at most, or until nothing arrives for 5 s."""

    async def reading(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await app(scope, receive, send)
            return
        is_read = False

        async def receive_and_note() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = _is_last(message)
            return message

        await app(scope, receive_and_note, send)
        if not is_read:
            await _drain(receive)

    return reading


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _is_last(message: Message) -> bool:
    return message["type"] == "http.disconnect" or not message.get("more_body", False)


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_S):
            while True:
                async with asyncio.timeout(SILENCE_S):
                    if _is_last(await receive()):
                        return
    except TimeoutError:
        return
