"""Open pages follow changes again after an outage of Redis or PostgreSQL."""

import asyncio
import inspect
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import RedisError
from reflex.state import BaseState
from sqlalchemy import create_engine, text

from sp404_app import sp404_app as composition_root
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from sp404_app.settings import Settings, settings
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.supervisor import redis_server
from tests.e2e.waiting import until

USER = uuid.uuid4()


class Page:
    """What a page has seen: its lists of events, and whether its database answers."""

    def __init__(self, database_url: str = "") -> None:
        self.seen: asyncio.Queue[list[Event]] = asyncio.Queue()
        self.database_url = database_url

    @begin_again_after_outages
    async def watch(self) -> None:
        """Follow events, and ask the database at each."""
        async for burst in events.listen(USER, gather=0.0):
            if self.database_url:
                engine = create_engine(self.database_url, connect_args={"connect_timeout": 2})
                with engine.connect() as connection:
                    connection.execute(text("select 1"))
            await self.seen.put(burst)

    @begin_again_after_outages
    async def tell(self) -> AsyncIterator[str]:
        """Yield events of Reflex, as the page of a sample does."""
        async for burst in events.listen(USER, gather=0.0):
            await self.seen.put(burst)
            yield "redraw"

    async def next(self) -> list[Event]:
        return await asyncio.wait_for(self.seen.get(), 30)


async def run(handler: AsyncIterator[Any]) -> list[Any]:
    return [said async for said in handler]


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


async def test_pages_follow_changes_again_after_an_outage_of_redis(
    services: Settings, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    socket = tmp_path / "r"
    environment.setenv("SP404_REDIS_URL", f"unix://{socket}")
    settings.cache_clear()
    events.connection.cache_clear()
    pages = [Page(), Page()]
    with running_redis(socket):
        tasks = [asyncio.ensure_future(run(each)) for each in (pages[0].watch(), pages[1].tell())]
        assert [await page.next() for page in pages] == [[], []]
    await asyncio.sleep(2.0)
    assert not any(task.done() for task in tasks)
    with running_redis(socket):
        assert [await page.next() for page in pages] == [[], []]  # read it again
        await asyncio.to_thread(events.publish, USER, Event(Topic.SAMPLE, "1"))
        assert [await page.next() for page in pages] == [[Event(Topic.SAMPLE, "1")]] * 2
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    events.connection.cache_clear()


async def test_a_page_follows_changes_again_after_an_outage_of_the_database(
    services: Settings,
) -> None:
    page = Page(services.database_url)
    task = asyncio.ensure_future(run(page.watch()))
    assert await page.next() == []
    page.database_url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    await asyncio.to_thread(events.publish, USER, Event(Topic.SAMPLE, "1"))
    await asyncio.sleep(1.0)
    assert not task.done()
    assert page.seen.empty()
    page.database_url = services.database_url
    assert await page.next() == []  # read it again
    await asyncio.to_thread(events.publish, USER, Event(Topic.SAMPLE, "2"))
    assert await page.next() == [Event(Topic.SAMPLE, "2")]
    task.cancel()
    await asyncio.wait([task])


async def test_other_errors_end_the_handler() -> None:
    @begin_again_after_outages
    async def watch(_: None) -> None:
        raise ValueError("not an outage")

    with pytest.raises(ValueError, match="not an outage"):
        await run(watch(None))


def states(base: type[BaseState] = BaseState) -> Iterator[type[BaseState]]:
    for state in base.__subclasses__():
        yield state
        yield from states(state)


def test_every_handler_that_listens_begins_again() -> None:
    assert composition_root.app
    listening = [
        handler.fn
        for state in set(states())
        for handler in state.event_handlers.values()
        if "events.listen(" in inspect.getsource(handler.fn)
    ]
    assert len(listening) >= 9
    for function in listening:
        assert "begin_again_after_outages" in inspect.getsource(function), function.__qualname__
