"""/api/projects: list, create, change, duplicate, delete and restore projects; undo and redo."""

import re
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Response, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.error_handlers import Problem
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.errors import PreconditionRequired, ValidationFailed
from sp404_app.models import JobStatus, Project
from sp404_app.services.cards import exports
from sp404_app.services.cards.export_content import ExportTarget, parse_target
from sp404_app.services.collections import collection_samples
from sp404_app.services.library.schemas import job_view
from sp404_app.services.projects import history, projects
from sp404_app.services.projects.conversion import Difference
from sp404_app.services.projects.schemas import (
    ProjectDetails,
    ProjectView,
    project_details,
    project_view,
)

router = APIRouter(prefix="/projects", tags=["projects"])

Name = Annotated[str, Field(max_length=400)]
DeviceName = Literal["mk2", "sx"]
ExportDevice = Literal["mk2", "sx", "import"]
BankLetter = Literal["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]
Tempo = Annotated[float, Field(ge=40, le=200, allow_inf_nan=False)]


# Responses of every route that changes a project, for the OpenAPI description.
CHANGE_RESPONSES: dict[int | str, dict[str, Any]] = {
    409: {
        "model": Problem,
        "description": "The revision in If-Match is old (`changed_meanwhile`), the project is in "
        "the trash, or there is nothing to undo or redo",
    },
    428: {"model": Problem, "description": "If-Match is missing (`precondition_required`)"},
}
REVISION = re.compile(r'(?:W/)?"(?P<quoted>[0-9]{1,18})"|(?P<bare>[0-9]{1,18})')
IfMatch = Annotated[str | None, Header(description='The revision seen, as in "12", or *.')]


def expected_revision(if_match: IfMatch = None) -> int | None:
    """Return the revision that the client saw; None for `*`, which matches any.

    Raises:
        PreconditionRequired: If `If-Match` is missing.
        ValidationFailed: If it is not a revision.
    """
    if if_match is None:
        raise PreconditionRequired("Send the revision that you saw as If-Match, or *.")
    if if_match.strip() == "*":
        return history.ANY_REVISION
    revision = REVISION.fullmatch(if_match.strip())
    if revision is None:
        message = 'Send a revision, as in If-Match: "12".'
        raise ValidationFailed(message, {"if-match": [message]})
    return int(revision["quoted"] or revision["bare"])


ExpectedRevision = Annotated[int | None, Depends(expected_revision)]


def change_target(
    user_id: CurrentUser, project_id: uuid.UUID, revision: ExpectedRevision
) -> history.Target:
    """Return the project that a request changes, with the revision that the client saw."""
    return history.Target(user_id, project_id, revision)


ChangeTarget = Annotated[history.Target, Depends(change_target)]


class ProjectList(BaseModel):
    """All projects of the user, newest change first."""

    projects: list[ProjectView]
    total: int


class NewProjectRequest(BaseModel):
    """A project to create; samples go onto its pads from A1 on.

    They are those of `sample_ids`, then of the collection, with the tag, in the folder.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    device: DeviceName = "mk2"
    tempo: Tempo | None = None
    sample_ids: list[uuid.UUID] | None = Field(None, max_length=projects.MAX_LISTED_SAMPLES)
    collection_id: uuid.UUID | None = None
    tag: Annotated[str, Field(max_length=60)] | None = None
    folder: Annotated[str, Field(max_length=1000)] | None = None


class BankChange(BaseModel):
    """What changes of one bank."""

    model_config = ConfigDict(extra="forbid")

    bank: BankLetter
    name: Annotated[str, Field(max_length=60)] | None = None
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    tempo: Tempo | None = None
    volume: Annotated[int, Field(ge=0, le=127, strict=True)] | None = None
    protect: Annotated[bool, Field(strict=True)] | None = None


class ProjectChange(BaseModel):
    """What changes of a project; omitted fields stay."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    tempo: Tempo | None = None
    tempo_source: Literal["project", "bank"] | None = None
    banks: Annotated[list[BankChange], Field(max_length=10)] | None = None


class DuplicateRequest(BaseModel):
    """The device of the copy; without one, that of the original."""

    model_config = ConfigDict(extra="forbid")

    device: DeviceName | None = None


class NewProjectResponse(BaseModel):
    """A created project, and the samples that did not fit on its pads."""

    project: ProjectDetails
    not_placed: list[uuid.UUID]


class DuplicateResponse(BaseModel):
    """The copy, and what of it the other device cannot hold."""

    project: ProjectDetails
    report: list[Difference]


class StepResponse(BaseModel):
    """The project after undo or redo, and what was undone or redone."""

    project: ProjectDetails
    label: str


def tagged_details(session: Database, project: Project, response: Response) -> ProjectDetails:
    """Return a project's view, and set its revision as the ETag of the response."""
    response.headers["ETag"] = f'"{project.revision}"'
    return project_details(session, project)


@router.get("")
def list_projects(session: Database, user_id: CurrentUser, trash: bool = False) -> ProjectList:
    """List the user's projects, without pads; with `trash`, those in the trash."""
    found = projects.list_projects(session, user_id, trash=trash)
    return ProjectList(projects=[project_view(each) for each in found], total=len(found))


@router.post("", status_code=status.HTTP_201_CREATED)
def create_project(
    session: Database, user_id: CurrentUser, request: NewProjectRequest, response: Response
) -> NewProjectResponse:
    """Create a project: empty, or with samples by id, of a collection, by tag, or of a folder."""
    ids = request.sample_ids or []
    ids = [*ids, *(each for each in _find_samples(session, user_id, request) if each not in ids)]
    device = projects.parse_device(request.device)
    made = projects.create_project(session, user_id, request.name, device, ids, request.tempo)
    return NewProjectResponse(
        project=tagged_details(session, made.project, response), not_placed=made.not_placed
    )


def _find_samples(
    session: Database, user_id: uuid.UUID, request: NewProjectRequest
) -> dict[uuid.UUID, None]:
    """Return the ids of the samples of the collection, tag and folder of a request, each once."""
    found: list[uuid.UUID] = []
    if request.collection_id is not None:
        found += collection_samples.list_sample_ids(
            session, user_id, request.collection_id, projects.MAX_LISTED_SAMPLES
        )
    if request.tag is not None:
        found += projects.samples_with_tag(session, user_id, request.tag)
    if request.folder is not None:
        found += projects.samples_in_folder(session, user_id, request.folder)
    return dict.fromkeys(found)


@router.get("/{project_id}")
def get_project(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, response: Response
) -> ProjectDetails:
    """Return a project with its pads. The ETag is its revision."""
    return tagged_details(session, history.get_project(session, user_id, project_id), response)


@router.put("/{project_id}", responses=CHANGE_RESPONSES | {202: {"model": JobResponse}})
def change_project(
    session: Database,
    target: ChangeTarget,
    change: ProjectChange,
    response: Response,
    export: ExportDevice | None = None,
) -> ProjectDetails | JobResponse:
    """Change name, tempo, tempo source and banks.

    With `export`, export the changed project, too, and return the job, as
    `POST /api/projects/{project_id}/export` does.
    """
    values: dict[str, Any] = change.model_dump(exclude_none=True)
    changed = projects.change_details(session, target, values)
    if export is None:
        return tagged_details(session, changed, response)
    response.headers["ETag"] = f'"{changed.revision}"'
    return start_export(session, target, parse_target(export), response)


def start_export(
    session: Database, target: history.Target, wanted: ExportTarget, response: Response
) -> JobResponse:
    """Return the job of an export; the response is 202 unless the export exists already."""
    job = exports.request_export(session, target.user_id, target.project_id, wanted)
    if job.status != JobStatus.DONE:
        response.status_code = status.HTTP_202_ACCEPTED
    return JobResponse(job=job_view(job))


@router.delete("/{project_id}", status_code=status.HTTP_204_NO_CONTENT, responses=CHANGE_RESPONSES)
def delete_project(session: Database, target: ChangeTarget) -> None:
    """Move a project to the trash for 30 days. If it is there already, delete it permanently.

    The move is a new revision, so a repeated request with the old one is 409.
    """
    projects.delete_project(session, target.user_id, target.project_id, target.revision)


@router.post("/{project_id}/restore")
def restore_project(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, response: Response
) -> ProjectDetails:
    """Restore a project from the trash."""
    return tagged_details(session, projects.restore_project(session, user_id, project_id), response)


@router.post("/{project_id}/duplicate", status_code=status.HTTP_201_CREATED)
def duplicate_project(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    response: Response,
    request: DuplicateRequest | None = None,
) -> DuplicateResponse:
    """Copy a project; for another device, convert it and report what does not fit."""
    device = projects.parse_device(request.device) if request and request.device else None
    copy, report = projects.duplicate_project(session, user_id, project_id, device)
    return DuplicateResponse(project=tagged_details(session, copy, response), report=report)


@router.post("/{project_id}/undo", responses=CHANGE_RESPONSES)
def undo(
    session: Database,
    target: ChangeTarget,
    response: Response,
) -> StepResponse:
    """Undo the last step; 409 when there is nothing to undo."""
    label = history.undo_step(session, target)
    project = history.get_project(session, target.user_id, target.project_id)
    return StepResponse(project=tagged_details(session, project, response), label=label)


@router.post("/{project_id}/redo", responses=CHANGE_RESPONSES)
def redo(
    session: Database,
    target: ChangeTarget,
    response: Response,
) -> StepResponse:
    """Redo the step that was undone last; 409 when there is nothing to redo."""
    label = history.redo_step(session, target)
    project = history.get_project(session, target.user_id, target.project_id)
    return StepResponse(project=tagged_details(session, project, response), label=label)
