"""/api/samples: list, read, edit, delete, restore and reanalyse samples; bulk actions."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.middleware.sample_list import Cursor, Limit, sample_filters
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.api.routes.media import accepted
from sp404_app.errors import ValidationFailed
from sp404_app.models import ProcessingJob
from sp404_app.services.cards import conversions
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import DEFAULT_TEMPLATE, parse_template
from sp404_app.services.library import bulk_actions, samples, search, tags
from sp404_app.services.library.bulk_actions import Action
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


class BulkRequest(BaseModel):
    """One action for many samples: those in `ids`, or all that `filter` finds.

    `convert` makes an archive of files in the format `as`. `template` names them, by the fields
    {bank}, {pad}, {name}, {bpm}, {key}, {class} and {n} (or {n:03}); `folders` keeps the folders.
    `file_tags` writes tempo, key and root note into the tags of WAV and FLAC files. The archive of
    a collection (`{"collection": id}` in `filter`) has a playlist.
    """

    model_config = ConfigDict(extra="forbid")

    ids: list[uuid.UUID] | None = Field(None, max_length=samples.MAX_BULK_IDS)
    filter: dict[str, Any] | None = None
    action: Action | Literal["convert"]
    tags: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=30)
    wanted: DownloadFormat | None = Field(None, alias="as")
    template: str = Field(DEFAULT_TEMPLATE, max_length=1000)
    folders: bool = False
    file_tags: bool = False


class BulkResult(BaseModel):
    """Result by sample id: "ok" or an error code."""

    results: dict[uuid.UUID, str]


@router.get("")
def list_samples(
    session: Database,
    user_id: CurrentUser,
    query: Annotated[search.SampleQuery, Depends(sample_filters)],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> SamplePage:
    """Search, filter and sort samples. Cursors stay valid while samples are added or deleted."""
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


@router.post("/bulk", response_model=BulkResult, responses={202: {"model": JobResponse}})
def change_many(
    session: Database, user_id: CurrentUser, request: BulkRequest
) -> BulkResult | Response:
    """Apply one action to many samples, with a result for each; `convert` is done by a job."""
    query = bulk_actions.parse_filter(request.filter) if request.filter is not None else None
    if request.action == "convert":
        return accepted(_request_archive(session, user_id, request, query))
    return BulkResult(
        results=bulk_actions.run_bulk_action(
            session, user_id, request.action, request.ids, query, request.tags
        )
    )


def _request_archive(
    session: Session, user_id: uuid.UUID, request: BulkRequest, query: search.SampleQuery | None
) -> ProcessingJob:
    if request.wanted is None:
        raise ValidationFailed("Choose a format.", {"as": ["Choose mk2, sx, wav or flac."]})
    template = parse_template(request.template)
    ids = bulk_actions.choose_ids(session, user_id, request.ids, query)
    return conversions.request_archive(
        session,
        user_id,
        request.wanted,
        template,
        ids,
        folders=request.folders,
        tagged=request.file_tags,
        collection_id=query.collection if query else None,
    )


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
