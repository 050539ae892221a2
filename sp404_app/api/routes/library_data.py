"""/api/samples/export, /import-csv, /map and /names: values and places of many samples."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, UploadFile
from fastapi.responses import StreamingResponse

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import CurrentUser, Database
from sp404_app.api.middleware.sample_list import sample_filters
from sp404_app.db import transaction
from sp404_app.errors import TooLarge
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.library import (
    csv_import,
    csv_table,
    library_export,
    map_points,
    offline_names,
    search,
)
from sp404_app.services.library.csv_import import ImportReport
from sp404_app.services.library.library_export import ExportFormat
from sp404_app.services.library.map_points import MapPoints
from sp404_app.services.library.offline_names import OfflineNames

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


@router.get("/map")
def get_map(
    session: Database,
    user_id: CurrentUser,
    query: Annotated[search.SampleQuery, Depends(sample_filters)],
) -> MapPoints:
    """Return the places of the analysed samples that a search finds, at most the newest 20,000.

    Sounds that are near each other sound alike. A place depends on that sound alone, so the map
    does not move when sounds are added.
    """
    return map_points.load_map_points(session, user_id, query)


@router.get("/names")
def get_names(session: Database, user_id: CurrentUser) -> OfflineNames:
    """Return name, tempo and key of the newest 200 samples, which browsers keep for offline use."""
    return offline_names.list_offline_names(session, user_id)


@router.post("/import-csv")
def import_csv(
    session: Database,
    user_id: CurrentUser,
    file: Annotated[UploadFile, File()],
    *,
    preview: bool = False,
) -> ImportReport:
    """Import tags, rating, favourite, bpm, key and note from a CSV file; all rows or none.

    A row names its sample by the column id, filename or name. Empty cells change nothing, tags
    replace those of the sample. With `preview`, nothing is changed, and the answer says what would
    be, which rows name no sample or several, and which values are faulty.
    """
    content = file.file.read(csv_table.MAX_CSV_BYTES + 1)
    if len(content) > csv_table.MAX_CSV_BYTES:
        raise TooLarge(f"This file is larger than {format_size(csv_table.MAX_CSV_BYTES)}.")
    table = csv_table.read_table(content)
    return csv_import.import_table(session, user_id, table, preview=preview)
