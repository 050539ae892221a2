"""GET /api/events: changes of the user's library, jobs and quota as server-sent events."""

import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, authenticate_request
from sp404_app.api.lifecycle import until_drain
from sp404_app.db import in_transaction
from sp404_app.errors import NotFound, RateLimited, Unauthenticated
from sp404_app.services.auth.personal_access_tokens import Scope
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import quotas
from sp404_app.services.billing.schemas import subscription_view
from sp404_app.services.collections import collections
from sp404_app.services.infra import events as event_bus
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import samples
from sp404_app.services.library.schemas import job_view, quota_view, sample_view
from sp404_app.services.processing import jobs
from sp404_app.services.projects import projects
from sp404_app.services.projects.schemas import project_view

router = APIRouter(tags=["events"])

KEEPALIVE_INTERVAL_S = 15.0  # proxies close a connection that is silent for a minute
MAX_STREAMS_PER_USER = 20  # in one web process; each holds a Redis connection

log = structlog.get_logger()

_open_streams: Counter[uuid.UUID] = Counter()


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request, user_id: CurrentUser) -> StreamingResponse:
    """Stream events: job, sample, collection, project, quota.

    `library` says that many samples changed.

    A project event carries the project without its pads. A personal access token needs
    `projects:read` to receive it.

    The stream ends when its session ends, when Redis or the database is unavailable, and when the
    server restarts: connect again.

    Raises:
        RateLimited: If the user has twenty streams open.
    """
    if _open_streams[user_id] >= MAX_STREAMS_PER_USER:
        raise RateLimited(
            f"You have {MAX_STREAMS_PER_USER} event streams open. Close one first.",
            {"retry_after": int(KEEPALIVE_INTERVAL_S), "limit": MAX_STREAMS_PER_USER},
        )
    return StreamingResponse(
        _stream_events(request, user_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream_events(request: Request, user_id: uuid.UUID) -> AsyncIterator[str]:
    # Checked again, as several requests may arrive before the first one is counted.
    if _open_streams[user_id] >= MAX_STREAMS_PER_USER:
        return
    with _count_stream(user_id):
        try:
            changes = event_bus.listen(user_id, patience=KEEPALIVE_INTERVAL_S)
            async for burst in until_drain(changes):
                signed_in = await authenticate_request(request)
                if not burst:
                    yield ": here\n\n"
                for event in burst:
                    if not _may_read(signed_in, event):
                        continue
                    payload = await in_transaction(_event_payload, user_id, event)
                    yield f"event: {event.topic}\ndata: {json.dumps(payload)}\n\n"
        except (Unauthenticated, RedisError):
            return
        except SQLAlchemyError as error:  # clients reconnect, as they do after a restart
            log.warning(
                "event stream ended: database unavailable",
                user_id=str(user_id),
                kind=type(error).__name__,
            )


@contextmanager
def _count_stream(user_id: uuid.UUID) -> Iterator[None]:
    _open_streams[user_id] += 1
    try:
        yield
    finally:
        _open_streams[user_id] -= 1
        if not _open_streams[user_id]:
            del _open_streams[user_id]


def _may_read(signed_in: SignedIn, event: Event) -> bool:
    """Return whether the event is within the scopes of the stream's personal access token."""
    if event.topic is not Topic.PROJECT or signed_in.abilities is None:
        return True
    return Scope.PROJECTS_READ in signed_in.abilities


def _event_payload(session: Session, user_id: uuid.UUID, event: Event) -> Any:
    try:
        return jsonable_encoder(_changed_object(session, user_id, event))
    except NotFound:
        return {"id": event.id, "deleted": True}


READERS_BY_ID: dict[Topic, Callable[[Session, uuid.UUID, uuid.UUID], object]] = {
    Topic.SAMPLE: lambda session, user_id, found: sample_view(
        samples.get_sample(session, user_id, found)
    ),
    Topic.JOB: lambda session, user_id, found: job_view(jobs.get_job(session, user_id, found)),
    Topic.COLLECTION: collections.get_summary,
    Topic.PROJECT: lambda session, user_id, found: project_view(
        projects.get_summary(session, user_id, found)
    ),
}


def _changed_object(session: Session, user_id: uuid.UUID, event: Event) -> object:
    if event.topic in READERS_BY_ID:
        return READERS_BY_ID[event.topic](session, user_id, uuid.UUID(event.id))
    match event.topic:
        case Topic.SUBSCRIPTION:
            return subscription_view(session, user_id)
        case Topic.QUOTA:
            return quota_view(quotas.get_quota_usage(session, user_id))
        case _:
            return {}
