"""Routes about samples: list, read, change, throw away, in one or in many."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.middleware.sample_list import Cursor, Limit, wanted
from sp404_app.services.library import bulk_actions, samples, search, tags
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.sample_update import Change
from sp404_app.services.library.schemas import JobView, SampleView, job_view, sample_view
from sp404_app.services.library.tags import TagCount
from sp404_app.services.processing import analysis_requests

router = APIRouter(prefix="/samples", tags=["samples"])


class SamplePage(BaseModel):
    """One page of a list."""

    samples: list[SampleView]
    next_cursor: str | None
    total: int


class SampleChange(BaseModel):
    """What to change; a field left out stays as it is, null clears tempo or key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(None, max_length=400)
    tags: list[Annotated[str, Field(max_length=200)]] | None = Field(None, max_length=30)
    bpm: float | None = None
    key: str | None = None
    kind: Literal["loop", "one_shot"] | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = None


class BulkRequest(BaseModel):
    """The same action for many samples: `ids`, or everything a `filter` finds."""

    model_config = ConfigDict(extra="forbid")

    ids: list[uuid.UUID] | None = Field(None, max_length=samples.MAX_BULK)
    filter: dict[str, Any] | None = None
    action: Action
    tags: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=30)


class BulkResult(BaseModel):
    """What happened to each id: "ok", or why not."""

    results: dict[uuid.UUID, str]


class JobStarted(BaseModel):
    """A job that was accepted."""

    job: JobView


@router.get("")
def list_samples(
    session: Database,
    user_id: CurrentUser,
    query: Annotated[search.Query, Depends(wanted)],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> SamplePage:
    """Search, filter and sort together; the order is stable while rows come and go."""
    found = search.page(session, user_id, query, cursor, limit)
    return SamplePage(
        samples=[sample_view(row) for row in found.rows],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.get("/tags")
def list_tags(session: Database, user_id: CurrentUser) -> list[TagCount]:
    """List the tags in use, the most used first."""
    return tags.counts(session, user_id)


@router.post("/bulk")
def change_many(session: Database, user_id: CurrentUser, request: BulkRequest) -> BulkResult:
    """Do one thing to many samples; each id gets its own answer."""
    query = bulk_actions.query_of(request.filter) if request.filter is not None else None
    return BulkResult(
        results=bulk_actions.run(session, user_id, request.action, request.ids, query, request.tags)
    )


@router.get("/{sample_id}")
def get_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> SampleView:
    """Show one sample."""
    return sample_view(samples.get(session, user_id, sample_id))


@router.patch("/{sample_id}")
def change_sample(
    session: Database, user_id: CurrentUser, sample_id: uuid.UUID, change: SampleChange
) -> SampleView:
    """Set values; those set here are marked as the person's and kept for ever."""
    given = change.model_dump(exclude_unset=True)
    cleared = {"bpm": 0.0, "key": ""}
    values = {k: cleared.get(k) if v is None else v for k, v in given.items()}
    return sample_view(samples.change(session, user_id, sample_id, Change(**values)))


@router.delete("/{sample_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> None:
    """Move to the trash, where it stays for 30 days; from the trash, delete for good."""
    sample = samples.get(session, user_id, sample_id)
    remove = samples.delete_for_good if sample.deleted_at else samples.throw_away
    remove(session, user_id, [sample_id])


@router.post("/{sample_id}/restore")
def restore_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> SampleView:
    """Bring back from the trash."""
    samples.get(session, user_id, sample_id)
    samples.restore(session, user_id, [sample_id])
    return sample_view(samples.get(session, user_id, sample_id))


@router.post("/{sample_id}/analyze", status_code=status.HTTP_202_ACCEPTED)
def analyse_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> JobStarted:
    """Analyse once more; while that is under way, the answer is the same job."""
    return JobStarted(job=job_view(analysis_requests.again(session, user_id, sample_id)))
