"""Wake open connections when their session is revoked (Redis pub/sub). Runs on the event loop."""

import asyncio
import uuid
from collections import defaultdict
from contextlib import suppress
from weakref import WeakKeyDictionary

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from sp404_app.lost_hosts import redis_options
from sp404_app.services.auth.session_cache import REVOCATIONS_CHANNEL
from sp404_app.settings import settings

RECONNECT_DELAY_S = 1.0

log = structlog.get_logger()


class RevocationListener:
    """The Redis subscription of one event loop, and the connections that wait for it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._waiting: dict[uuid.UUID, set[asyncio.Event]] = defaultdict(set)
        self._task = asyncio.create_task(self._listen(), name="session revocations")

    @property
    def broken(self) -> bool:
        """Return whether the listening task has ended."""
        return self._task.done()

    async def wait(self, sign_in_id: uuid.UUID, seconds: float) -> None:
        """Return once the session is revoked, or after `seconds`."""
        revoked = asyncio.Event()
        self._waiting[sign_in_id].add(revoked)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(revoked.wait(), seconds)
        finally:
            self._waiting[sign_in_id].discard(revoked)
            if not self._waiting[sign_in_id]:
                del self._waiting[sign_in_id]

    async def _listen(self) -> None:
        while True:
            try:
                await self._subscribe()
            except (RedisError, OSError) as error:
                log.warning("redis unavailable", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_DELAY_S)

    async def _subscribe(self) -> None:
        options = redis_options(self.url)
        async with (
            redis.asyncio.from_url(self.url, **options) as client,
            client.pubsub() as channel,
        ):
            await channel.subscribe(REVOCATIONS_CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    for revoked in self._waiting.get(uuid.UUID(message["data"].decode()), ()):
                        revoked.set()


_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, RevocationListener] = WeakKeyDictionary()


async def wait_for_revocation(sign_in_id: uuid.UUID, seconds: float) -> None:
    """Return once a session is revoked, or after `seconds`; the caller checks which."""
    loop, url = asyncio.get_running_loop(), settings().redis_url
    listener = _listeners.get(loop)
    if listener is None or listener.url != url or listener.broken:
        listener = _listeners[loop] = RevocationListener(url)
    await listener.wait(sign_in_id, seconds)
