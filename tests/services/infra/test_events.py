"""Events reach all open pages of one user, and no other user."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.exceptions import RedisError

from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import redis_server
from tests.e2e.waiting import until

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


@contextmanager
def running_redis(socket: Path) -> Iterator[None]:
    """Run a Redis of its own; at the end it is killed."""
    folder = str(socket.parent)
    options = ("--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder)
    with subprocess.Popen([redis_server.program(), *options], stdout=subprocess.DEVNULL) as server:
        until(lambda: is_ready(socket))
        yield
        server.kill()
    socket.unlink()


def is_ready(socket: Path) -> bool:
    try:
        return bool(redis.Redis(unix_socket_path=str(socket)).ping())
    except RedisError:
        return False


async def test_a_page_follows_changes_again_after_an_outage_of_redis(
    services: Settings, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    socket, user_id = tmp_path / "r", uuid.uuid4()
    environment.setenv("SP404_REDIS_URL", f"unix://{socket}")
    settings.cache_clear()
    events.connection.cache_clear()
    pages = [events.follow(user_id, gather=0.0), events.follow(user_id, gather=0.0, patience=60.0)]
    with running_redis(socket):
        assert [await anext(page) for page in pages] == [[], []]
    waiting = [asyncio.ensure_future(anext(page)) for page in pages]
    await asyncio.sleep(2.0)
    assert not any(each.done() for each in waiting)
    with running_redis(socket):
        assert await asyncio.wait_for(asyncio.gather(*waiting), 30) == [[], []]  # read it again
        await asyncio.to_thread(events.publish, user_id, Event(Topic.SAMPLE, "1"))
        assert [await anext(page) for page in pages] == [[Event(Topic.SAMPLE, "1")]] * 2
        for page in pages:
            await page.aclose()
    events.connection.cache_clear()
