"""/api/collections: manual and smart collections, their samples and their order."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.errors import NotFound
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.collections.collection_summaries import CollectionSummary
from sp404_app.services.library import samples

router = APIRouter(prefix="/collections", tags=["collections"])

Name = Annotated[str, Field(max_length=400)]
Note = Annotated[str, Field(max_length=4000)]
Colour = Annotated[str, Field(max_length=7, description="Empty, or one of the bank colours.")]
Rules = Annotated[
    dict[str, Any],
    Field(
        description='`{"match": "all" | "any", "terms": [{"field", "op", "value"}]}`; a term may '
        "be such rules itself, nested once. At most 50 terms."
    ),
]
SampleIds = Annotated[list[uuid.UUID], Field(max_length=samples.MAX_BULK_IDS)]
SortOrder = Literal[
    "name", "tempo", "key", "length", "added", "class",
    "-name", "-tempo", "-key", "-length", "-added", "-class",
]  # fmt: skip


class CollectionPage(BaseModel):
    """One page of collections, newest first; the cursor is the id of the last one."""

    collections: list[CollectionSummary]
    next_cursor: uuid.UUID | None
    total: int


class NewCollectionRequest(BaseModel):
    """A collection to create: smart with `rules`, else manual, with samples in this order."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    note: Note = ""
    colour: Colour = ""
    rules: Rules | None = None
    sample_ids: SampleIds = []


