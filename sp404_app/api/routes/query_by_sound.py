"""POST /api/samples/similar: what sounds like a file that is not kept."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio import CapacityLimiter, fail_after, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, File, Request, UploadFile
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.similarity import AlikeList, Limit, alike_view
from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.db import in_transaction
from sp404_app.errors import RateLimited, TooLarge, Unavailable
from sp404_app.services.infra import rate_limits
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.processing import sandbox
from sp404_app.services.sample import similarity

router = APIRouter(prefix="/samples", tags=["samples"])

AT_ONCE = 2  # processes that hear, in each web process
PATIENCE = 5.0  # seconds that others wait for one of them
ears: RunVar[CapacityLimiter] = RunVar("ears")


class HeardView(BaseModel):
    """What the file itself sounds like: seconds, BPM; null where there is none."""

    duration: float
    silent: bool
    kind: str
    bpm: float | None
    key: str | None
    camelot: str | None


class HeardList(AlikeList):
    """The nearest sounds, the most alike first, and what they were compared with."""

    heard: HeardView


async def allowed(request: Request, user_id: CurrentUser) -> uuid.UUID:
    """Count a file to be heard; the answer says what is left of these, not of all requests.

    Raises:
        RateLimited: If the person sends them too often.
    """
    try:
        request.state.allowance = await rate_limits.count_query_by_sound(user_id)
    except RateLimited as refusal:
        request.state.allowance = rate_limits.exhausted(refusal)
        raise
    return user_id


@router.post("/similar")
async def similar_to_file(
    user_id: Annotated[uuid.UUID, Depends(allowed)],
    file: Annotated[UploadFile, File()],
    limit: Limit = 12,
    aspect: Aspect = Aspect.OVERALL,
) -> HeardList:
    """List what sounds like this file, by everything or by one aspect; the file is not kept.

    It is no analysis of the plan. Nothing is like silence.
    """
    if (file.size or 0) > sandbox.most_bytes():
        raise TooLarge(f"This file is larger than {format_size(sandbox.most_bytes())}.")
    async with _ear():
        heard = await to_thread.run_sync(sandbox.hear, file.file)
    found = await in_transaction(similarity.like, user_id, heard, limit, aspect)
    view = {name: getattr(heard, name) for name in HeardView.model_fields}
    return HeardList(samples=[alike_view(alike) for alike in found], heard=HeardView(**view))


@asynccontextmanager
async def _ear() -> AsyncIterator[None]:
    """Wait a little until fewer than `AT_ONCE` files are heard by this process.

    Raises:
        Unavailable: If the others take longer.
    """
    try:
        free = ears.get()
    except LookupError:
        free = CapacityLimiter(AT_ONCE)
        ears.set(free)
    try:
        with fail_after(PATIENCE):
            await free.acquire()
    except TimeoutError as error:
        raise Unavailable("Others are being listened to. Please try again soon.") from error
    try:
        yield
    finally:
        free.release()
