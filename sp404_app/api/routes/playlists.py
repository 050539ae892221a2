"""/api/collections/{id}/playlist.m3u8: a collection as a playlist."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from sp404_app.api.attachment import attachment
from sp404_app.api.deps import CurrentUser, Database
from sp404_app.services.cards import playlists
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import (
    DEFAULT_TEMPLATE,
    MAX_TEMPLATE_LENGTH,
    parse_template,
)

router = APIRouter(prefix="/collections", tags=["collections"])

MEDIA_TYPE = "audio/x-mpegurl"


@router.get(
    "/{collection_id}/playlist.m3u8",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}},
)
def get_playlist(
    session: Database,
    user_id: CurrentUser,
    collection_id: uuid.UUID,
    wanted: Annotated[DownloadFormat, Query(alias="as")] = DownloadFormat.WAV,
    template: Annotated[str, Query(max_length=MAX_TEMPLATE_LENGTH)] = DEFAULT_TEMPLATE,
    *,
    folders: bool = False,
) -> Response:
    """Return the playlist of a collection, in its order.

    Its files have the names that `convert` of `POST /api/samples/bulk` gives them with the same
    format, template and folders; the archive contains the same playlist.
    """
    found = playlists.collection_playlist(
        session, user_id, collection_id, wanted, parse_template(template), folders=folders
    )
    headers = attachment(found.filename) | {"Cache-Control": "private, no-store"}
    return Response(found.write_text().encode(), headers=headers, media_type=MEDIA_TYPE)
