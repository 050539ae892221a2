"""Exports of projects: pre-flight, the job that makes one, and its archive, manifest and files."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.services.cards import preflight
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.preflight import Preflight

router = APIRouter(tags=["exports"])

ExportDevice = Literal["mk2", "sx", "import"]


@router.get("/projects/{project_id}/preflight")
def get_preflight(
    session: Database,
    user_id: CurrentUser,
    project_id: uuid.UUID,
    device: Annotated[ExportDevice, Query()] = "mk2",
) -> Preflight:
    """Return what an export would change, warn of and refuse, pad by pad."""
    return preflight.get_preflight(session, user_id, project_id, parse_target(device))
