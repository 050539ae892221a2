"""/api/projects/{id}/compare, card, doctor: a project and its files on the card."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Response, status
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.routes.imports import HashedFile
from sp404_app.api.routes.projects import CHANGE_RESPONSES, ChangeTarget, tagged_details
from sp404_app.services.cards import card_records, doctor_fixes, imports
from sp404_app.services.cards.card_comparison import CardChange
from sp404_app.services.cards.doctor import BankSize, Problem
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.projects import history
from sp404_app.services.projects.schemas import ProjectDetails

router = APIRouter(prefix="/projects", tags=["cards"])

ProblemId = Annotated[str, Field(max_length=1_100)]


class CompareRequest(BaseModel):
    """The import that lists the card's files, and what would be written."""

    model_config = ConfigDict(extra="forbid")

    import_id: uuid.UUID
    device: Literal["mk2", "sx", "import"]
    place: Literal["import", "export"] | None = None
    slot: Annotated[int, Field(ge=1, le=16)] | None = None


class CompareResponse(BaseModel):
    """What writing changes on the card. Files that are not listed stay as they are."""

    changes: list[CardChange]


class CardRequest(BaseModel):
    """The files of the project on its card."""

    files: Annotated[list[HashedFile], Field(max_length=imports.MAX_FILES)]


class DoctorResponse(BaseModel):
    """What is wrong with a project, and its size by bank in bytes of 16-bit audio."""

    problems: list[Problem]
    banks: list[BankSize]
    bytes: int
    device_bytes: int


class FixRequest(BaseModel):
    """The problems to mend."""

    model_config = ConfigDict(extra="forbid")

    problem_ids: Annotated[list[ProblemId], Field(max_length=doctor_fixes.MAX_FIXES)]


class FixResponse(BaseModel):
    """The project, and the ids of the problems that were mended."""

    project: ProjectDetails
    fixed: list[str]


@router.post("/{project_id}/compare", responses={409: CHANGE_RESPONSES[409]})
def compare(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, request: CompareRequest
) -> CompareResponse:
    """Compare the card as it was, as it is, and as the export would write it.

    409 if the project was not exported since its last change.
    """
    target = parse_target(request.device, request.place, request.slot)
    changes = card_records.compare(session, user_id, project_id, request.import_id, target)
    return CompareResponse(changes=changes)


@router.put("/{project_id}/card", status_code=status.HTTP_204_NO_CONTENT)
def record_card(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, request: CardRequest
) -> None:
    """Record the files on the card after they were written and verified."""
    files = [ListedFile(each.path, each.bytes, each.sha256) for each in request.files]
    card_records.record_card(session, user_id, project_id, files)


@router.get("/{project_id}/doctor")
def check_project(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, response: Response
) -> DoctorResponse:
    """Check a project and its files on the card. The ETag is the project's revision."""
    found = doctor_fixes.check_project(session, user_id, project_id)
    response.headers["ETag"] = f'"{found.revision}"'
    return DoctorResponse(
        problems=found.problems,
        banks=found.banks,
        bytes=found.bytes,
        device_bytes=found.device_bytes,
    )


@router.post("/{project_id}/doctor/fix", responses=CHANGE_RESPONSES)  # noqa: FAST003 - in `target`
def fix_problems(
    session: Database, target: ChangeTarget, request: FixRequest, response: Response
) -> FixResponse:
    """Mend problems: one step of undo history; problems that no click can mend are left out."""
    fixed = doctor_fixes.fix_problems(session, target, request.problem_ids)
    project = history.get_project(session, target.user_id, target.project_id)
    return FixResponse(
        project=tagged_details(session, project, response), fixed=[each.id for each in fixed]
    )
