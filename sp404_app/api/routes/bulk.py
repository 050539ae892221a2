"""/api/samples/bulk and /api/bulk-edits: change many samples at once, preview it, and undo it."""

import uuid
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.api.routes.media import accepted
from sp404_app.errors import ValidationFailed
from sp404_app.models import ProcessingJob
from sp404_app.services.bulk import bulk_edits, preview
from sp404_app.services.bulk.bulk_edits import BulkEditView
from sp404_app.services.bulk.edits import BulkChange, CollectEdit, parse_edit
from sp404_app.services.bulk.preview import MAX_PREVIEWED, PreviewRow
from sp404_app.services.cards import conversions
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import DEFAULT_TEMPLATE, parse_template
from sp404_app.services.collections import collection_samples
from sp404_app.services.library import bulk_actions, samples, search
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.schemas import job_view

router = APIRouter(tags=["samples"])

EditAction = Literal["rename", "replace", "clean", "edit", "normalise"]
EDIT_ACTIONS: Final = frozenset({"rename", "replace", "clean", "edit", "normalise"})
# Parameters of the edits, as they are named in the body.
EDIT_FIELDS: Final = ("template", "find", "replacement", "is_regex", "match_case", "to", "value")


class ValueChanges(BaseModel):
    """Values to set; omitted ones stay, null clears tempo, key and class."""

    model_config = ConfigDict(extra="forbid", strict=True)

    add_tags: list[Annotated[str, Field(max_length=60)]] = Field([], max_length=30)
    remove_tags: list[Annotated[str, Field(max_length=60)]] = Field([], max_length=30)
    bpm: float | None = None
    bpm_factor: float | None = None
    key: str | None = None
    kind: Literal["loop", "one_shot"] | None = None
    sound_class: str | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = Field(None, max_length=4000)


class BulkTarget(BaseModel):
    """The samples of a bulk action: those in `ids`, or all that `filter` finds."""

    model_config = ConfigDict(extra="forbid")

    ids: list[uuid.UUID] | None = Field(None, max_length=samples.MAX_BULK_IDS)
    filter: dict[str, Any] | None = None
    tags: list[Annotated[str, Field(max_length=200)]] = Field([], max_length=30)
    template: str = Field(DEFAULT_TEMPLATE, max_length=1000)
    find: str = Field("", max_length=1000)
    replacement: str = Field("", max_length=1000)
    is_regex: bool = False
    match_case: bool = False
    to: Literal["peak", "lufs"] = "peak"
    value: float = -1.0
    changes: ValueChanges | None = None


class BulkRequest(BulkTarget):
    """One action for many samples.

    `convert` makes an archive of files in the format `as`. `template` names them, by the fields
    {bank}, {pad}, {name}, {bpm}, {key}, {class} and {n} (or {n:03}); `folders` keeps the folders
    and `file_tags` writes tempo, key and root note into the tags of WAV and FLAC files.
    The archive of a collection (`{"collection": id}` in `filter`) has a playlist.
    `rename` names the samples by such a template, `replace` replaces `find` by `replacement` in
    their names, `clean` removes tempo, key and version from names, `edit` sets `changes`, and
    `normalise` adds copies at the level `value`, in dBFS or LUFS. These are done by a job that can
    be undone; with `as_job`, `tag`, `untag`, `favourite`, `unfavourite`, `delete`, `restore` and
    `add_to_collection` are as well. The last one adds the samples to `collection`, in their order.
    """

    action: Action | EditAction | Literal["convert", "add_to_collection"]
    collection: uuid.UUID | None = None
    wanted: DownloadFormat | None = Field(None, alias="as")
    folders: bool = False
    file_tags: bool = False
    as_job: bool = False


class PreviewRequest(BulkTarget):
    """An edit to preview, as in `POST /api/samples/bulk`."""

    action: Literal[
        "rename", "replace", "clean", "edit", "tag", "untag", "favourite", "unfavourite"
    ]


class BulkResult(BaseModel):
    """Result by sample id: "ok" or an error code."""

    results: dict[uuid.UUID, str]


class PreviewResult(BaseModel):
    """How many samples would change, stay or cannot change, and the first rows."""

    total: int
    changed: int
    skipped: int
    failed: int
    rows: list[PreviewRow]


class BulkEditList(BaseModel):
    """The newest bulk edits."""

    bulk_edits: list[BulkEditView]


