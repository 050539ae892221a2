"""Routes of a sample's bytes: audio with Range requests, download and waveform."""

import re
import uuid
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser
from sp404_app.api.routes.jobs import JobResponse
from sp404_app.audio.io.decode import Header, playable_in_browsers
from sp404_app.db import transaction
from sp404_app.models import ProcessingJob, Sample
from sp404_app.services.cards import conversions, tagged_files
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
from sp404_app.services.library.schemas import job_view
from sp404_app.services.sample import previews, waveforms

router = APIRouter(prefix="/samples", tags=["audio"])

MEDIA_TYPES = {
    "WAV": "audio/wav",
    "FLAC": "audio/flac",
    "MP3": "audio/mpeg",
    "OGG": "audio/ogg",
    "OPUS": "audio/ogg",
    "M4A": "audio/mp4",
    "AIFF": "audio/aiff",
    "AIFC": "audio/aiff",
}
# The bytes behind an id never change. `private`: only the user's browser may cache them.
CACHE = {"Cache-Control": "private, max-age=86400"}


class WaveformView(BaseModel):
    """Minimum and maximum (-1..1) of equal intervals between `start` and `end` seconds."""

    start: float
    end: float
    duration: float
    points: list[tuple[float, float]]


@router.get("/{sample_id}/audio")
def get_audio(
    request: Request,
    user_id: CurrentUser,
    sample_id: uuid.UUID,
    format: Literal["original", "ogg", "play"] = "original",  # noqa: A002 - the contract's name
) -> Response:
    """Stream the original, its Ogg preview, or with `play` the one that browsers can play."""
    with transaction() as session:
        sample = samples.get_sample(session, user_id, sample_id)
        if format == "original" or (format == "play" and _is_playable(sample)):
            key, media_type = sample.storage_key, media_type_of(sample.format)
        else:
            key, media_type = previews.ensure_preview(session, sample), "audio/ogg"
    return range_response(
        request, key, media_type, CACHE | {"ETag": f'"{sample.digest[:32]}-{format}"'}
    )


@router.get("/{sample_id}/download", responses={202: {"model": JobResponse}})
def download(
    request: Request,
    user_id: CurrentUser,
    sample_id: uuid.UUID,
    wanted: Annotated[DownloadFormat | None, Query(alias="as")] = None,
    *,
    tags: bool = False,
) -> Response:
    """Return the unchanged original under its own name, or the sound in the format `as`.

    `mk2` is a WAV of 48 kHz and 16 bit, `sx` one of 44.1 kHz with the header of Roland's converter,
    `wav` and `flac` keep the rate and, as far as they can, the depth of the original. A long sound
    is converted by a job: then the answer is 202 with the job, until it is done.

    With `tags`, tempo, key and root note are written into the file's tags; its audio stays bit for
    bit. `X-Tags` is then `written`, or `unchanged` with the reason in `X-Tags-Note`.
    """
    with transaction() as session:
        sample = samples.get_sample(session, user_id, sample_id)
        if wanted is None:
            file = StoredFile(sample.storage_key, sample.filename, media_type_of(sample.format), "")
        else:
            found = conversions.find_or_convert(session, user_id, sample_id, wanted)
            if isinstance(found, ProcessingJob):
                return accepted(found)
            file = found
        tagged = tagged_files.find_or_write_tags(sample, file, wanted) if tags else None
    answer = attachment(request, tagged.file if tagged else file)
    if tagged:
        answer.headers["X-Tags"] = "unchanged" if tagged.note else "written"
        if tagged.note:
            answer.headers["X-Tags-Note"] = tagged.note
    return answer


@router.get("/{sample_id}/waveform")
def get_waveform(
    user_id: CurrentUser,
    sample_id: uuid.UUID,
    points: Annotated[int, Query(ge=1, le=4000)] = 600,
    start: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    end: Annotated[float | None, Query(ge=0, le=1e6)] = None,
) -> WaveformView:
    """Return the waveform peaks of a stretch, at any zoom."""
    with transaction() as session:
        found = waveforms.waveform_of_stretch(session, user_id, sample_id, start, end, points)
    pairs = [(round(float(low), 4), round(float(high), 4)) for low, high in found.points]
    return WaveformView(start=found.start, end=found.end, duration=found.duration, points=pairs)


def _is_playable(sample: Sample) -> bool:
    """Return whether browsers can play the original."""
    header = Header(
        duration=sample.duration or 0.0,
        frames=0,
        sample_rate=sample.sample_rate or 0,
        channels=sample.channels or 0,
        format=sample.format,
    )
    return not sample.preview_key and playable_in_browsers(header)


def accepted(job: ProcessingJob) -> JSONResponse:
    """Respond with 202 and the job that makes what was requested."""
    body = JobResponse(job=job_view(job))
    return JSONResponse(body.model_dump(mode="json"), 202, {"Cache-Control": "no-store"})


def attachment(request: Request, file: StoredFile) -> Response:
    """Respond with a file that the browser saves under its name."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", file.filename)
    encoded = quote(file.filename, safe="")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Cache-Control": "private, no-store",
    }
    if file.etag:
        headers |= {"ETag": f'"{file.etag}"', "Cache-Control": "private, no-cache"}
    return range_response(request, file.key, file.media_type, headers)


def media_type_of(audio_format: str) -> str:
    """Return the media type of a format such as "WAV 24-bit"."""
    return MEDIA_TYPES.get(audio_format.split(maxsplit=1)[0].upper(), "application/octet-stream")


def range_response(
    request: Request,
    key: str,
    media_type: str,
    headers: dict[str, str],
    part: tuple[int, int] | None = None,
) -> Response:
    """Respond with an object or one range of it (RFC 9110 §14).

    `part` is the offset and the size of what is served of the object; by default all of it.
    """
    if "ETag" in headers and request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    stored = storage.object_size(key)
    offset, size = part or (0, stored)
    wanted = parse_range(request.headers.get("range", ""), size)
    if "if-range" in request.headers and request.headers["if-range"] != headers.get("ETag"):
        wanted = None
    start, end = wanted or (0, size)
    if wanted and start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = headers | {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body: Iterator[bytes] = storage.stream_object(key, offset + start, offset + end)
    return StreamingResponse(body, 206 if wanted else 200, headers, media_type)


def parse_range(range_header: str, size: int) -> tuple[int, int] | None:
    """Parse a Range header into a half-open byte range, which is empty if it lies outside.

    Return None for the whole object: without a header, and for anything but a single valid
    range, which RFC 9110 says to ignore.
    """
    found = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", range_header.strip())
    if not found or not any(found.groups()):
        return None
    first, last = (int(part[:18]) if part else None for part in found.groups())
    if first is None:
        return max(0, size - (last or 0)), size
    if last is not None and last < first:
        return None
    return first, size if last is None else min(size, last + 1)
