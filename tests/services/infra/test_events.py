"""Events reach all open pages of one user, and no other user."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import RedisError

from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.settings import Settings, settings

pytestmark = pytest.mark.usefixtures("services")


async def listening(user_id: uuid.UUID) -> AsyncIterator[list[Event]]:
    stream = events.listen(user_id, gather=0.0)
    assert await anext(stream) == []
    return stream


async def test_events_after_the_first_item_are_never_missed() -> None:
    user_id = uuid.uuid4()
    stream = await listening(user_id)
    await asyncio.to_thread(events.publish, user_id, Event(Topic.SAMPLE, "1"))
    assert await anext(stream) == [Event(Topic.SAMPLE, "1")]


async def test_all_pages_of_a_user_get_events_and_other_users_do_not() -> None:
    user_id, stranger = uuid.uuid4(), uuid.uuid4()
    pages = [await listening(user_id), await listening(user_id)]
    other = await listening(stranger)
    await asyncio.to_thread(events.publish, user_id, Event(Topic.LIBRARY))
    await asyncio.to_thread(events.publish, stranger, Event(Topic.JOB, "theirs"))
    assert [await anext(page) for page in pages] == [[Event(Topic.LIBRARY)]] * 2
    assert await anext(other) == [Event(Topic.JOB, "theirs")]


async def test_events_of_one_moment_come_in_one_list_without_duplicates() -> None:
    user_id = uuid.uuid4()
    stream = events.listen(user_id, gather=0.05)
    await anext(stream)
    repeated = [Event(Topic.SAMPLE, "1"), Event(Topic.SAMPLE, "2"), Event(Topic.SAMPLE, "1")]
    await asyncio.to_thread(events.publish, user_id, *repeated)
    assert await anext(stream) == repeated[:2]


async def test_with_patience_an_empty_list_is_yielded_when_nothing_happens() -> None:
    stream = events.listen(uuid.uuid4(), patience=0.01)
    assert [await anext(stream), await anext(stream)] == [[], []]


async def test_a_subscriber_gets_an_error_when_redis_is_not_available(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1")
    settings.cache_clear()
    with pytest.raises(RedisError):
        await anext(events.listen(uuid.uuid4()))
