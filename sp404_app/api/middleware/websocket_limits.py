"""Websocket limits: connections per client, message size and rate, and the end of the session.

A message that is too large closes the connection; too many messages are delayed. The connection
closes as soon as its session is revoked, so that a signed-out tab receives nothing more.
"""

import asyncio
import time
from collections import Counter
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import authentication, session_revocation
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.telemetry import metrics

MAX_MESSAGE_CHARACTERS = 256 * 1024  # characters of one message; uploads do not use the websocket
MESSAGES_PER_SECOND = 40.0  # messages of one connection
BURST_MESSAGES = 200.0  # messages
CLIENT_RATE_FACTOR = 10.0  # rate of all connections of one client IP, relative to one connection
MAX_CONNECTIONS_PER_CLIENT = 300  # open connections of one client IP, in one process
# Finds sessions that have expired, and revocations that were missed while Redis was down.
SESSION_CHECK_INTERVAL_S = 30.0
DATABASE_RETRY_S = 1.0
# The action that ends its own session, as a new password does, still tells its result.
LAST_RESULT_S = 1.0
MESSAGE_TOO_BIG, POLICY_VIOLATION = 1009, 1008  # close codes of RFC 6455

log = structlog.get_logger()
_connection_counts: Counter[str] = Counter()
_client_buckets: dict[str, "LeakyBucket"] = {}


class LeakyBucket:
    """A token bucket (equal to a leaky bucket as a meter, ITU-T I.371) that delays messages.

    It holds `size` × `BURST_MESSAGES` tokens and refills at `size` × `MESSAGES_PER_SECOND`.
    """

    def __init__(self, size: float = 1.0) -> None:
        self._size, self._remaining, self._updated_at = (
            size,
            size * BURST_MESSAGES,
            time.monotonic(),
        )

    def take(self) -> float:
        """Count one message; return the seconds until it may pass."""
        now, rate = time.monotonic(), self._size * MESSAGES_PER_SECOND
        refilled = self._remaining + (now - self._updated_at) * rate
        self._remaining = min(self._size * BURST_MESSAGES, refilled) - 1
        self._updated_at = now
        return max(0.0, -self._remaining / rate)


def limit_websockets(app: ASGIApp) -> ASGIApp:
    """Limit every websocket connection."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        ip = scope["client"][0] if scope.get("client") else ""
        if _connection_counts[ip] >= MAX_CONNECTIONS_PER_CLIENT:
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        _connection_counts[ip] += 1
        metrics.OPEN_WEBSOCKETS.inc()
        client_bucket = _client_buckets.setdefault(ip, LeakyBucket(CLIENT_RATE_FACTOR))
        connection = WebsocketConnection(receive, send, client_bucket)
        session_watch = asyncio.create_task(
            _close_when_session_ends(scope, connection), name="session of a websocket"
        )
        try:
            await app(scope, connection.receive, connection.send)
        except ValueError as error:  # Engine.IO raises it for a message that it cannot parse
            log.warning("invalid websocket message", error=error)
            await connection.end(POLICY_VIOLATION)
        finally:
            session_watch.cancel()
            await connection.close()
            metrics.OPEN_WEBSOCKETS.dec()
            _connection_counts[ip] -= 1
            if not _connection_counts[ip]:
                del _connection_counts[ip], _client_buckets[ip]

    return guarded


async def _close_when_session_ends(scope: Scope, connection: "WebsocketConnection") -> None:
    """Close a connection when its session ends; one without a session gets no private data."""
    cookie = authentication.read_cookie(Headers(scope=scope).get("cookie", ""))
    if not cookie:
        return
    session: SignedIn | None = None
    while True:
        try:
            found = await authentication.authenticate_cookie(cookie)
        except SQLAlchemyError:
            # While the database is down, handlers cannot authenticate either.
            await asyncio.sleep(DATABASE_RETRY_S)
            continue
        except Unauthenticated:
            if session:
                await asyncio.sleep(LAST_RESULT_S)
                await connection.end(POLICY_VIOLATION)
            return
        session = found
        await session_revocation.wait_for_revocation(session.sign_in_id, SESSION_CHECK_INTERVAL_S)


class WebsocketConnection:
    """The messages of one websocket, limited in size and rate; it can be closed from our side."""

    def __init__(
        self, receive: Receive, send: Send, client_bucket: LeakyBucket | None = None
    ) -> None:
        self._receive, self._send = receive, send
        self._ended = asyncio.Event()
        self._end_task = asyncio.create_task(self._ended.wait())
        self._next_message: asyncio.Future[Message] | None = None
        self._buckets = (LeakyBucket(), client_bucket or LeakyBucket(CLIENT_RATE_FACTOR))

    async def receive(self) -> Message:
        """Return the next message when the rate allows it; after the end, a disconnect."""
        self._next_message = self._next_message or asyncio.ensure_future(self._receive())
        await asyncio.wait(
            {self._next_message, self._end_task}, return_when=asyncio.FIRST_COMPLETED
        )
        if self._ended.is_set():
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
        message, self._next_message = self._next_message.result(), None
        if message["type"] == "websocket.receive":
            metrics.WEBSOCKET_MESSAGES.inc()
            if len(message.get("text") or message.get("bytes") or "") > MAX_MESSAGE_CHARACTERS:
                await self.end(MESSAGE_TOO_BIG)
                return {"type": "websocket.disconnect", "code": MESSAGE_TOO_BIG}
            await self._wait_for_rate()
        return message

    async def _wait_for_rate(self) -> None:
        """Delay a client above its rate; its further messages wait in its own socket buffer."""
        wait_s = max([bucket.take() for bucket in self._buckets])
        if wait_s:
            metrics.DELAYED_MESSAGES.inc()
            await asyncio.sleep(wait_s)

    async def send(self, message: Message) -> None:
        """Send a message of the application, unless the connection has ended."""
        if not self._ended.is_set():
            await self._send(message)

    async def end(self, code: int) -> None:
        """Close the connection with a close code."""
        if not self._ended.is_set():
            self._ended.set()
            with suppress(OSError, RuntimeError):  # closed already
                await self._send({"type": "websocket.close", "code": code})

    async def close(self) -> None:
        """Cancel the tasks of this connection."""
        for task in (self._next_message, self._end_task):
            if task is not None:
                task.cancel()