class CollectionChange(BaseModel):
    """What changes of a collection; omitted fields stay. Only a smart collection takes rules."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    note: Note | None = None
    colour: Colour | None = None
    rules: Rules | None = None


class CopyRequest(BaseModel):
    """With `as_manual`, the copy of a smart collection holds the samples that match now."""

    model_config = ConfigDict(extra="forbid")

    as_manual: Annotated[bool, Field(strict=True)] = False


class MergeRequest(BaseModel):
    """The collections whose samples go into a new one, in this order, and its name."""

    model_config = ConfigDict(extra="forbid")

    collection_ids: list[uuid.UUID] = Field(max_length=collections.MAX_MERGED_COLLECTIONS)
    name: Name


class SamplesRequest(BaseModel):
    """Samples to add, in this order."""

    model_config = ConfigDict(extra="forbid")

    sample_ids: SampleIds


class MoveRequest(BaseModel):
    """Samples to move, in this order, before another one, or to the end."""

    model_config = ConfigDict(extra="forbid")

    sample_ids: SampleIds
    before: uuid.UUID | None = None


class SortRequest(BaseModel):
    """The order to sort by, with `-` for descending."""

    model_config = ConfigDict(extra="forbid")

    by: SortOrder


class CountRequest(BaseModel):
    """Rules whose matches are counted."""

    model_config = ConfigDict(extra="forbid")

    rules: Rules


class CountResponse(BaseModel):
    """How many samples match, without those in the trash."""

    count: int


class AddedResponse(BaseModel):
    """The samples that were added, and those that were in the collection already."""

    added: list[uuid.UUID]
    already: list[uuid.UUID]


@router.get("")
def list_collections(
    session: Database,
    user_id: CurrentUser,
    *,
    trash: bool = False,
    cursor: uuid.UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=collections.MAX_COLLECTIONS)] = 50,
    q: Annotated[str, Query(max_length=200)] = "",
    counts: bool = True,
) -> CollectionPage:
    """List collections with their counts; with `trash`, those in the trash.

    With `q`, only those whose name contains each of its words. Without `counts`, smart collections
    are not counted: their `count` is 0.
    """
    found = collections.list_collections(
        session, user_id, trash=trash, before=cursor, text=q, limit=limit + 1, count_smart=counts
    )
    return CollectionPage(
        collections=found[:limit],
        next_cursor=found[limit - 1].id if len(found) > limit else None,
        total=collections.count_collections(session, user_id, trash=trash, text=q),
    )


@router.post("", status_code=status.HTTP_201_CREATED)
def create_collection(
    session: Database, user_id: CurrentUser, request: NewCollectionRequest
) -> CollectionSummary:
    """Create a manual or smart collection."""
    made = collections.create_collection(session, user_id, **request.model_dump())
    return collections.get_summary(session, user_id, made.id)


@router.post("/count")
def count_matching(session: Database, user_id: CurrentUser, request: CountRequest) -> CountResponse:
    """Count the samples that match rules, without saving them."""
    return CountResponse(count=collections.count_matching(session, user_id, request.rules))


@router.post("/merge", status_code=status.HTTP_201_CREATED)
def merge_collections(
    session: Database, user_id: CurrentUser, request: MergeRequest
) -> CollectionSummary:
    """Create a manual collection of the samples of several, each sample once."""
    made = collections.merge_collections(session, user_id, request.collection_ids, request.name)
    return collections.get_summary(session, user_id, made.id)


@router.get("/{collection_id}")
def get_collection(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID
) -> CollectionSummary:
    """Return a collection. Its samples are listed by `GET /api/samples?collection=`."""
    return collections.get_summary(session, user_id, collection_id)


@router.put("/{collection_id}")
def change_collection(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, change: CollectionChange
) -> CollectionSummary:
    """Change name, note, cover colour or rules."""
    values = change.model_dump()
    collections.update_collection(session, user_id, collection_id, **values)
    return collections.get_summary(session, user_id, collection_id)


@router.delete("/{collection_id}", status_code=status.HTTP_204_NO_CONTENT)
def delete_collection(session: Database, user_id: CurrentUser, collection_id: uuid.UUID) -> None:
    """Move a collection to the trash for 30 days. If it is there already, delete it permanently."""
    collections.delete_collection(session, user_id, collection_id)


@router.post("/{collection_id}/restore")
def restore_collection(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID
) -> CollectionSummary:
    """Restore a collection from the trash."""
    collections.restore_collection(session, user_id, collection_id)
    return collections.get_summary(session, user_id, collection_id)


@router.post("/{collection_id}/duplicate", status_code=status.HTTP_201_CREATED)
def duplicate_collection(
    session: Database,
    user_id: CurrentUser,
    collection_id: uuid.UUID,
    request: CopyRequest | None = None,
) -> CollectionSummary:
    """Copy a collection."""
    as_manual = request is not None and request.as_manual
    made = collections.duplicate_collection(session, user_id, collection_id, as_manual=as_manual)
    return collections.get_summary(session, user_id, made.id)


@router.post("/{collection_id}/samples")
def add_samples(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, request: SamplesRequest
) -> AddedResponse:
    """Append samples to a manual collection."""
    found = collection_samples.add_samples(session, user_id, collection_id, request.sample_ids)
    return AddedResponse(added=found.added, already=found.already)


@router.post("/{collection_id}/samples/move")
def move_samples(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, request: MoveRequest
) -> CollectionSummary:
    """Move samples of a manual collection."""
    ids, before = request.sample_ids, request.before
    collection_samples.move_samples(session, user_id, collection_id, ids, before)
    return collections.get_summary(session, user_id, collection_id)


@router.put("/{collection_id}/samples/{sample_id}")
def add_sample(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, sample_id: uuid.UUID
) -> AddedResponse:
    """Append one sample to a manual collection; nothing changes if it is there already."""
    found = collection_samples.add_samples(session, user_id, collection_id, [sample_id])
    return AddedResponse(added=found.added, already=found.already)


@router.delete("/{collection_id}/samples/{sample_id}", status_code=status.HTTP_204_NO_CONTENT)
def remove_sample(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, sample_id: uuid.UUID
) -> None:
    """Remove a sample from a manual collection. The sample itself stays in the library.

    Raises:
        NotFound: If it is not in the collection.
    """
    if not collection_samples.remove_samples(session, user_id, collection_id, [sample_id]):
        raise NotFound("There is no such sample in this collection.")


@router.post("/{collection_id}/sort")
def sort_collection(
    session: Database, user_id: CurrentUser, collection_id: uuid.UUID, request: SortRequest
) -> CollectionSummary:
    """Sort a manual collection. Samples without the value come last."""
    collection_samples.sort_collection(session, user_id, collection_id, request.by)
    return collections.get_summary(session, user_id, collection_id)