@router.post("/samples/bulk", response_model=BulkResult, responses={202: {"model": JobResponse}})
def change_many(
    session: Database, user_id: CurrentUser, request: BulkRequest
) -> BulkResult | Response:
    """Apply one action to many samples: with a result for each, or by a job."""
    query = bulk_actions.parse_filter(request.filter) if request.filter is not None else None
    if request.action == "convert":
        return accepted(_request_archive(session, user_id, request, query))
    if request.action == "add_to_collection" and not request.as_job:
        return _add_to_collection(session, user_id, request, query)
    if request.as_job or request.action in EDIT_ACTIONS:
        edit = _parse_edit(request)
        ids = bulk_actions.choose_ids(session, user_id, request.ids, query)
        return accepted(bulk_edits.request_edit(session, user_id, edit, ids))
    results = bulk_actions.run_bulk_action(
        session, user_id, Action(request.action), request.ids, query, request.tags
    )
    return BulkResult(results=results)


@router.post("/samples/bulk/preview")
def preview_many(
    session: Database,
    user_id: CurrentUser,
    request: PreviewRequest,
    limit: Annotated[int, Query(ge=0, le=MAX_PREVIEWED)] = 50,
) -> PreviewResult:
    """Return what an edit would do. Nothing is changed."""
    query = bulk_actions.parse_filter(request.filter) if request.filter is not None else None
    edit = parse_edit(_edit_values(request, request.action))
    ids = bulk_actions.choose_ids(session, user_id, request.ids, query)
    found = preview.preview_edit(session, user_id, edit, ids, limit=limit)
    return PreviewResult(
        total=len(ids),
        changed=found.changed,
        skipped=found.skipped,
        failed=found.failed,
        rows=found.rows,
    )


@router.get("/bulk-edits")
def list_bulk_edits(session: Database, user_id: CurrentUser) -> BulkEditList:
    """List the newest bulk edits, newest first; they are kept for 30 days."""
    return BulkEditList(bulk_edits=bulk_edits.list_edits(session, user_id))


@router.post("/bulk-edits/{bulk_edit_id}/undo", status_code=status.HTTP_202_ACCEPTED)
def undo_bulk_edit(session: Database, user_id: CurrentUser, bulk_edit_id: uuid.UUID) -> JobResponse:
    """Undo a bulk edit by a job; values that were changed since stay. One that runs is stopped."""
    return JobResponse(job=job_view(bulk_edits.request_undo(session, user_id, bulk_edit_id)))


def _parse_edit(request: BulkRequest) -> BulkChange:
    if request.action == "add_to_collection":
        return CollectEdit(collection=_collection_of(request))
    return parse_edit(_edit_values(request, request.action))


def _edit_values(request: BulkTarget, action: str) -> dict[str, Any]:
    """Return an edit as `parse_edit` takes it.

    Raises:
        ValidationFailed: If values are missing, or the action is not done by a job.
    """
    given = {name: getattr(request, name) for name in EDIT_FIELDS}
    fields = {
        "rename": ("template",),
        "replace": ("find", "replacement", "is_regex", "match_case"),
        "normalise": ("to", "value"),
        "clean": (),
        Action.DELETE: (),
        Action.RESTORE: (),
    }
    if action in fields:
        return {"action": str(action)} | {name: given[name] for name in fields[action]}
    if action == "edit":
        if request.changes is None:
            raise ValidationFailed("There is nothing to change.", {"changes": ["Set a value."]})
        return {"action": "edit"} | _cleared(request.changes)
    return {"action": "edit"} | _old_action_values(action, request.tags)


def _cleared(changes: ValueChanges) -> dict[str, Any]:
    cleared = {"bpm": 0.0, "key": "", "sound_class": ""}
    given = changes.model_dump(exclude_unset=True)
    return {k: cleared.get(k) if v is None else v for k, v in given.items()}


def _old_action_values(action: str, tags: list[str]) -> dict[str, Any]:
    if action in {Action.TAG, Action.UNTAG} and not tags:
        raise ValidationFailed("Tags are missing.", {"tags": ["Enter at least one tag."]})
    values: dict[str, dict[str, Any]] = {
        Action.TAG: {"add_tags": tags},
        Action.UNTAG: {"remove_tags": tags},
        Action.FAVOURITE: {"favourite": True},
        Action.UNFAVOURITE: {"favourite": False},
    }
    if action not in values:
        raise ValidationFailed(
            "This action isn’t done by a job.", {"as_job": ["Leave it out for this action."]}
        )
    return values[action]


def _add_to_collection(
    session: Session, user_id: uuid.UUID, request: BulkRequest, query: search.SampleQuery | None
) -> BulkResult:
    ids = bulk_actions.choose_ids(session, user_id, request.ids, query)
    done = collection_samples.add_samples(session, user_id, _collection_of(request), ids)
    already = dict.fromkeys(done.already, "already_there")
    return BulkResult(results={each: already.get(each, "ok") for each in ids})


def _collection_of(request: BulkRequest) -> uuid.UUID:
    if request.collection is None:
        raise ValidationFailed("Choose a collection.", {"collection": ["Name the collection."]})
    return request.collection


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
