"""/api/imports: read a card or a project's folder, file by file; a ZIP archive in one request."""

import hashlib
import tempfile
import uuid
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Request, UploadFile, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.db import in_transaction
from sp404_app.services.cards import import_plan, imports, zip_import
from sp404_app.services.cards.card_tree import MAX_PATHS
from sp404_app.services.cards.import_plan import PlannedProject, Room
from sp404_app.services.cards.imports import ListedFile, SentFile
from sp404_app.services.cards.known_sounds import find_known_sounds
from sp404_app.services.library.schemas import job_view

router = APIRouter(tags=["imports"])

FilePath = Annotated[str, Field(max_length=1_000)]
Size = Annotated[int, Field(ge=0, le=2**40)]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class NewImport(BaseModel):
    """What the card is of, if the client knows."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["mk2", "sx", ""] = ""


class ImportId(BaseModel):
    """The id of a new import."""

    id: uuid.UUID


class ImportView(BaseModel):
    """An import with the files that it has; those with `sent: false` are known by name only."""

    id: uuid.UUID
    kind: str
    job_id: uuid.UUID | None
    files: list[SentFile]


class NamedFile(BaseModel):
    """A file on the card by its name; the size may be left out."""

    path: FilePath
    bytes: Size = 0


class HashedFile(BaseModel):
    """A file on the card that is not sent; without a hash only its name and size are known."""

    path: FilePath
    bytes: Size
    sha256: Sha256 = ""


class PlanRequest(BaseModel):
    """The names of all files on the card, and the folders of the projects to read, if not all."""

    files: Annotated[list[NamedFile], Field(max_length=MAX_PATHS)]
    folders: Annotated[list[FilePath], Field(max_length=imports.MAX_FOLDERS)] | None = None


class PlanResponse(BaseModel):
    """What the card is, its projects, and what to send."""

    kind: str
    title: str
    is_card: bool
    why: str
    projects: list[PlannedProject]
    send: list[str]
    bytes: int
    room: Room


class ListingRequest(BaseModel):
    """Files on the card that are not sent."""

    files: Annotated[list[HashedFile], Field(max_length=imports.MAX_FILES)]


class ListingResponse(BaseModel):
    """The paths of listed files whose sound the library has: they need not be sent."""

    known: list[str]


class FinishRequest(BaseModel):
    """The folders of the projects to read; all if left out."""

    model_config = ConfigDict(extra="forbid")

    folders: Annotated[list[FilePath], Field(max_length=imports.MAX_FOLDERS)] | None = None


@router.post("/imports", status_code=status.HTTP_201_CREATED)
def create_import(
    session: Database, user_id: CurrentUser, request: NewImport | None = None
) -> ImportId:
    """Start to read a card. An import is deleted after a day."""
    return ImportId(id=imports.create_import(session, user_id, request.kind if request else "").id)


@router.get("/imports/{import_id}")
def get_import(session: Database, user_id: CurrentUser, import_id: uuid.UUID) -> ImportView:
    """Return the files of an import, to go on after an interruption."""
    found = imports.get_import(session, user_id, import_id)
    files = imports.list_files(session, user_id, import_id)
    return ImportView(id=found.id, kind=found.kind, job_id=found.job_id, files=files)


@router.put("/imports/{import_id}/files/{path:path}", openapi_extra=RAW_BODY)
async def put_file(
    request: Request, user_id: CurrentUser, import_id: uuid.UUID, path: str
) -> SentFile:
    """Send one file of a card as the raw body. The same path again replaces it."""
    await in_transaction(imports.ensure_takes_file, user_id, import_id, path)
    sha, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile() as target:
        async for block in request.stream():
            sha.update(block)
            size += len(block)
            target.write(block)
        target.flush()
        listed = ListedFile(path, size, sha.hexdigest())
        return await in_transaction(
            imports.store_file, user_id, import_id, listed, Path(target.name)
        )


@router.post("/imports/{import_id}/plan")
def plan_import(
    session: Database, user_id: CurrentUser, import_id: uuid.UUID, request: PlanRequest
) -> PlanResponse:
    """Answer what to send: first the settings of projects, then what their pads use."""
    files = [ListedFile(each.path, each.bytes) for each in request.files]
    plan = import_plan.plan_import(session, user_id, import_id, files, request.folders)
    tree = plan.tree
    return PlanResponse(
        kind=tree.kind,
        title=tree.title,
        is_card=tree.is_card,
        why=tree.why,
        projects=plan.projects,
        send=plan.send,
        bytes=plan.bytes,
        room=plan.room,
    )


@router.post("/imports/{import_id}/listing")
def add_listing(
    session: Database, user_id: CurrentUser, import_id: uuid.UUID, request: ListingRequest
) -> ListingResponse:
    """Record names, sizes and hashes of files that are not sent."""
    files = [ListedFile(each.path, each.bytes, each.sha256) for each in request.files]
    imports.add_listing(session, user_id, import_id, files)
    known = find_known_sounds(session, user_id, (each.sha256 for each in files))
    return ListingResponse(known=[each.path for each in files if each.sha256 in known])


@router.post("/imports/{import_id}/finish", status_code=status.HTTP_202_ACCEPTED)
def finish_import(
    session: Database,
    user_id: CurrentUser,
    import_id: uuid.UUID,
    request: FinishRequest | None = None,
) -> JobResponse:
    """Read the card into projects and samples; 202 with the job."""
    folders = request.folders if request else None
    return JobResponse(job=job_view(imports.finish_import(session, user_id, import_id, folders)))


@router.post("/projects/import", status_code=status.HTTP_202_ACCEPTED)
def import_archive(
    session: Database, user_id: CurrentUser, file: Annotated[UploadFile, File()]
) -> JobResponse:
    """Read a card in one ZIP archive; 202 with the job."""
    job = zip_import.import_archive(session, user_id, file.file, file.filename or "")
    return JobResponse(job=job_view(job))
