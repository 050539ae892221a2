"""How many bytes of 16-bit audio pads take on the device."""

from typing import Any

from sqlalchemy import BigInteger, case, cast
from sqlmodel import col, func

from sp404_app.models import ProjectPad, Sample

BYTES_PER_MONO_FRAME = 2
BYTES_PER_STEREO_FRAME = 4


def pad_bytes(row: ProjectPad, sample: Sample | None) -> int | None:
    """Return the size of a pad's audio; None without a sample, or while its length is unknown."""
    if row.frames is None or sample is None:
        return None
    channels = (row.edit or {}).get("channels", "keep")
    is_mono = channels != "keep" or sample.channels == 1
    return row.frames * (BYTES_PER_MONO_FRAME if is_mono else BYTES_PER_STEREO_FRAME)


def total_bytes() -> Any:
    """Return the SQL sum of `pad_bytes` over pads, outer-joined with their samples."""
    channels = func.coalesce(col(ProjectPad.edit)["channels"].astext, "keep")
    frame = case(
        (col(Sample.id).is_(None), 0),
        (channels != "keep", BYTES_PER_MONO_FRAME),
        (col(Sample.channels) == 1, BYTES_PER_MONO_FRAME),
        else_=BYTES_PER_STEREO_FRAME,
    )
    size = func.coalesce(col(ProjectPad.frames), 0) * cast(frame, BigInteger)
    return func.coalesce(func.sum(size), 0)
