"""Fixed-window counters in Redis for all processes; in this process while Redis is down."""

import asyncio
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sp404_app.settings import settings

TIMEOUT_S = 0.25
RETRY_AFTER_S = 1.0
MAX_LOCAL_KEYS = 10_000
SCRIPT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""

log = structlog.get_logger()


class RedisUnavailable(Exception):
    """Redis does not answer in time."""


@dataclass(frozen=True, slots=True)
class Count:
    """The number of events in the current window, and the time until it ends."""

    value: int
    seconds_left: float


Argument = str | int | bytes


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that waits to be sent, and the future of its answer."""

    command: str
    arguments: tuple[Argument, ...]
    answer: asyncio.Future[object]


class RedisBatcher:
    """The Redis connection of one event loop; commands of concurrent requests share a pipeline.

    After a failure it sends nothing for a second, so that requests do not wait for timeouts.
    """

    def __init__(self, url: str) -> None:
        self.client: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            max_connections=2,
        )
        self.url = url
        self._away_until = 0.0
        self._waiting: list[PendingCommand] = []
        self._sending: asyncio.Task[None] | None = None

    async def run(self, command: str, *arguments: Argument) -> object:
        """Run one command.

        Raises:
            RedisUnavailable: If it failed, or another command failed less than a second ago.
        """
        if time.monotonic() < self._away_until:
            raise RedisUnavailable
        pending = PendingCommand(command, arguments, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="commands to redis")
        answer = await pending.answer
        if isinstance(answer, Exception):
            raise RedisUnavailable from answer
        return answer

    async def _send(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            for pending, answer in zip(batch, await self._execute(batch), strict=True):
                if isinstance(answer, Exception):
                    self._away_until = time.monotonic() + RETRY_AFTER_S
                    log.warning("redis unavailable", error=type(answer).__name__)
                if not pending.answer.done():  # the caller may have been cancelled
                    pending.answer.set_result(answer)

    async def _execute(self, batch: list[PendingCommand]) -> list[object]:
        """Return the answer of each command; a failed command's answer is an exception."""
        try:
            pipeline = self.client.pipeline(transaction=False)
            for pending in batch:
                pipeline.execute_command(pending.command, *pending.arguments)
            return await pipeline.execute(raise_on_error=False)
        except Exception as error:  # any error must reach the callers, or they would wait forever
            if not isinstance(error, RedisError | OSError | TimeoutError):
                log.exception("commands to redis failed")
            return [error] * len(batch)


_batchers: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisBatcher] = WeakKeyDictionary()


def redis_batcher() -> RedisBatcher:
    """Return the batcher of this event loop, connected on first use."""
    loop, url = asyncio.get_running_loop(), settings().redis_url
    found = _batchers.get(loop)
    if found is None or found.url != url:
        found = _batchers[loop] = RedisBatcher(url)
    return found


async def count(key: str, seconds: int) -> Count:
    """Increment a counter in Redis and return its value.

    Raises:
        RedisUnavailable: If Redis does not answer in time.
    """
    answer = await redis_batcher().run("EVAL", SCRIPT, 1, f"sp404:count:{key}", seconds * 1000)
    value, milliseconds = answer  # type: ignore[misc]  # a list of two numbers
    return Count(int(value), max(0.0, int(milliseconds) / 1000))


async def peek(key: str) -> int:
    """Return a counter's value without counting; that of this process while Redis is down."""
    try:
        found = await redis_batcher().run("GET", f"sp404:count:{key}")
    except RedisUnavailable:
        value, ends = _local_counts.get(key, (0, 0.0))
        return value if ends > time.monotonic() else 0
    return int(found) if isinstance(found, bytes | str | int) else 0


async def forget(*keys: str) -> None:
    """Reset counters; while Redis is not available they expire by themselves."""
    for key in keys:
        _local_counts.pop(key, None)
    try:
        await redis_batcher().run("DEL", *(f"sp404:count:{key}" for key in keys))
    except RedisUnavailable:
        return


_local_counts: dict[str, tuple[int, float]] = {}


def count_in_process(key: str, seconds: int) -> Count:
    """Increment a counter of this process; of too many, the least recently used is dropped."""
    moment = time.monotonic()
    value, ends = _local_counts.pop(key, (0, 0.0))
    if ends <= moment:
        value, ends = 0, moment + seconds
    _local_counts[key] = (value + 1, ends)
    while len(_local_counts) > MAX_LOCAL_KEYS:
        _local_counts.pop(next(iter(_local_counts)))
    return Count(value + 1, ends - moment)
