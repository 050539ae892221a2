"""/api/conversions: archives of converted samples, with Range requests."""

import uuid

from fastapi import APIRouter, Request
from fastapi.responses import Response

from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.media import attachment
from sp404_app.db import transaction
from sp404_app.services.cards import conversions

router = APIRouter(prefix="/conversions", tags=["samples"])


@router.get("/{job_id}")
def download_archive(request: Request, user_id: CurrentUser, job_id: uuid.UUID) -> Response:
    """Return the archive that a job of `POST /api/samples/bulk` has made; kept for two days."""
    with transaction() as session:
        file = conversions.find_archive(session, user_id, job_id)
    return attachment(request, file)
