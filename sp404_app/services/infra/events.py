"""Change events for a user's open pages, through Redis publish/subscribe."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import redis.asyncio
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sp404_app.lost_hosts import redis_options
from sp404_app.services.infra import cache_version
from sp404_app.settings import settings
from sp404_app.telemetry import tracing

IDLE_TIMEOUT_S = 15.0
TRACEPARENT = "traceparent"  # field of a message: the span that made the change, or ""


class Topic(StrEnum):
    """What changed."""

    JOB = "job"
    SAMPLE = "sample"
    QUOTA = "quota"
    LIBRARY = "library"
    SUBSCRIPTION = "subscription"
    PROJECT = "project"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True)
class Event:
    """One change: what kind, and which row.

    `revision` is that of a project whose content changed; 0: whoever shows the row reads it again.
    """

    topic: Topic
    id: str = ""
    revision: int = 0


@lru_cache
def connection() -> Redis:
    """Return the Redis client, connected on first use.

    It retries a failed command once, without a pause, because a request waits for the answer.
    """
    return Redis.from_url(
        settings().redis_url,
        socket_timeout=5,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 1),
    )


def publish(user_id: uuid.UUID, *changes: Event) -> None:
    """Publish events to a user's open pages; call after commit.

    It bumps the version of the user's cached lists, except for projects: no list shows pads.
    """
    pipeline = connection().pipeline(transaction=False)
    if {item.topic for item in changes} != {Topic.PROJECT}:
        cache_version.bump_cache_version(pipeline, user_id)
    trace = {TRACEPARENT: tracing.traceparent()}
    for item in changes:
        pipeline.publish(_channel(user_id), json.dumps(asdict(item) | trace))
    pipeline.execute()


async def listen(
    user_id: uuid.UUID, gather: float = 0.1, *, patience: float = 0.0
) -> AsyncGenerator[list[Event], None]:
    """Yield lists of events from now on; events within `gather` seconds come in one list.

    The first list is empty and means that the subscription is active: a caller that reads the
    state after it misses no change. With `patience`, an empty list is also yielded whenever
    nothing has happened for that many seconds.
    """
    url = settings().redis_url
    async with (
        redis.asyncio.from_url(url, **redis_options(url)) as client,
        client.pubsub() as channel,
    ):
        await channel.subscribe(_channel(user_id))
        await channel.get_message(timeout=2.0)
        yield []
        while True:
            message = await channel.get_message(
                ignore_subscribe_messages=True, timeout=patience or IDLE_TIMEOUT_S
            )
            if message is None:
                if patience:
                    yield []
                continue
            await asyncio.sleep(gather)
            burst = [json.loads(message["data"])]
            while message := await channel.get_message(ignore_subscribe_messages=True, timeout=0):
                burst.append(json.loads(message["data"]))
            with tracing.handle_events([fields.get(TRACEPARENT, "") for fields in burst]):
                yield list(dict.fromkeys(map(_parse, burst)))


def _parse(fields: dict[str, Any]) -> Event:
    return Event(Topic(fields["topic"]), fields["id"], fields.get("revision", 0))


def _channel(user_id: uuid.UUID) -> str:
    return f"sp404:news:{user_id}"
