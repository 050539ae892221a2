"""GET /api/events: changes of the user's library as server-sent events."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlmodel import Session
from starlette.requests import Request
from structlog.testing import capture_logs

from sp404_app import db
from sp404_app.api.routes import events
from sp404_app.db import in_transaction, transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import RateLimited
from sp404_app.models import SignIn, User
from sp404_app.models.columns import now
from sp404_app.services.auth import personal_access_tokens, session_cache
from sp404_app.services.infra import events as event_bus
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import samples
from sp404_app.services.library.samples import Change
from sp404_app.services.processing import jobs
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.settings import settings
from tests.accounts import CLIENT, active_sessions, bearer
from tests.services.processing.test_jobs import job_of
from tests.sounds import Keep

Open = Callable[[], AsyncIterator[str]]


@pytest.fixture
def open_stream(user: User, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Read the stream with an access token, without a network."""
    monkeypatch.setattr(events, "KEEPALIVE_INTERVAL_S", 0.05)
    token = bearer(user.id)["Authorization"].encode()

    def start() -> AsyncIterator[str]:
        scope = {
            "type": "http", "method": "GET", "path": "/api/events", "query_string": b"",
            "headers": [(b"authorization", token)],
        }  # fmt: skip
        return events._stream_events(Request(scope), user.id)

    return start


async def event(stream: AsyncIterator[str], name: str) -> dict[str, object]:
    async with asyncio.timeout(20):
        async for text in stream:
            if text.startswith(f"event: {name}\n"):
                return json.loads(text.split("data: ", 1)[1])
    raise AssertionError("the stream ended")


async def test_events_contain_the_changed_object(user: User, keep: Keep, open_stream: Open) -> None:
    sample_id = keep()
    stream = open_stream()
    assert await anext(stream) == ": here\n\n"
    await in_transaction(samples.change_sample, user.id, sample_id, Change(name="Two\nlines"))
    shown = await event(stream, "sample")
    assert (shown["id"], shown["name"]) == (str(sample_id), "Two lines")
    assert "storage_key" not in shown
    await in_transaction(jobs.cancel_job, user.id, job_of(sample_id).id)
    assert (await event(stream, "job"))["status"] == "cancelled"
    await in_transaction(samples.delete_samples, user.id, [sample_id])
    quota = await event(stream, "quota")
    assert quota["storage"] == {"used_bytes": 0, "limit_bytes": 100 << 20}
    assert set(quota) == {"tier", "period_start", "period_end", "storage", "analyses"}


async def test_a_changed_project_is_sent_without_its_pads(
    user: User, keep: Keep, open_stream: Open
) -> None:
    sample_id = keep()
    with transaction() as session:
        made = projects.create_project(session, user.id, "Kit", MK2, [sample_id]).project
    stream = open_stream()
    await anext(stream)
    target = Target(user.id, made.id)
    await in_transaction(pads.clear_pad, target, PadPosition(0, 1))
    shown = await event(stream, "project")
    assert (shown["id"], shown["revision"], shown["pad_count"]) == (str(made.id), 2, 0)
    assert "pads" not in shown
    for _ in range(2):
        await in_transaction(projects.delete_project, user.id, made.id)
    events_sent = [await event(stream, "project") for _ in range(1)]
    while "deleted" not in events_sent[-1]:
        events_sent.append(await event(stream, "project"))
    assert events_sent[-1] == {"id": str(made.id), "deleted": True}


async def test_a_token_without_the_scope_of_projects_receives_no_project(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_INTERVAL_S", 0.05)
    with transaction() as session:
        made = projects.create_project(session, user.id, "Kit", MK2).project
        scopes = {"other": ["samples:read"], "reader": ["samples:read", "projects:read"]}
        tokens = {
            name: personal_access_tokens.create_personal_token(
                session, user.id, name, abilities, None, CLIENT
            ).token
            for name, abilities in scopes.items()
        }
    topics = {}
    for name, token in tokens.items():
        headers = [(b"authorization", f"Bearer {token}".encode())]
        stream = events._stream_events(Request({"type": "http", "headers": headers}), user.id)
        await anext(stream)
        event_bus.publish(user.id, Event(Topic.PROJECT, str(made.id)), Event(Topic.QUOTA))
        async with asyncio.timeout(20):
            sent = [await anext(stream)]
            while "quota" not in sent[-1]:
                sent.append(await anext(stream))
        topics[name] = any("event: project" in text for text in sent)
        await stream.aclose()
    assert topics == {"other": False, "reader": True}


async def test_an_event_of_a_deleted_row_says_deleted(user: User, open_stream: Open) -> None:
    stream = open_stream()
    await anext(stream)
    gone = str(uuid.uuid4())
    event_bus.publish(user.id, Event(Topic.SAMPLE, gone))
    assert await event(stream, "sample") == {"id": gone, "deleted": True}


async def test_changes_of_other_users_are_not_streamed(
    keep: Keep, person: Callable[..., User], open_stream: Open
) -> None:
    stream = open_stream()
    await anext(stream)
    keep(owner=person().id)
    assert await anext(stream) == ": here\n\n"


async def test_the_stream_ends_with_the_session(
    session: Session, user: User, open_stream: Open
) -> None:
    stream = open_stream()
    assert await anext(stream) == ": here\n\n"
    ended: list[SignIn] = active_sessions(session, user.id)
    for sign_in in ended:
        sign_in.revoked_at = now()
    session.commit()
    session_cache.publish_revocations([sign_in.id for sign_in in ended])
    async with asyncio.timeout(20):
        assert [text async for text in stream] == []


async def test_the_stream_ends_with_a_warning_if_the_database_is_unavailable(
    user: User, open_stream: Open, environment: pytest.MonkeyPatch
) -> None:
    stream = open_stream()
    assert await anext(stream) == ": here\n\n"
    with capture_logs() as lines, no_database(environment):
        event_bus.publish(user.id, Event(Topic.SAMPLE, str(uuid.uuid4())))
        async with asyncio.timeout(20):
            assert [text async for text in stream] == []
    assert [(line["event"], line["log_level"], line["kind"]) for line in lines] == [
        ("event stream ended: database unavailable", "warning", "OperationalError")
    ]
    assert user.id not in events._open_streams
    assert await anext(open_stream()) == ": here\n\n"


@contextmanager
def no_database(environment: pytest.MonkeyPatch) -> Iterator[None]:
    """Make the database unavailable, and then available again."""
    real = settings().database_url
    connect_to(environment, "postgresql://postgres@127.0.0.1:1/none")
    try:
        yield
    finally:
        connect_to(environment, real)


def connect_to(environment: pytest.MonkeyPatch, database_url: str) -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    environment.setenv("SP404_DATABASE_URL", database_url)
    settings.cache_clear()


async def test_a_user_can_open_twenty_streams_at_most(
    user: User, person: Callable[..., User], open_stream: Open
) -> None:
    streams = [open_stream() for _ in range(events.MAX_STREAMS_PER_USER)]
    for stream in streams:
        assert await anext(stream) == ": here\n\n"
    request = Request({"type": "http", "method": "GET", "path": "/api/events", "headers": []})
    with pytest.raises(RateLimited) as refusal:
        await events.events(request, user.id)
    assert refusal.value.details["limit"] == events.MAX_STREAMS_PER_USER
    assert [text async for text in open_stream()] == []
    assert (await events.events(request, person().id)).status_code == 200
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]
    assert (await events.events(request, user.id)).status_code == 200
    assert await anext(open_stream()) == ": here\n\n"
