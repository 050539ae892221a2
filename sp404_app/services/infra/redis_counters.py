"""Counting in windows of time: in Redis for all processes, or in this one while Redis is away."""

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

PATIENCE = 0.25
PAUSE = 1.0
MOST_KEYS = 10_000
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
    """How often something happened in its window, and when the window ends."""

    value: int
    seconds_left: float


Argument = str | int | bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """A command that waits to be sent, and where its answer goes."""

    command: str
    arguments: tuple[Argument, ...]
    answer: asyncio.Future[object]


class RedisBatcher:
    """The connection of one event loop, which stops asking for a second when Redis is away.

    Every request asks twice or more, so what comes up while an answer is awaited goes out together.
    """

    def __init__(self, url: str) -> None:
        self.client: Redis = Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
            max_connections=2,
        )
        self.url = url
        self._away_until = 0.0
        self._waiting: list[Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def run(self, command: str, *arguments: Argument) -> object:
        """Run one command.

        Raises:
            RedisUnavailable: If it failed, or another one did less than a second ago.
        """
        if time.monotonic() < self._away_until:
            raise RedisUnavailable
        asked = Asked(command, arguments, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send(), name="commands to redis")
        answer = await asked.answer
        if isinstance(answer, Exception):
            raise RedisUnavailable from answer
        return answer

    async def _send(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            for asked, answer in zip(together, await self._answers(together), strict=True):
                if isinstance(answer, Exception):
                    self._away_until = time.monotonic() + PAUSE
                    log.warning("redis away", error=type(answer).__name__)
                if not asked.answer.done():  # whoever asked may have gone
                    asked.answer.set_result(answer)

    async def _answers(self, together: list[Asked]) -> list[object]:
        """Return an answer to each command; one that failed is an exception."""
        try:
            pipeline = self.client.pipeline(transaction=False)
            for asked in together:
                pipeline.execute_command(asked.command, *asked.arguments)
            return await pipeline.execute(raise_on_error=False)
        except Exception as error:  # whatever it is, nobody may be left waiting
            if not isinstance(error, RedisError | OSError | TimeoutError):
                log.exception("commands to redis failed")
            return [error] * len(together)


_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisBatcher] = WeakKeyDictionary()


def redis_batcher() -> RedisBatcher:
    """Return this event loop's connection to Redis, opened on first use."""
    loop, url = asyncio.get_running_loop(), settings().redis_url
    found = _lines.get(loop)
    if found is None or found.url != url:
        found = _lines[loop] = RedisBatcher(url)
    return found


async def count(key: str, seconds: int) -> Count:
    """Count one more, in Redis.

    Raises:
        RedisUnavailable: If Redis does not answer in time.
    """
    answer = await redis_batcher().run("EVAL", SCRIPT, 1, f"sp404:count:{key}", seconds * 1000)
    value, milliseconds = answer  # type: ignore[misc]  # a list of two numbers
    return Count(int(value), max(0.0, int(milliseconds) / 1000))


async def forget(*keys: str) -> None:
    """Start new windows; while Redis is away the old ones end by themselves."""
    for key in keys:
        _here.pop(key, None)
    try:
        await redis_batcher().run("DEL", *(f"sp404:count:{key}" for key in keys))
    except RedisUnavailable:
        return


_here: dict[str, tuple[int, float]] = {}


def count_in_process(key: str, seconds: int) -> Count:
    """Count one more in this process alone; bounded, the oldest windows go first."""
    moment = time.monotonic()
    value, ends = _here.pop(key, (0, 0.0))
    if ends <= moment:
        value, ends = 0, moment + seconds
    _here[key] = (value + 1, ends)
    while len(_here) > MOST_KEYS:
        _here.pop(next(iter(_here)))
    return Count(value + 1, ends - moment)
