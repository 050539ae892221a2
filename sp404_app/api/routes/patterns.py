"""/api/projects/{id}/patterns: patterns of a project that was read from a card."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import CurrentUser, Database
from sp404_app.services.cards import patterns
from sp404_app.services.cards.patterns import PatternDetails, PatternView

router = APIRouter(prefix="/projects/{project_id}/patterns", tags=["projects"])

MIDI_TYPE = "audio/midi"
PatternNumber = Annotated[
    int, Path(ge=1, le=160, description="The number in the name of the pattern's file.")
]


class PatternList(BaseModel):
    """The patterns of a project, by number."""

    patterns: list[PatternView]


@router.get("")
def list_patterns(session: Database, user_id: CurrentUser, project_id: uuid.UUID) -> PatternList:
    """List the patterns, without notes; one that cannot be read says why in `problem`."""
    return PatternList(patterns=patterns.list_patterns(session, user_id, project_id))


@router.get(
    "/{number}.mid",
    response_class=Response,
    responses={200: {"content": {MIDI_TYPE: {}}}},
)
def get_pattern_midi(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, number: PatternNumber
) -> Response:
    """Return a pattern as Standard MIDI File: format 1, a track for each bank, 480 PPQ."""
    midi = patterns.export_midi(session, user_id, project_id, number)
    headers = attachment(midi.name) | {"Cache-Control": "private, no-store"}
    return Response(midi.data, media_type=MIDI_TYPE, headers=headers)


@router.get("/{number}")
def get_pattern(
    session: Database, user_id: CurrentUser, project_id: uuid.UUID, number: PatternNumber
) -> PatternDetails:
    """Return a pattern with its notes."""
    return patterns.get_pattern(session, user_id, project_id, number)
