"""Fades, and the gain that an edit asks for: peak or loudness, and a fixed gain."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.loudness import LoudnessMeter
from sp404_app.audio.render.edit import Edit, Normalise
from sp404_app.audio.render.frame_store import FrameStore

Samples = npt.NDArray[np.float64]  # (frames, channels)

CEILING_DBFS: Final = -0.1
METER_FRAMES: Final = 65_536  # per block; the rounding of the meter depends on it
LOUDNESS_DIGITS: Final = 3  # of LU; coarser than the rounding of single precision


def decibels_to_ratio(decibels: float) -> float:
    """Return the amplitude ratio of a level difference in dB."""
    return 10.0 ** (decibels / 20)


CEILING: Final = decibels_to_ratio(CEILING_DBFS)


def fade_blocks(blocks: Iterator[Samples], frames: int, rate: int, edit: Edit) -> Iterator[Samples]:
    """Apply linear fades to a sound of `frames` frames; fades longer than the sound are cut."""
    fade_in = min(frames, round(edit.fade_in * rate))
    fade_out = min(frames, round(edit.fade_out * rate))
    if not fade_in and not fade_out:
        yield from blocks
        return
    at = 0
    for block in blocks:
        index = np.arange(at, at + len(block))
        at += len(block)
        faded = block
        if index[0] < fade_in:
            faded = faded * np.minimum(index / fade_in, 1.0)[:, None]
        if at > frames - fade_out:
            faded = faded * np.minimum((frames - 1 - index) / fade_out, 1.0)[:, None]
        yield faded


def required_gain(store: FrameStore, rate: int, copies: int, edit: Edit) -> float:
    """Return the linear gain of `normalise` and `gain_db` for a stored sound at `rate` Hz.

    Silence has no level to normalise.
    """
    gain = decibels_to_ratio(edit.gain_db)
    if edit.normalise is None:
        return gain
    return gain * normalising_gain(store, rate, copies, edit.normalise)


def normalising_gain(store: FrameStore, rate: int, copies: int, wanted: Normalise) -> float:
    """Return the linear gain that brings a stored sound to a level."""
    if wanted.to == "peak":
        peak = measure_peak(store)
        return decibels_to_ratio(min(wanted.value, CEILING_DBFS)) / peak if peak > 0 else 1.0
    loudness = measure_loudness(store, rate, copies)
    return 1.0 if loudness is None else decibels_to_ratio(wanted.value - loudness)


def measure_peak(store: FrameStore) -> float:
    """Return the magnitude of the highest sample."""
    peaks = (max(float(block.max()), -float(block.min())) for block in stored_blocks(store))
    return max(peaks, default=0.0)


def measure_loudness(store: FrameStore, rate: int, copies: int) -> float | None:
    """Return the integrated loudness in LUFS; with two copies, that of both channels."""
    meter = LoudnessMeter(rate, store.channels)
    scale = np.float32(np.sqrt(copies))  # two equal channels have twice the power of one
    for block in stored_blocks(store):
        meter.feed(np.ascontiguousarray(block.T) * scale)
    loudness = meter.integrated()
    return None if loudness is None else round(loudness, LOUDNESS_DIGITS)


def stored_blocks(store: FrameStore) -> Iterator[npt.NDArray[np.float32]]:
    """Yield all frames of a store."""
    for at in range(0, store.frames, METER_FRAMES):
        yield store.read(at, METER_FRAMES)
