"""Pictures of a sound: its spectrum, its pulse and its notes over time, as bytes 0..255.

Plain NumPy: a web process that draws them must not load a compiler first.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp import onset

Signal = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float32]

COLUMNS: Final = 512
POOL: Final = 4  # frames of which a column keeps the loudest, so that no hit is lost
BANDS: Final = 128
RANGE_DB: Final = 80.0
SPECTRUM_SIZE, NOTES_SIZE = 2048, 8192
LOWEST_HZ, HIGHEST_HZ = 30.0, 18_000.0
NOTES_HZ: Final = (55.0, 2000.0)
PULSE_BPM: Final = (40.0, 240.0)
PULSE_ROWS: Final = 96
PULSE_SECONDS: Final = 6.0
BLOCK: Final = 256  # frames transformed at once: a few megabytes


class View(StrEnum):
    """What a picture shows."""

    SPECTRUM = "spectrum"
    PULSE = "pulse"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Picture:
    """`pixels` has shape (rows, columns), lowest row first, over `start` to `end` seconds.

    `rows` holds what each row stands for: Hz, BPM, or a pitch class from C.
    """

    view: View
    start: float
    end: float
    rows: npt.NDArray[np.float32]
    pixels: Pixels


def picture(view: View, signal: Signal, sr: float, start: float) -> Picture:
    """Draw a mono signal at `sr` Hz that begins `start` seconds into its sound."""
    draw = {View.SPECTRUM: spectrum, View.PULSE: pulse, View.NOTES: notes}[view]
    rows, pixels = draw(signal, sr)
    return Picture(view, start, start + len(signal) / sr, rows, pixels)


def spectrum(signal: Signal, sr: float) -> tuple[Matrix, Pixels]:
    """Return the mel bands' centres (Hz) and their levels over the highest 80 dB."""
    weights = mel_weights(SPECTRUM_SIZE, sr)
    power = columns(signal, SPECTRUM_SIZE, weights, pool=POOL)
    level = 10 * np.log10(np.maximum(power, 1e-12) / max(float(power.max(initial=0.0)), 1e-12))
    if not power.any():
        level = np.full_like(power, -RANGE_DB)
    return mel_centres(sr).astype(np.float32), scaled(1 + level / RANGE_DB)


def notes(signal: Signal, sr: float) -> tuple[Matrix, Pixels]:
    """Return the pitch classes (0 is C) and how strong each is, every column by itself."""
    power = columns(signal, NOTES_SIZE, pitch_weights(NOTES_SIZE, sr), pool=1)
    floor = 1e-4 * float(power.max(initial=0.0)) + 1e-20
    strength = np.sqrt(power / np.maximum(power.max(axis=0, keepdims=True), floor))
    return np.arange(12, dtype=np.float32), scaled(strength)


def pulse(signal: Signal, sr: float) -> tuple[Matrix, Pixels]:
    """Return tempi (BPM) and how strongly the onsets around each moment repeat at them.

    The autocorrelation tempogram of Grosche, Müller & Kurth, "Cyclic tempogram" (ICASSP 2010).
    """
    tempi = np.geomspace(*PULSE_BPM, PULSE_ROWS)
    flux = onset.envelope(signal, sr).flux[0]
    length = int(PULSE_SECONDS * onset.FPS)
    padded = np.pad(flux, length // 2)
    at = np.linspace(0, max(0, len(flux) - 1), min(COLUMNS // 2, max(1, len(flux))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[at.astype(np.int64)]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * onset.window(length)
    size = 2 ** int(np.ceil(np.log2(2 * length)))
    spectra = np.fft.rfft(frames, size)
    correlation = np.fft.irfft(np.abs(spectra) ** 2, size)[:, :length]
    correlation /= np.maximum(correlation[:, :1], 1e-9)
    lags = 60 * onset.FPS / tempi
    below = lags.astype(np.int64)
    rest = (lags - below)[None]
    between = correlation[:, below] * (1 - rest) + correlation[:, below + 1] * rest
    return tempi.astype(np.float32), scaled(np.maximum(between.T, 0) / 0.8)


def columns(signal: Signal, size: int, weights: Matrix, *, pool: int) -> Matrix:
    """Return (rows, columns) weighted powers of at most `COLUMNS` stretches of a signal."""
    count = max(1, min(COLUMNS * pool, len(signal) // 32))
    count = max(pool, count // pool * pool)
    padded = np.pad(signal, (size // 2, size))
    starts = ((np.arange(count) + 0.5) * (len(signal) / count)).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)
    taper = onset.window(size)
    parts = []
    for first in range(0, count, BLOCK):
        spectra = np.fft.rfft(frames[starts[first : first + BLOCK]] * taper)
        parts.append(weights @ (np.abs(spectra) ** 2).T.astype(np.float32))
    power = np.concatenate(parts, axis=1)
    return power.reshape(len(weights), -1, pool).max(axis=2)


def scaled(values: npt.NDArray[np.floating]) -> Pixels:
    """Turn 0..1 into 0..255."""
    return np.round(255 * np.clip(values, 0, 1)).astype(np.uint8)


def mel_centres(sr: float) -> npt.NDArray[np.float64]:
    """Return the centre of every band in Hz (O'Shaughnessy's mel scale)."""
    return mel_edges(sr)[1:-1]


def mel_edges(sr: float) -> npt.NDArray[np.float64]:
    """Return the BANDS + 2 corners of the triangular bands in Hz."""
    low, high = (
        2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HZ, min(HIGHEST_HZ, 0.49 * sr))
    )
    return 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)


@lru_cache(maxsize=8)
def mel_weights(size: int, sr: float) -> Matrix:
    """Return triangles of equal area, (bands, bins); a band narrower than a bin takes one."""
    edges = mel_edges(sr)
    hertz = np.fft.rfftfreq(size, 1 / sr)
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rise, fall = (hertz - left) / (middle - left), (right - hertz) / (right - middle)
    weights = np.maximum(0, np.minimum(rise, fall))
    nearest = np.abs(hertz[None] - middle).argmin(axis=1)
    empty = weights.sum(axis=1) < 0.5
    weights[empty, nearest[empty]] = 1
    return (weights * 2 / (right - left)).astype(np.float32)


@lru_cache(maxsize=8)
def pitch_weights(size: int, sr: float) -> Matrix:
    """Return how much each bin counts for each pitch class, (12, bins)."""
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / sr), 1e-6)
    classes = (69 + 12 * np.log2(hertz / 440)) % 12
    away = np.abs((classes[None] - np.arange(12)[:, None] + 6) % 12 - 6)
    inside = (hertz >= NOTES_HZ[0]) & (hertz <= NOTES_HZ[1])
    return (np.exp(-0.5 * (away / 0.35) ** 2) * inside / hertz).astype(np.float32)
