"""/api/projects/{id}/pads and banks: put samples on pads, change, fill, move and clear them."""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.routes.projects import (
    CHANGE_RESPONSES,
    BankLetter,
    ChangeTarget,
    Name,
    tagged_details,
)
from sp404_app.errors import NotFound
from sp404_app.models import Project
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.kit import PadPosition, parse_bank, parse_position
from sp404_app.services.projects.projects import device_of
from sp404_app.services.projects.schemas import PadView, ProjectDetails, pad_details

router = APIRouter(prefix="/projects/{project_id}", tags=["pads"])

PadNumber = Annotated[int, Field(ge=1, le=16, strict=True)]
Move = Literal["swap", "copy", "overwrite"]
Frame = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


def find_position(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, bank: str, pad: int
) -> PadPosition:
    """Return a pad's position.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        ValidationFailed: If its device has no such pad.
    """
    project = history.get_project(session, user_id, project_id)
    return parse_position(bank, pad, device_of(project))


PathPosition = Annotated[PadPosition, Depends(find_position)]


class PadChange(BaseModel):
    """What changes on a pad; omitted fields stay, `edit: null` removes the edit."""

    model_config = ConfigDict(extra="forbid")

    sample_id: uuid.UUID | None = None
    name: Name | None = None
    settings: dict[str, Any] | None = Field(None, max_length=60)
    edit: dict[str, Any] | None = Field(None, max_length=60)
    chops: list[Frame] | None = Field(None, max_length=pads.MAX_CHOPS)


class PadPlace(BaseModel):
    """A pad's place."""

    model_config = ConfigDict(extra="forbid")

    bank: BankLetter
    pad: PadNumber

    def position(self, session: Session, target: history.Target) -> PadPosition:
        """Return the position, if the project's device has this pad."""
        return find_position(session, target.user_id, target.project_id, self.bank, self.pad)


class FillRequest(PadPlace):
    """Samples for the empty pads from this one on."""

    sample_ids: list[uuid.UUID] = Field(max_length=pads.MAX_FILL)


class MovePadRequest(BaseModel):
    """Which pad goes where; "overwrite" leaves the first one empty."""

    model_config = ConfigDict(extra="forbid")

    source: PadPlace = Field(alias="from")
    to: PadPlace
    how: Move = "swap"


class MoveBankRequest(BaseModel):
    """Which bank goes where; "overwrite" leaves the first one empty."""

    model_config = ConfigDict(extra="forbid")

    source: BankLetter = Field(alias="from")
    to: BankLetter
    how: Move = "swap"


class FillResponse(BaseModel):
    """The project, the pads that were filled ("A1"), and the samples that did not fit."""

    project: ProjectDetails
    filled: list[str]
    not_placed: list[uuid.UUID]


@router.get("/pads/{bank}/{pad}")
def get_pad(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    at: PathPosition,
    response: Response,
) -> PadView:
    """Return one pad. The ETag is its revision; an empty pad is 404, with the revision 0."""
    project = history.get_project(session, user_id, project_id)
    found = pad_details(session, project, at)
    if found is None:
        raise NotFound(f"Pad {at} is empty.")
    response.headers["ETag"] = f'"{found.revision}"'
    return found


@router.put("/pads/{bank}/{pad}", responses=CHANGE_RESPONSES)
def set_pad(
    session: Database,
    target: ChangeTarget,
    at: PathPosition,
    change: PadChange,
    response: Response,
) -> PadView:
    """Put a sample on a pad, or change the pad. An empty pad has the revision 0."""
    is_edit_removed = "edit" in change.model_fields_set and change.edit is None
    wanted = pads.PadChange(
        sample_id=change.sample_id,
        name=change.name,
        settings=change.settings,
        edit={} if is_edit_removed else change.edit,
        chops=change.chops,
    )
    project = pads.set_pad(session, target, at, wanted)
    return _tagged_pad(session, project, at, response)


@router.delete(
    "/pads/{bank}/{pad}", status_code=status.HTTP_204_NO_CONTENT, responses=CHANGE_RESPONSES
)
def clear_pad(
    session: Database,
    target: ChangeTarget,
    at: PathPosition,
) -> None:
    """Empty a pad."""
    pads.clear_pad(session, target, at)


@router.post("/pads/fill", responses=CHANGE_RESPONSES)
def fill_pads(
    session: Database,
    target: ChangeTarget,
    request: FillRequest,
    response: Response,
) -> FillResponse:
    """Put samples on the empty pads from one on, over the banks; replaces nothing."""
    start = request.position(session, target)
    done = pads.fill(session, target, start, request.sample_ids)
    return FillResponse(
        project=tagged_details(session, done.project, response),
        filled=[str(at) for at in done.filled],
        not_placed=done.not_placed,
    )


@router.post("/pads/move", responses=CHANGE_RESPONSES)
def move_pad(
    session: Database,
    target: ChangeTarget,
    request: MovePadRequest,
    response: Response,
) -> ProjectDetails:
    """Swap two pads, copy one, or move one over the other."""
    source, goal = (each.position(session, target) for each in (request.source, request.to))
    project = pads.move(session, target, source, goal, request.how)
    return tagged_details(session, project, response)


@router.post("/banks/move", responses=CHANGE_RESPONSES)
def move_bank(
    session: Database,
    target: ChangeTarget,
    request: MoveBankRequest,
    response: Response,
) -> ProjectDetails:
    """Swap two banks with their pads, copy one, or move one over the other."""
    source, goal = parse_bank(request.source), parse_bank(request.to)
    project = pads.move_whole_bank(session, target, source, goal, request.how)
    return tagged_details(session, project, response)


@router.delete("/banks/{bank}", responses=CHANGE_RESPONSES)
def clear_bank(
    session: Database,
    target: ChangeTarget,
    bank: str,
    response: Response,
) -> ProjectDetails:
    """Empty all pads of a bank."""
    project = pads.clear_whole_bank(session, target, parse_bank(bank))
    return tagged_details(session, project, response)


def _tagged_pad(
    session: Database, project: Project, at: PadPosition, response: Response
) -> PadView:
    found = pad_details(session, project, at)
    assert found is not None  # written by this transaction
    response.headers["ETag"] = f'"{found.revision}"'
    return found
