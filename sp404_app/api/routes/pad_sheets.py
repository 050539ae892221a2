"""/api/projects/{id}/sheet: the pads of a project to print, as PDF or PNG."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Literal

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from fastapi import APIRouter
from fastapi.responses import Response

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.projects import BankLetter
from sp404_app.db import in_transaction
from sp404_app.services.cards import pad_sheet
from sp404_app.services.cards.pad_sheet_pdf import draw_pdf
from sp404_app.services.cards.pad_sheet_png import draw_png

router = APIRouter(prefix="/projects/{project_id}", tags=["projects"])

MAX_DRAWERS = 2  # at a time in this web process; a PNG takes 40 MB while it is drawn
MEDIA_TYPES = {"pdf": "application/pdf", "png": "image/png"}
drawer_limiter: RunVar[CapacityLimiter] = RunVar("sheet_drawers")


@router.get(
    "/sheet",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in MEDIA_TYPES.values()}}},
)
async def get_sheet(
    user_id: CurrentUser,
    project_id: uuid.UUID,
    format: Literal["pdf", "png"] = "pdf",  # noqa: A002 - the contract's name
    bank: BankLetter | None = None,
) -> Response:
    """Return the pad sheet: a PDF of one bank or of all banks with pads, or a PNG of one bank.

    A PNG without `bank` shows the first bank with pads. The same project gives the same bytes.
    """
    sheet = await in_transaction(pad_sheet.load_sheet, user_id, project_id)
    letter = bank or ("" if format == "pdf" else sheet.printed_banks()[0].letter)
    draw = draw_pdf if format == "pdf" else draw_png
    content = await _run_drawer(partial(draw, sheet, letter))
    named = f"{sheet.project} pads {letter}".strip()
    headers = attachment(f"{named}.{format}") | {"Cache-Control": "private, no-store"}
    return Response(content, media_type=MEDIA_TYPES[format], headers=headers)


async def _run_drawer(draw: Callable[[], bytes]) -> bytes:
    """Draw in a thread, at most `MAX_DRAWERS` at a time; requests that wait occupy no thread."""
    try:
        limiter = drawer_limiter.get()
    except LookupError:
        limiter = CapacityLimiter(MAX_DRAWERS)
        drawer_limiter.set(limiter)
    return await to_thread.run_sync(draw, limiter=limiter)
