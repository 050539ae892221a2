"""Whoever holds a line open is told when the sign-in it was opened by ends. On the event loop."""

import asyncio
import uuid
from collections import defaultdict
from contextlib import suppress
from weakref import WeakKeyDictionary

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from sp404_app.services.auth.session_cache import ENDINGS
from sp404_app.settings import settings

PAUSE = 1.0  # seconds before Redis is asked again

log = structlog.get_logger()


class Bell:
    """The one subscription of an event loop, and who waits for it to ring."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._waiting: dict[uuid.UUID, set[asyncio.Event]] = defaultdict(set)
        self._task = asyncio.create_task(self._listen(), name="endings")

    @property
    def broken(self) -> bool:
        """Say whether nobody listens any more."""
        return self._task.done()

    async def wait(self, sign_in_id: uuid.UUID, seconds: float) -> None:
        """Return once the sign-in ends, or when the time is over."""
        ended = asyncio.Event()
        self._waiting[sign_in_id].add(ended)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), seconds)
        finally:
            self._waiting[sign_in_id].discard(ended)
            if not self._waiting[sign_in_id]:
                del self._waiting[sign_in_id]

    async def _listen(self) -> None:
        while True:
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                log.warning("redis away", error=type(error).__name__)
                await asyncio.sleep(PAUSE)

    async def _follow(self) -> None:
        async with redis.asyncio.from_url(self.url) as client, client.pubsub() as channel:
            await channel.subscribe(ENDINGS)
            async for message in channel.listen():
                if message["type"] == "message":
                    for ended in self._waiting.get(uuid.UUID(message["data"].decode()), ()):
                        ended.set()


_bells: WeakKeyDictionary[asyncio.AbstractEventLoop, Bell] = WeakKeyDictionary()


async def wait(sign_in_id: uuid.UUID, seconds: float) -> None:
    """Return once a sign-in ends, or after some seconds; the caller looks which it was."""
    loop, url = asyncio.get_running_loop(), settings().redis_url
    bell = _bells.get(loop)
    if bell is None or bell.url != url or bell.broken:
        bell = _bells[loop] = Bell(url)
    await bell.wait(sign_in_id, seconds)
