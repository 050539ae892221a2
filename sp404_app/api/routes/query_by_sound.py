"""POST /api/samples/similar: query by sound. Find samples similar to a file that is not stored."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from anyio import CapacityLimiter, fail_after, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Depends, File, Request, UploadFile
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.similarity import AlikeList, Limit, similar_sample_view
from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.db import in_transaction
from sp404_app.errors import RateLimited, Unavailable
from sp404_app.services.infra import rate_limits
from sp404_app.services.processing import sandbox
from sp404_app.services.sample import similarity

router = APIRouter(prefix="/samples", tags=["samples"])

MAX_CONCURRENT = 2  # sandbox processes of each web process
WAIT_TIMEOUT_S = 5.0  # for a free sandbox
sandbox_limiter: RunVar[CapacityLimiter] = RunVar("sandbox_limiter")


class QuerySoundView(BaseModel):
    """Analysis of the query file: seconds, BPM; null where not found."""

    duration: float
    silent: bool
    kind: str
    bpm: float | None
    key: str | None
    camelot: str | None


class QueryBySoundResult(AlikeList):
    """The most similar samples, nearest first, and the analysis of the query file."""

    heard: QuerySoundView


async def count_request(request: Request, user_id: CurrentUser) -> uuid.UUID:
    """Count the request. The rate limit headers then show this limit, not the general one.

    Raises:
        RateLimited: If the user sends too many files per minute.
    """
    try:
        request.state.allowance = await rate_limits.count_query_by_sound(user_id)
    except RateLimited as refusal:
        request.state.allowance = rate_limits.exhausted_rate_limit(refusal)
        raise
    return user_id


@router.post("/similar")
async def similar_to_file(
    user_id: Annotated[uuid.UUID, Depends(count_request)],
    file: Annotated[UploadFile, File()],
    limit: Limit = 12,
    aspect: Aspect = Aspect.OVERALL,
) -> QueryBySoundResult:
    """List the samples most similar to this file, overall or by one aspect. The file is not stored.

    Does not count against the analysis quota. A silent file has no similar samples.
    """
    sandbox.ensure_query_size(file.size or 0)
    async with _sandbox_slot():
        analysis = await to_thread.run_sync(sandbox.analyse_in_sandbox, file.file)
    found = await in_transaction(similarity.find_similar_to_file, user_id, analysis, limit, aspect)
    view = {name: getattr(analysis, name) for name in QuerySoundView.model_fields}
    return QueryBySoundResult(
        samples=[similar_sample_view(alike) for alike in found], heard=QuerySoundView(**view)
    )


@asynccontextmanager
async def _sandbox_slot() -> AsyncIterator[None]:
    """Wait until fewer than `MAX_CONCURRENT` sandboxes of this web process are running.

    Raises:
        Unavailable: If that takes longer than `WAIT_TIMEOUT_S`.
    """
    try:
        limiter = sandbox_limiter.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_CONCURRENT)
        sandbox_limiter.set(limiter)
    try:
        with fail_after(WAIT_TIMEOUT_S):
            await limiter.acquire()
    except TimeoutError as error:
        raise Unavailable(
            "Too many files are being analysed. Try again in a few seconds."
        ) from error
    try:
        yield
    finally:
        limiter.release()
