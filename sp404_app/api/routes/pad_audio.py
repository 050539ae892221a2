"""/api/projects/{id}/pads/{bank}/{pad}/audio: the rendered audio of a pad, with Range requests."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.api.routes.media import range_response
from sp404_app.api.routes.pads import find_position
from sp404_app.db import transaction
from sp404_app.errors import BadAudio, NotFound
from sp404_app.models import ProjectPad
from sp404_app.services.infra import render_files
from sp404_app.services.library.schemas import job_view
from sp404_app.services.processing import jobs
from sp404_app.services.projects import history, renders
from sp404_app.services.projects.schemas import samples_of_pads

router = APIRouter(prefix="/projects/{project_id}", tags=["pads"])

# With `v` the address names the bytes, so they never change; without it the browser must ask.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
ASK = {"Cache-Control": "private, no-cache"}


class PadWaveformView(BaseModel):
    """Minimum and maximum (-1..1) of equal intervals between the frames `first` and `last`."""

    first: int
    last: int
    points: list[tuple[float, float]]


@router.get("/pads/{bank}/{pad}/audio", responses={202: {"model": JobResponse}})
def get_pad_audio(  # opens its own transaction, which ends before the bytes are sent
    request: Request, user_id: CurrentUser, project_id: uuid.UUID, bank: str, pad: int, v: str = ""
) -> Response:
    """Return the pad's audio, exactly as it is exported: 16-bit WAV at the project's rate.

    While it is made, the answer is 202 with the job. `v` is the render's key; with the current one
    the answer may be cached for ever.
    """
    with transaction() as session:
        status = _render_of(session, user_id, project_id, bank, pad)
        if not status.is_ready:
            return _unfinished(session, user_id, status)
    headers = {"ETag": f'"{status.key}"'} | (FOREVER if v == status.key else ASK)
    file_key = render_files.render_file_key(user_id, status.key)
    try:
        return range_response(request, file_key, "audio/wav", headers)
    except NotFound:  # somebody emptied the cache
        with transaction() as session:
            renders.forget_render(session, user_id, status.key)
            status = _render_of(session, user_id, project_id, bank, pad)
            return _unfinished(session, user_id, status)


@router.get(
    "/pads/{bank}/{pad}/waveform",
    response_model=PadWaveformView,
    responses={202: {"model": JobResponse}},
)
def get_pad_waveform(
    user_id: CurrentUser,
    project_id: uuid.UUID,
    bank: str,
    pad: int,
    points: Annotated[int, Query(ge=1, le=4000)] = 600,
    first: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    last: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
) -> PadWaveformView | Response:
    """Return the waveform of the pad's audio between two frames; 202 while it is made."""
    with transaction() as session:
        status = _render_of(session, user_id, project_id, bank, pad)
        try:
            found = renders.waveform_of_render(session, user_id, status.key, first, last, points)
        except NotFound:  # somebody emptied the cache
            renders.forget_render(session, user_id, status.key)
            status, found = _render_of(session, user_id, project_id, bank, pad), None
        if found is None:
            return _unfinished(session, user_id, status)
    pairs = [(round(float(low), 4), round(float(high), 4)) for low, high in found.points]
    return PadWaveformView(first=found.first, last=found.last, points=pairs)


def _render_of(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, bank: str, pad: int
) -> renders.RenderStatus:
    """Return the status of a pad's render; queue it if it does not exist.

    Raises:
        NotFound: If the pad is empty, or its sample was permanently deleted.
    """
    at = find_position(session, user_id, project_id, bank, pad)
    project = history.get_project(session, user_id, project_id)
    row = session.get(ProjectPad, (project_id, at.bank, at.pad))
    if row is None:
        raise NotFound(f"Pad {at} is empty.")
    samples = samples_of_pads(session, {at: row})
    status = renders.ensure_renders(session, project, {at: row}, samples).get(at)
    if status is None:
        raise NotFound("The sound of this pad was permanently deleted.")
    return status


def _unfinished(session: Session, user_id: uuid.UUID, status: renders.RenderStatus) -> JSONResponse:
    """Answer 202 with the job that renders.

    Raises:
        BadAudio: If the render failed.
    """
    if status.error or status.job_id is None:
        raise BadAudio(status.error)
    body = JobResponse(job=job_view(jobs.get_job(session, user_id, status.job_id)))
    return JSONResponse(body.model_dump(mode="json"), 202, {"Cache-Control": "no-store"})
