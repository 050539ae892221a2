"""The websocket between a tab and its state: who may open one, how much comes in, when it ends.

A message that is too large closes it, too many slow it down, and it is closed as soon as the
sign-in it was opened by ends, so that nothing more is sent to a tab that is signed out.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.api.routes import metrics
from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import authentication, session_revocation
from sp404_app.services.auth.sessions import SignedIn

LONGEST = 256 * 1024  # characters of one message; sounds do not come this way
PER_SECOND = 40.0
BURST = 200.0
MOST_OF_A_HOST = 300  # open at once, in one process
LOOK_EVERY = 30.0  # seconds: sign-ins also end by time, and Redis may have been away
TOO_LARGE, NOT_WELCOME = 1009, 1008

OF_A_HOST = 10.0  # times as many messages from all lines of a host as from one

log = structlog.get_logger()
_open: Counter[str] = Counter()
_buckets: dict[str, "Bucket"] = {}


class Bucket:
    """Messages that may still come at once; it fills again by `PER_SECOND`, `size` times as fast.

    A leaky bucket as a meter (ITU-T I.371): who comes too early is told how long to wait.
    """

    def __init__(self, size: float = 1.0) -> None:
        self._size, self._left, self._at = size, size * BURST, time.monotonic()

    def take(self) -> float:
        """Count one message; return the seconds until it may pass."""
        now, each = time.monotonic(), self._size * PER_SECOND
        self._left = min(self._size * BURST, self._left + (now - self._at) * each) - 1
        self._at = now
        return max(0.0, -self._left / each)


def paced(app: ASGIApp) -> ASGIApp:
    """Put every websocket behind limits."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        host = scope["client"][0] if scope.get("client") else ""
        if _open[host] >= MOST_OF_A_HOST:
            await send({"type": "websocket.close", "code": NOT_WELCOME})
            return
        _open[host] += 1
        metrics.SOCKETS.inc()
        line = WebsocketConnection(receive, send, _buckets.setdefault(host, Bucket(OF_A_HOST)))
        watch = asyncio.create_task(_watch(scope, line), name="sign-in of a websocket")
        try:
            await app(scope, line.receive, line.send)
        except ValueError as error:  # Engine.IO's word for a message that it cannot read
            log.warning("websocket not understood", error=error)
            await line.end(NOT_WELCOME)
        finally:
            watch.cancel()
            await line.close()
            metrics.SOCKETS.dec()
            _open[host] -= 1
            if not _open[host]:
                del _open[host], _buckets[host]

    return guarded


async def _watch(scope: Scope, line: "WebsocketConnection") -> None:
    """Close a line when its sign-in ends; who is not signed in gets nothing private anyway."""
    cookie = authentication.cookie_in(Headers(scope=scope).get("cookie", ""))
    if not cookie:
        return
    known: SignedIn | None = None
    while True:
        try:
            found = await authentication.of_cookie(cookie)
        except SQLAlchemyError:
            await asyncio.sleep(1)  # nobody can be looked up, so nobody gets anything either
            continue
        except Unauthenticated:
            if known:
                await line.end(NOT_WELCOME)
            return
        known = found
        await session_revocation.wait(known.sign_in_id, LOOK_EVERY)


class WebsocketConnection:
    """What one websocket receives and sends."""

    def __init__(self, receive: Receive, send: Send, of_host: Bucket | None = None) -> None:
        self._receive, self._send = receive, send
        self._over = asyncio.Event()
        self._end = asyncio.create_task(self._over.wait())
        self._next: asyncio.Future[Message] | None = None
        self._buckets = (Bucket(), of_host or Bucket(OF_A_HOST))

    async def receive(self) -> Message:
        """Return the next message, in due time; once the line has ended, that it has."""
        self._next = self._next or asyncio.ensure_future(self._receive())
        await asyncio.wait({self._next, self._end}, return_when=asyncio.FIRST_COMPLETED)
        if self._over.is_set():
            return {"type": "websocket.disconnect", "code": NOT_WELCOME}
        message, self._next = self._next.result(), None
        if message["type"] == "websocket.receive":
            metrics.MESSAGES.inc()
            if len(message.get("text") or message.get("bytes") or "") > LONGEST:
                await self.end(TOO_LARGE)
                return {"type": "websocket.disconnect", "code": TOO_LARGE}
            await self._wait()
        return message

    async def _wait(self) -> None:
        """Hold back who sends too much: what they send waits in their own socket meanwhile."""
        wait = max([bucket.take() for bucket in self._buckets])
        if wait:
            metrics.SLOWED.inc()
            await asyncio.sleep(wait)

    async def send(self, message: Message) -> None:
        """Pass on what the app sends, until the end."""
        if not self._over.is_set():
            await self._send(message)

    async def end(self, code: int) -> None:
        """Hang up."""
        if not self._over.is_set():
            self._over.set()
            with suppress(OSError, RuntimeError):  # it is closed already
                await self._send({"type": "websocket.close", "code": code})

    async def close(self) -> None:
        """Leave nothing behind."""
        for task in (self._next, self._end):
            if task is not None:
                task.cancel()
