"""The bytes of a sound: audio in ranges, the original to keep, and its waveform."""

import re
import uuid
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser
from sp404_app.audio.io.decode import Header, playable_in_browsers
from sp404_app.db import transaction
from sp404_app.models import Sample
from sp404_app.services.infra import storage
from sp404_app.services.library import samples
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
# The bytes behind an id never change; only this person's browser may keep them.
CACHE = {"Cache-Control": "private, max-age=86400"}


class WaveformView(BaseModel):
    """The lowest and highest value (-1..1) of equal stretches between start and end (s)."""

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
    """Stream the original, an Ogg preview, or (`play`) whichever of them browsers can play."""
    with transaction() as session:
        sample = samples.get(session, user_id, sample_id)
        if format == "original" or (format == "play" and _plays(sample)):
            key, media_type = sample.storage_key, media_type_of(sample.format)
        else:
            key, media_type = previews.key_of(session, sample), "audio/ogg"
    return ranged(request, key, media_type, CACHE | {"ETag": f'"{sample.digest[:32]}-{format}"'})


@router.get("/{sample_id}/download")
def download(request: Request, user_id: CurrentUser, sample_id: uuid.UUID) -> Response:
    """Return the original file, untouched, under its own name."""
    with transaction() as session:
        sample = samples.get(session, user_id, sample_id)
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", sample.filename)
    encoded = quote(sample.filename, safe="")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    return ranged(
        request,
        sample.storage_key,
        media_type_of(sample.format),
        {"Content-Disposition": disposition, "Cache-Control": "private, no-store"},
    )


@router.get("/{sample_id}/waveform")
def get_waveform(
    user_id: CurrentUser,
    sample_id: uuid.UUID,
    points: Annotated[int, Query(ge=1, le=4000)] = 600,
    start: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    end: Annotated[float | None, Query(ge=0, le=1e6)] = None,
) -> WaveformView:
    """Return the peaks of a stretch, from whole minutes down to single periods."""
    with transaction() as session:
        found = waveforms.between(session, user_id, sample_id, start, end, points)
    pairs = [(round(float(low), 4), round(float(high), 4)) for low, high in found.points]
    return WaveformView(start=found.start, end=found.end, duration=found.duration, points=pairs)


def _plays(sample: Sample) -> bool:
    """Say whether browsers play the original."""
    header = Header(
        duration=sample.duration or 0.0,
        frames=0,
        sample_rate=sample.sample_rate or 0,
        channels=sample.channels or 0,
        format=sample.format,
    )
    return not sample.preview_key and playable_in_browsers(header)


def media_type_of(audio_format: str) -> str:
    """Return the media type of a format such as "WAV 24-bit"."""
    return MEDIA_TYPES.get(audio_format.split(maxsplit=1)[0].upper(), "application/octet-stream")


def ranged(request: Request, key: str, media_type: str, headers: dict[str, str]) -> Response:
    """Answer with an object or the one range of it that was asked for (RFC 9110 §14)."""
    if "ETag" in headers and request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    size = storage.size_of(key)
    asked = span(request.headers.get("range", ""), size)
    if "if-range" in request.headers and request.headers["if-range"] != headers.get("ETag"):
        asked = None
    start, end = asked or (0, size)
    if asked and start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = headers | {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    body: Iterator[bytes] = storage.stream(key, start, end)
    return StreamingResponse(body, 206 if asked else 200, headers, media_type)


def span(asked: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last of a range; empty if it lies outside.

    None stands for the whole: nothing was asked, or something that is no single range, which
    the standard wants ignored.
    """
    found = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", asked.strip())
    if not found or not any(found.groups()):
        return None
    first, last = (int(part[:18]) if part else None for part in found.groups())
    if first is None:
        return max(0, size - (last or 0)), size
    if last is not None and last < first:
        return None
    return first, size if last is None else min(size, last + 1)
