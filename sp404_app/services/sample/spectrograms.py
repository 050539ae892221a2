"""Pictures of a stretch of a sample, kept for a while: the bytes behind a key never change."""

import uuid
from functools import lru_cache
from typing import Final

import numpy as np
from sqlmodel import Session

from sp404_app.audio.dsp import spectrogram
from sp404_app.audio.dsp.spectrogram import Picture, View
from sp404_app.audio.io import decode
from sp404_app.errors import NotFound
from sp404_app.services.infra import storage
from sp404_app.services.library import samples

WIDEST: Final = 60.0  # seconds in one picture: more would not fit into memory lightly
NARROWEST: Final = 0.05


def stretch(duration: float, start: float, end: float) -> tuple[float, float]:
    """Return the part of a sound that a picture of `start` to `end` seconds shows."""
    start = min(max(0.0, start), duration)
    end = min(max(end, start + NARROWEST), duration, start + WIDEST)
    return max(0.0, min(start, end - NARROWEST)), end


def key_of(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> tuple[str, float]:
    """Return where a person's sample lies in the store, and its length in seconds.

    Raises:
        NotFound: If it is not theirs, or was not measured yet.
    """
    sample = samples.get(session, user_id, sample_id)
    if not sample.duration:
        raise NotFound("This sample has no sound to draw yet.")
    return sample.storage_key, sample.duration


@lru_cache(maxsize=24)
def draw_spectrogram(key: str, view: View, start: float, end: float) -> Picture:
    """Decode a stretch and draw it; takes tenths of a second, so call it in a thread.

    Raises:
        BadAudio: If the sound cannot be decoded.
        NotFound: If the file is missing, or holds nothing there.
    """
    with storage.local_copy(key) as path:
        frames, rate = decode.segment(path, start, end)
    if not len(frames):
        raise NotFound("There is no sound here.")
    mono = np.ascontiguousarray(frames.mean(axis=1), dtype=np.float32)
    return spectrogram.picture(view, mono, rate, start)
