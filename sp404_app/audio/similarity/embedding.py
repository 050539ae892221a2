"""Embeddings: a 64-dimensional vector per sample; similar sounds have nearby vectors.

Timbre (32 dimensions) is a log-mel patch on a logarithmic time axis from the onset, because the
first milliseconds of a hit say most about it. A learned matrix (regularised linear discriminant
analysis, Fisher 1936) projects it onto the directions that separate sound classes. The other
parts are not learned: envelope, pitch classes, periodicity of onsets.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.chroma import Chroma
from sp404_app.audio.dsp.onset import OnsetEnvelope
from sp404_app.audio.dsp.stft import windowed_rfft
from sp404_app.audio.model_weights import Linear

Signal = npt.NDArray[np.float32]

MEL_BANDS, FRAME_SIZE = 40, 1024
HOP_S: Final = 0.01
# Edges of the patch's time slices, in hops after the onset.
PATCH_EDGES_HOPS: Final = (0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 30, 45, 70, 110)
ENVELOPE_EDGES_FRAMES: Final = (
    0,
    4,
    10,
    20,
    40,
    80,
    160,
    320,
    640,
)  # of the envelope, 5 ms each
POWER_FLOOR: Final = 1e-4  # -40 dB: below it, sounds differ by their recording
TIMBRE_DIMENSIONS, ENVELOPE_DIMENSIONS, PITCH_DIMENSIONS, RHYTHM_DIMENSIONS = 32, 8, 12, 12
DIMENSIONS: Final = TIMBRE_DIMENSIONS + ENVELOPE_DIMENSIONS + PITCH_DIMENSIONS + RHYTHM_DIMENSIONS
RHYTHM_LAGS_S: Final = np.geomspace(0.08, 1.6, RHYTHM_DIMENSIONS)


class Aspect(StrEnum):
    """The aspect by which two sounds are compared."""

    OVERALL = "overall"
    TIMBRE = "timbre"
    ENVELOPE = "envelope"
    PITCH = "pitch"
    RHYTHM = "rhythm"


# Slice of the vector and weight in the overall distance; weights measured on unseen kits.
VECTOR_PARTS: Final = {
    Aspect.TIMBRE: (slice(0, 32), 1.0),
    Aspect.ENVELOPE: (slice(32, 40), 0.35),
    Aspect.PITCH: (slice(40, 52), 0.15),
    Aspect.RHYTHM: (slice(52, 64), 0.25),
}


@lru_cache(maxsize=1)
def timbre_projection() -> Linear:
    """Load the learned projection of the log-mel patch."""
    return Linear.load("likeness")


@lru_cache(maxsize=16)
def mel_filter_bank(sr: float) -> Signal:
    """Return triangular mel filters from 30 Hz to 16 kHz as (bins, MEL_BANDS), each with sum 1."""
    top = min(16_000.0, 0.49 * sr)
    edges = 700 * (10 ** (np.linspace(hz_to_mel(30.0), hz_to_mel(top), MEL_BANDS + 2) / 2595) - 1)
    hertz = np.arange(FRAME_SIZE // 2 + 1) * sr / FRAME_SIZE
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rows = np.maximum(
        0, np.minimum((hertz - low) / (centre - low), (high - hertz) / (high - centre))
    )
    empty = rows.sum(axis=1) == 0  # bands narrower than a bin take the nearest bin
    rows[empty, np.round(edges[1:-1][empty] * FRAME_SIZE / sr).astype(int)] = 1
    return (rows / rows.sum(axis=1, keepdims=True)).T.astype(np.float32)


def hz_to_mel(hertz: float) -> float:
    """Convert Hz to mel (O'Shaughnessy 1987)."""
    return 2595 * float(np.log10(1 + hertz / 700))


def mel_patch(y: Signal, sr: float) -> Signal:
    """Return the log-mel patch (13, 40) of a mono signal, normalised in gain and onset."""
    first = onset_sample(y, sr)
    hop = max(1, round(sr * HOP_S))
    part = y[first : first + hop * PATCH_EDGES_HOPS[-1] + FRAME_SIZE]
    part = np.pad(part, (0, max(0, FRAME_SIZE + hop - len(part))))
    frames = np.lib.stride_tricks.sliding_window_view(part, FRAME_SIZE)[::hop][
        : PATCH_EDGES_HOPS[-1]
    ]
    spectrum = windowed_rfft(frames)
    bands = (spectrum.real**2 + spectrum.imag**2) @ mel_filter_bank(sr)
    top = float(bands.max()) + 1e-20
    rows = np.full((len(PATCH_EDGES_HOPS) - 1, MEL_BANDS), np.log10(POWER_FLOOR), np.float32)
    means = slice_means(bands, PATCH_EDGES_HOPS)
    rows[: len(means)] = np.log10(np.maximum(means / np.float32(top), POWER_FLOOR))
    return rows


def slice_means(rows: npt.NDArray[np.floating], edges: tuple[int, ...]) -> npt.NDArray[np.floating]:
    """Return the means of the rows between edges; the last slice ends where the rows end."""
    starts = [edge for edge in edges[:-1] if edge < len(rows)]
    ends = np.minimum([*starts[1:], edges[len(starts)]], len(rows))
    counts = (ends - starts).reshape(-1, *[1] * (rows.ndim - 1)).astype(np.float32)
    return np.add.reduceat(rows[: ends[-1]], starts, axis=0) / counts


def onset_sample(y: Signal, sr: float) -> int:
    """Return the sample 2 ms before the first one at 2 % of the peak of the first 4 s."""
    start = np.abs(y[: int(4 * sr)])
    return max(0, int(np.argmax(start > 0.02 * start.max())) - int(0.002 * sr))


def embed_sound(mels: Signal, env: OnsetEnvelope, pitch: Chroma | None) -> Signal:
    """Return the embedding, float32 (DIMENSIONS,); each part has unit length or is zero."""
    parts = (
        unit_length(timbre_projection()(mels.reshape(1, -1))[0]),
        unit_length(envelope_levels(env)),
        unit_length(np.sqrt(pitch.pitches)) if pitch else np.zeros(PITCH_DIMENSIONS),
        unit_length(onset_periodicity(env)),
    )
    return np.concatenate(parts).astype(np.float32)


def unit_length(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Scale to unit length; zero stays zero."""
    return values / (np.linalg.norm(values) + 1e-9)


def envelope_levels(env: OnsetEnvelope) -> npt.NDArray[np.float64]:
    """Return the level in eight time slices from the onset, in decades above -5."""
    start = env.onsets[0] if len(env.onsets) else 0
    energy = env.energy[max(0, start - 2) :]
    levels = np.zeros(ENVELOPE_DIMENSIONS)
    means = slice_means(energy, ENVELOPE_EDGES_FRAMES)
    levels[: len(means)] = np.log10(means + 1e-5) + 5
    return levels


def onset_periodicity(env: OnsetEnvelope) -> npt.NDArray[np.float64]:
    """Return the autocorrelation of the onsets at `RHYTHM_LAGS_S`; zeros for a single hit."""
    if len(env.onsets) < 3:
        return np.zeros(RHYTHM_DIMENSIONS)
    flux = env.flux[0] - env.flux[0].mean()
    size = 1 << (2 * len(flux) - 1).bit_length()
    spectrum = np.fft.rfft(flux, size)
    lags = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: len(flux)]
    lags = np.maximum(lags / (lags[0] + 1e-9), 0)
    at = (RHYTHM_LAGS_S * env.fps).astype(np.int64)
    reach = np.maximum(1, at // 10)
    near = [
        lags[max(0, lag - r) : lag + r + 1].max(initial=0.0)
        for lag, r in zip(at, reach, strict=True)
    ]
    return np.array(near)


def embedding_distance(one: Signal, other: Signal, aspect: Aspect = Aspect.OVERALL) -> float:
    """Return the distance of two embeddings in one aspect: 0 identical, 1 unrelated, 2 opposite.

    Half the squared Euclidean distance. For unit vectors it equals the cosine distance, and it
    is also defined where a sound has no rhythm or no pitch.
    """
    parts = VECTOR_PARTS if aspect is Aspect.OVERALL else {aspect: VECTOR_PARTS[aspect]}
    total = sum(weight for _, weight in parts.values())
    gaps = [weight * float(np.sum((one[cut] - other[cut]) ** 2)) for cut, weight in parts.values()]
    return sum(gaps) / (2 * total)


def apply_part_weights(vectors: Signal, aspect: Aspect = Aspect.OVERALL) -> Signal:
    """Scale embeddings (n, 64) or (64,) so that L2 search ranks as the embedding distance."""
    scales = np.zeros(DIMENSIONS, np.float32)
    for part, (cut, weight) in VECTOR_PARTS.items():
        if aspect in (Aspect.OVERALL, part):
            scales[cut] = np.sqrt(weight)
    return vectors * scales
