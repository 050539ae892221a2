"""Waveform peaks of a stretch of a sample, at the resolution of the screen."""

import uuid
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from sqlmodel import Session, select

from sp404_app.audio.io import decode
from sp404_app.audio.io.peaks import Peaks, compute_peaks
from sp404_app.errors import NotFound
from sp404_app.models import Sample, Waveform
from sp404_app.services.infra import storage
from sp404_app.services.library import samples


@dataclass(frozen=True, slots=True)
class WaveformStretch:
    """Peaks between `start` and `end` seconds: float32 (n, 2), minimum and maximum in -1..1."""

    start: float
    end: float
    duration: float
    points: npt.NDArray[np.float32]


def waveform_of_stretch(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    start: float,
    end: float | None,
    points: int,
) -> WaveformStretch:
    """Return the peaks of a stretch in `points` intervals.

    They come from the stored peaks or, where those are too coarse, from the decoded file.

    Raises:
        NotFound: If the sample is not the user's, or has no waveform yet.
    """
    sample = samples.get_sample(session, user_id, sample_id)
    peaks = _unpacked(stored_peaks(session, user_id, sample_id))
    duration = peaks.duration
    start = min(max(0.0, start), duration)  # in this order, NaN becomes 0
    end = duration if end is None else min(max(start, end), duration)
    points = max(1, points)
    if (end - start) * peaks.sample_rate >= points * peaks.base or end <= start:
        return WaveformStretch(start, end, duration, peaks.window(start, end, points))
    return WaveformStretch(start, end, duration, _decoded_peaks(sample, start, end, points))


def stored_peaks(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> bytes:
    """Return the stored peaks of a user's sample.

    Raises:
        NotFound: If there are none (yet).
    """
    found = session.exec(
        select(Waveform.peaks).where(Waveform.sample_id == sample_id, Waveform.user_id == user_id)
    ).first()
    if found is None:
        raise NotFound("This sample has no waveform yet.")
    return found


def _decoded_peaks(
    sample: Sample, start: float, end: float, points: int
) -> npt.NDArray[np.float32]:
    with storage.local_copy(sample.storage_key) as path:
        signal, rate = decode.decode_segment(path, start, end)
    return compute_peaks(signal, rate, max(1, min(points, len(signal))))


@lru_cache(maxsize=16)
def _unpacked(packed: bytes) -> Peaks:
    return Peaks.from_bytes(packed)
