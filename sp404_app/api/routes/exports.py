"""Exports of projects: pre-flight, the job that makes one, and its archive, manifest and files."""

import re
import uuid
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import Anyone, CurrentUser, Database
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.api.routes.media import range_response
from sp404_app.api.routes.projects import ExportDevice, start_export
from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.services.account import data_export
from sp404_app.services.cards import exports, preflight
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.exports import Archive
from sp404_app.services.cards.preflight import Preflight
from sp404_app.services.projects.history import Target

router = APIRouter(tags=["exports"])

ZIP = "application/zip"
BYTES_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {ZIP: {}}},
    206: {"description": "The range that was requested"},
    416: {"description": "The range lies outside"},
}


class ExportRequest(BaseModel):
    """What to export for. Only a project for the MKII has a place on the card and a slot."""

    model_config = ConfigDict(extra="forbid")

    device: ExportDevice
    place: Literal["import", "export"] | None = None
    slot: Annotated[int, Field(ge=1, le=16, strict=True)] | None = None


class ExportedFile(BaseModel):
    """A file of an export, by its path from the root of the card."""

    path: str
    bytes: int
    sha256: str


class Manifest(BaseModel):
    """All files of an export, in the order of their paths."""

    files: list[ExportedFile]


@router.get("/projects/{project_id}/preflight")
def get_preflight(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    device: Annotated[ExportDevice, Query()] = "mk2",
) -> Preflight:
    """Return what an export would change, warn of and refuse, pad by pad."""
    return preflight.get_preflight(session, user_id, project_id, parse_target(device))


@router.post("/projects/{project_id}/export", responses={202: {"model": JobResponse}})
def post_export(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    wanted: ExportRequest,
    response: Response,
) -> JobResponse:
    """Export a project; the export has the content that the project has now.

    202 with the job that makes it, or 200 with a finished job if the same export exists. The job's
    result names the export. Pads that the pre-flight refuses are left out.
    """
    target = parse_target(wanted.device, wanted.place, wanted.slot)
    return start_export(session, Target(user_id, project_id), target, response)


@router.get("/exports/{export_id}", response_class=Response, responses=BYTES_RESPONSES)
def get_export(request: Request, who: Anyone, export_id: uuid.UUID) -> Response:
    """Download an export of a project, or of the account's data (for a week, when signed in)."""
    try:
        archive = _find_archive(who.user_id, export_id)
    except NotFound:
        if who.abilities is not None:  # tokens do not reach the account's data
            raise
        return _account_export(request, who.user_id, export_id)
    return _send(request, archive, ZIP, _headers(archive.file_name, archive.sha256))


@router.get("/exports/{export_id}/manifest")
def get_manifest(user_id: CurrentUser, export_id: uuid.UUID) -> Manifest:
    """List the files of an export, with their sizes and SHA-256."""
    archive = _find_archive(user_id, export_id)
    return Manifest(files=[ExportedFile.model_validate(file) for file in archive.files])


@router.get(
    "/exports/{export_id}/files/{path:path}", response_class=Response, responses=BYTES_RESPONSES
)
def get_exported_file(
    request: Request, user_id: CurrentUser, export_id: uuid.UUID, path: str
) -> Response:
    """Download one file of an export, to write it straight to a card."""
    archive = _find_archive(user_id, export_id)
    file = exports.find_file(archive, path)
    headers = _headers(path.rpartition("/")[2], file["sha256"])
    part = (file["offset"], file["bytes"])
    return _send(request, archive, "application/octet-stream", headers, part)


def _find_archive(user_id: uuid.UUID, export_id: uuid.UUID) -> Archive:
    with transaction() as session:  # it ends before the bytes are sent
        return exports.find_archive(session, user_id, export_id)


def _send(
    request: Request,
    archive: Archive,
    media_type: str,
    headers: dict[str, str],
    part: tuple[int, int] | None = None,
) -> Response:
    try:
        return range_response(request, archive.key, media_type, headers, part)
    except NotFound:  # somebody emptied the cache
        raise NotFound(exports.UNAVAILABLE) from None


def _account_export(request: Request, user_id: uuid.UUID, job_id: uuid.UUID) -> Response:
    with transaction() as session:
        key = data_export.find_export_key(session, user_id, job_id)
    headers = {
        "Content-Disposition": 'attachment; filename="crate-404-export.zip"',
        "Cache-Control": "private, no-store",
    }
    return range_response(request, key, ZIP, headers)


def _headers(name: str, sha256: str) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{sha256}"',
    }
