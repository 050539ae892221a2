"""GET /api/events: what changes in a person's library, as server-sent events."""

import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import StreamingResponse
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, identify
from sp404_app.db import in_transaction
from sp404_app.errors import NotFound, RateLimited, Unauthenticated
from sp404_app.services.billing import quotas
from sp404_app.services.billing.schemas import subscription_view
from sp404_app.services.infra import events as live
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.library import samples
from sp404_app.services.library.schemas import job_view, quota_view, sample_view
from sp404_app.services.processing import jobs

router = APIRouter(tags=["events"])

PATIENCE = 15.0  # seconds: proxies hang up on a line that says nothing for a minute
MOST_OF_A_PERSON = 20  # open at once, in one process: each holds a connection to Redis

log = structlog.get_logger()

_open: Counter[uuid.UUID] = Counter()


@router.get("/events", response_class=StreamingResponse)
async def events(request: Request, user_id: CurrentUser) -> StreamingResponse:
    """Stream events named job, sample, quota, subscription; `library` says that many rows changed.

    The stream ends with the sign-in it was opened by, and while Redis or the database is away.

    Raises:
        RateLimited: If the same person has twenty of them open.
    """
    if _open[user_id] >= MOST_OF_A_PERSON:
        raise RateLimited(
            f"You have {MOST_OF_A_PERSON} of these open. Please close one first.",
            {"retry_after": int(PATIENCE), "limit": MOST_OF_A_PERSON},
        )
    return StreamingResponse(
        _stream(request, user_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, user_id: uuid.UUID) -> AsyncIterator[str]:
    if _open[user_id] >= MOST_OF_A_PERSON:  # many came in at once, before the first was counted
        return
    with _counted(user_id):
        try:
            async for burst in live.listen(user_id, patience=PATIENCE):
                await identify(request)
                if not burst:
                    yield ": here\n\n"
                for news in burst:
                    shown = await in_transaction(_object_of, user_id, news)
                    yield f"event: {news.topic}\ndata: {json.dumps(shown)}\n\n"
        except (Unauthenticated, RedisError):
            return
        except SQLAlchemyError as error:  # the client comes again, as it does after a restart
            log.warning(
                "stream of events ended: no database",
                user_id=str(user_id),
                kind=type(error).__name__,
            )


@contextmanager
def _counted(user_id: uuid.UUID) -> Iterator[None]:
    _open[user_id] += 1
    try:
        yield
    finally:
        _open[user_id] -= 1
        if not _open[user_id]:
            del _open[user_id]


def _object_of(session: Session, user_id: uuid.UUID, news: Event) -> Any:
    try:
        if news.topic is Topic.SAMPLE:
            return jsonable_encoder(sample_view(samples.get(session, user_id, uuid.UUID(news.id))))
        if news.topic is Topic.JOB:
            return jsonable_encoder(job_view(jobs.get(session, user_id, uuid.UUID(news.id))))
    except NotFound:
        return {"id": news.id, "deleted": True}
    if news.topic is Topic.SUBSCRIPTION:
        return jsonable_encoder(subscription_view(session, user_id))
    if news.topic is Topic.QUOTA:
        return jsonable_encoder(quota_view(quotas.usage(session, user_id)))
    return {}
