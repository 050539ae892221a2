"""/api/projects/{id}: arrange and level a bank, suggest and swap sounds, chop a pad."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.routes.pads import PathPosition, find_position
from sp404_app.api.routes.projects import (
    CHANGE_RESPONSES,
    BankLetter,
    ChangeTarget,
    tagged_details,
)
from sp404_app.audio.features.chops import MAX_CHOPS
from sp404_app.services.library.schemas import SampleView, sample_view
from sp404_app.services.projects import arrangement, chopping, levels, pads
from sp404_app.services.projects.kit import parse_bank
from sp404_app.services.projects.schemas import PadView, ProjectDetails, pad_details
from sp404_app.services.projects.similar_swap import swap_similar
from sp404_app.services.projects.suggestions import MAX_SUGGESTIONS, suggest

router = APIRouter(prefix="/projects/{project_id}", tags=["pads"])

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ArrangeRequest(BaseModel):
    """The bank to arrange, and samples to put on its free pads."""

    model_config = ConfigDict(extra="forbid")

    bank: BankLetter
    by: Literal["kind", "key", "tempo", "name"]
    sample_ids: list[uuid.UUID] = Field(default_factory=list, max_length=pads.MAX_FILL)


class ArrangeResponse(BaseModel):
    """The project, and the samples that did not fit in the bank."""

    project: ProjectDetails
    not_placed: list[uuid.UUID]


class SuggestionView(BaseModel):
    """A sample that fits the pad, and why, in words."""

    sample: SampleView
    reason: str


class SuggestionList(BaseModel):
    """Samples that fit the pad, the best first."""

    suggestions: list[SuggestionView]


class LevelRequest(BaseModel):
    """The level of all pads, in dBFS or LUFS. Without a value it is −1 dBFS, or chosen by us."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["peak", "lufs"]
    value: Annotated[float, Field(ge=-60, le=0, allow_inf_nan=False)] | None = None


class LevelResponse(BaseModel):
    """The project, and the level in dBFS or LUFS that its pads now have."""

    project: ProjectDetails
    value: float


class ChopRequest(BaseModel):
    """How to chop a pad: sensitivity is for transients, from strong hits (0) to all (1)."""

    model_config = ConfigDict(extra="forbid")

    by: Literal["transients", "grid", "equal"]
    parts: Annotated[int, Field(ge=chopping.MIN_PARTS, le=MAX_CHOPS, strict=True)] | None = None
    sensitivity: Share = 0.5
    to: Literal["markers", "pads"] = "markers"


class ChopResponse(BaseModel):
    """The project, the pads that were filled ("A2"), and how many parts found no free pad."""

    project: ProjectDetails
    filled: list[str]
    not_placed: int


class SwapRequest(BaseModel):
    """1 for the next similar sound, -1 for the previous; send the anchor of the last response."""

    model_config = ConfigDict(extra="forbid")

    step: Literal[1, -1]
    anchor_id: uuid.UUID | None = None


class SwapResponse(BaseModel):
    """The pad, the anchor for the next request, and the place among the similar sounds.

    The anchor itself has the index 0.
    """

    pad: PadView
    anchor_id: uuid.UUID
    index: int
    count: int


@router.post("/arrange", responses=CHANGE_RESPONSES)
def arrange_bank(
    session: Database, target: ChangeTarget, request: ArrangeRequest, response: Response
) -> ArrangeResponse:
    """Arrange a bank by kind, key, tempo or name. Samples that are given go on its free pads."""
    bank = parse_bank(request.bank)
    done = arrangement.arrange(session, target, bank, request.by, request.sample_ids)
    return ArrangeResponse(
        project=tagged_details(session, done.project, response), not_placed=done.not_placed
    )


@router.get("/suggestions")
def list_suggestions(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    bank: BankLetter,
    pad: Annotated[int, Query(ge=1, le=16)],
    limit: Annotated[int, Query(ge=1, le=MAX_SUGGESTIONS)] = MAX_SUGGESTIONS,
) -> SuggestionList:
    """Suggest samples for a pad that fit the others of its bank, each with a reason."""
    at = find_position(session, user_id, project_id, bank, pad)
    found = suggest(session, user_id, project_id, at, limit)
    return SuggestionList(
        suggestions=[
            SuggestionView(sample=sample_view(each.sample), reason=each.reason) for each in found
        ]
    )


@router.post("/banks/{bank}/level", responses=CHANGE_RESPONSES)
def level_bank(
    session: Database, target: ChangeTarget, bank: str, request: LevelRequest, response: Response
) -> LevelResponse:
    """Normalise all pads of a bank to the same peak or loudness."""
    done = levels.level_bank(session, target, parse_bank(bank), request.to, request.value)
    return LevelResponse(project=tagged_details(session, done.project, response), value=done.value)


@router.post("/pads/{bank}/{pad}/chop", responses=CHANGE_RESPONSES)  # noqa: FAST003 - in `at`
def chop_pad(
    session: Database,
    target: ChangeTarget,
    at: PathPosition,
    request: ChopRequest,
    response: Response,
) -> ChopResponse:
    """Chop a pad at its hits, in equal parts or on its beats.

    To markers, `If-Match` is the revision of the pad; to pads, which fills the free pads after it,
    that of the project.
    """
    method = chopping.Method(request.by, request.parts, request.sensitivity)
    done = chopping.chop(session, target, at, method, request.to)
    return ChopResponse(
        project=tagged_details(session, done.project, response),
        filled=[str(each) for each in done.filled],
        not_placed=done.not_placed,
    )


@router.post("/pads/{bank}/{pad}/swap", responses=CHANGE_RESPONSES)  # noqa: FAST003 - in `at`
def swap_pad(
    session: Database,
    target: ChangeTarget,
    at: PathPosition,
    request: SwapRequest,
    response: Response,
) -> SwapResponse:
    """Replace the pad's sample by the next or previous similar one; settings and edit stay.

    `If-Match` is the revision of the pad.
    """
    done = swap_similar(session, target, at, request.step, request.anchor_id)
    found = pad_details(session, done.project, at)
    assert found is not None  # written by this transaction
    response.headers["ETag"] = f'"{found.revision}"'
    return SwapResponse(pad=found, anchor_id=done.anchor_id, index=done.index, count=done.count)
