"""/api/samples/export: the values of all samples, or of a search, as CSV or JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import CurrentUser
from sp404_app.api.middleware.sample_list import sample_filters
from sp404_app.db import transaction
from sp404_app.services.library import library_export, search
from sp404_app.services.library.library_export import ExportFormat

router = APIRouter(prefix="/samples", tags=["samples"])


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/json": {}}}},
)
def export_samples(
    user_id: CurrentUser,
    query: Annotated[search.SampleQuery, Depends(sample_filters)],
    format: ExportFormat = ExportFormat.CSV,  # noqa: A002 - the contract's name
) -> StreamingResponse:
    """Return all values of the samples that a search finds, in its order; without one, of all."""
    with transaction() as session:
        ids = search.search_ids(session, user_id, query)
    found = library_export.export_samples(user_id, ids, format)
    headers = attachment(found.filename) | {"Cache-Control": "private, no-store"}
    return StreamingResponse(found.content, headers=headers, media_type=found.media_type)
