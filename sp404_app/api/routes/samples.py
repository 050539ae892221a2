"""/api/samples: list, read, edit, delete, restore and reanalyse samples."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.middleware.sample_list import Cursor, Limit, sample_filters
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.services.library import samples, search, tags
from sp404_app.services.library.sample_update import Change
from sp404_app.services.library.schemas import SampleView, job_view, sample_view
from sp404_app.services.library.tags import TagCount
from sp404_app.services.processing import analysis_requests

router = APIRouter(prefix="/samples", tags=["samples"])


class SamplePage(BaseModel):
    """One page of samples."""

    samples: list[SampleView]
    next_cursor: str | None
    total: int


class SampleChange(BaseModel):
    """Fields to change: omitted fields stay unchanged; null clears tempo or key."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(None, max_length=400)
    tags: list[Annotated[str, Field(max_length=200)]] | None = Field(None, max_length=30)
    bpm: float | None = None
    key: str | None = None
    kind: Literal["loop", "one_shot"] | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = None


@router.get("")
def list_samples(
    session: Database,
    user_id: CurrentUser,
    query: Annotated[search.SampleQuery, Depends(sample_filters)],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> SamplePage:
    """Search, filter and sort samples. Cursors stay valid while samples are added or deleted.

    Words of `q` are those of names, tags, notes and folders. Some also mean what was measured:
    "dark", "short", "kick", "around 90"; in quotes they do not. "-" excludes a word.

    With `like`, samples are sorted by their likeness to one of yours: itself first if the search
    finds it, then the nearest. Those that cannot be compared come last, newest first: not analysed,
    or by another version of the analysis. Cursors of this order are of one sample and its weights,
    until that sample is analysed again.
    """
    found = search.search_page(session, user_id, query, cursor, limit)
    return SamplePage(
        samples=[sample_view(row) for row in found.rows],
        next_cursor=found.next_cursor,
        total=found.total,
    )


@router.get("/tags")
def list_tags(session: Database, user_id: CurrentUser) -> list[TagCount]:
    """List the tags in use, most used first."""
    return tags.count_tags(session, user_id)


@router.get("/{sample_id}")
def get_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> SampleView:
    """Return one sample."""
    return sample_view(samples.get_sample(session, user_id, sample_id))


@router.patch("/{sample_id}")
def change_sample(
    session: Database, user_id: CurrentUser, sample_id: uuid.UUID, change: SampleChange
) -> SampleView:
    """Edit a sample. Tempo, key and kind set here are never overwritten by an analysis."""
    given = change.model_dump(exclude_unset=True)
    cleared = {"bpm": 0.0, "key": ""}
    values = {k: cleared.get(k) if v is None else v for k, v in given.items()}
    return sample_view(samples.change_sample(session, user_id, sample_id, Change(**values)))


@router.delete("/{sample_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> None:
    """Move a sample to the trash for 30 days. If it is there already, delete it permanently."""
    sample = samples.get_sample(session, user_id, sample_id)
    remove = samples.delete_for_good if sample.deleted_at else samples.delete_samples
    remove(session, user_id, [sample_id])


@router.post("/{sample_id}/restore")
def restore_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> SampleView:
    """Restore a sample from the trash."""
    samples.get_sample(session, user_id, sample_id)
    samples.restore_samples(session, user_id, [sample_id])
    return sample_view(samples.get_sample(session, user_id, sample_id))


@router.post("/{sample_id}/analyze", status_code=status.HTTP_202_ACCEPTED)
def analyse_sample(session: Database, user_id: CurrentUser, sample_id: uuid.UUID) -> JobResponse:
    """Analyse a sample again. While an analysis is active, return its job."""
    return JobResponse(
        job=job_view(analysis_requests.request_analysis(session, user_id, sample_id))
    )
