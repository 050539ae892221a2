"""Pitch classes of a sound: a chroma of interpolated spectral peaks, with its tuning.

After Gomez, "Tonal description of music audio signals" (2006): every spectral peak is counted
for its own pitch class and, less and less, for the notes that it may be a harmonic of. Peaks
must rise above their neighbourhood, which removes drums and noise without separating them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.dsp.stft import decimate_by_averaging, windowed_rfft

Signal = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]

TARGET_RATE_HZ: Final = 11_025
FRAME_SIZE, HOP_LENGTH = 4096, 2048
LOWEST_HZ, HIGHEST_HZ = 38.0, 2200.0
HARMONICS: Final = 4
HARMONIC_DECAY: Final = 0.6
BASS_HZ: Final = 260.0
LOCAL_MEAN_BINS: Final = 41  # bins (110 Hz) of local mean that a peak must rise above
PEAK_THRESHOLD: Final = 0.25  # in units of log(1 + 1000 S / max S)
OPENING_SHARE: Final = 0.13  # of the frames: half a bar of four


@dataclass(frozen=True, slots=True)
class SpectralPeaks:
    """Spectral peaks: frame index, frequency in Hz, weight, of `frames` frames.

    `tonality` (0..1) is the share of the energy in the band that lies in peaks, and
    `flatness` (0..1) how evenly the rest of the spectrum is filled.
    """

    frame: npt.NDArray[np.int64]
    hertz: Vector
    weight: Vector
    frames: int
    tonality: float
    flatness: float


@dataclass(frozen=True, slots=True)
class Chroma:
    """Energy of the 12 pitch classes from C: of all peaks, and of the lowest one at each time.

    `opening` and `opening_bass` cover the beginning only. `tuning` is the offset from
    A = 440 Hz in semitones (-0.5..0.5), and `in_tune` (0..1) how far all peaks agree on it.
    """

    pitches: Vector
    bass: Vector
    opening: Vector
    opening_bass: Vector
    tuning: float
    in_tune: float
    peaks: SpectralPeaks


def compute_chroma(y: Signal, sr: float) -> Chroma | None:
    """Measure the pitch classes of a mono signal, or None where there are no peaks."""
    found = find_spectral_peaks(*magnitude_spectrogram(y, sr))
    if not len(found.hertz):
        return None
    notes = 69 + 12 * np.log2(found.hertz / 440)
    turn = np.sum(found.weight * np.exp(2j * np.pi * notes)) / found.weight.sum()
    tuning = float(np.angle(turn) / (2 * np.pi))
    notes = notes - tuning
    early = found.frame <= OPENING_SHARE * found.frames
    low = mark_bass_peaks(found)
    return Chroma(
        pitches=fold_pitch_classes(notes, found.weight),
        bass=fold_pitch_classes(notes[low], found.weight[low], harmonics=1),
        opening=fold_pitch_classes(notes[early], found.weight[early]),
        opening_bass=fold_pitch_classes(notes[low & early], found.weight[low & early], harmonics=1),
        tuning=tuning,
        in_tune=float(np.abs(turn)),
        peaks=found,
    )


def magnitude_spectrogram(y: Signal, sr: float) -> tuple[Signal, float]:
    """Return magnitudes at about 11 kHz up to what `peaks` looks at, as (frames, bins).

    Averaging decimates well enough.
    """
    y, sr = decimate_by_averaging(y, sr, TARGET_RATE_HZ)
    if len(y) < FRAME_SIZE:
        y = np.pad(y, (0, FRAME_SIZE - len(y)))
    frames = np.lib.stride_tricks.sliding_window_view(y, FRAME_SIZE)[::HOP_LENGTH]
    return np.abs(windowed_rfft(frames)[:, : highest_bin(sr) + 2]), sr


def highest_bin(sr: float) -> int:
    """Return the bin of `HIGHEST_HZ`, whose upper neighbour must exist."""
    return min(FRAME_SIZE // 2 - 1, int(HIGHEST_HZ * FRAME_SIZE / sr))


def find_spectral_peaks(magnitudes: Signal, sr: float) -> SpectralPeaks:
    """Find every spectral peak, interpolated between bins by a parabola."""
    low = int(LOWEST_HZ * FRAME_SIZE / sr)
    high = highest_bin(sr)
    level = np.log1p(magnitudes * np.float32(1000 / (magnitudes.max(initial=0.0) + 1e-9)))
    rise = np.maximum(level - local_mean(level), 0)
    middle = rise[:, low:high]
    found = (middle > rise[:, low - 1 : high - 1]) & (middle >= rise[:, low + 1 : high + 1])
    frame, column = np.nonzero(found & (middle > PEAK_THRESHOLD))
    column = column + low
    before, at, after = (rise[frame, column + shift].astype(np.float64) for shift in (-1, 0, 1))
    shift = 0.5 * (before - after) / (before - 2 * at + after - 1e-12)
    power = magnitudes[:, low - 1 :] ** 2
    inside = sum(power[frame, column - low + 1 + shift].sum() for shift in (-1, 0, 1))
    mean = power.mean(axis=0) + 1e-20
    return SpectralPeaks(
        frame=frame,
        hertz=(column + np.clip(shift, -0.5, 0.5)) * sr / FRAME_SIZE,
        weight=at,
        frames=len(magnitudes),
        tonality=min(1.0, float(inside / (power.sum() + 1e-20))),
        flatness=float(np.exp(np.log(mean).mean()) / mean.mean()),
    )


def local_mean(level: Signal) -> Signal:
    """Return the mean of the `NEIGHBOURS` bins around each bin."""
    half = LOCAL_MEAN_BINS // 2
    totals = np.cumsum(np.pad(level, ((0, 0), (half + 1, half)), mode="edge"), axis=1)
    return (totals[:, LOCAL_MEAN_BINS:] - totals[:, :-LOCAL_MEAN_BINS]) / np.float32(
        LOCAL_MEAN_BINS
    )


def mark_bass_peaks(found: SpectralPeaks) -> npt.NDArray[np.bool_]:
    """Mark the lowest clear peak of each frame, where it is in the range of a bass."""
    clear = found.weight > 3 * PEAK_THRESHOLD
    first = np.zeros(len(found.frame), bool)
    index = np.flatnonzero(clear)  # peaks are in order of frame, then of frequency
    if len(index):
        first[index[np.diff(found.frame[index], prepend=-1) > 0]] = True
    return first & (found.hertz < BASS_HZ)


def fold_pitch_classes(notes: Vector, weight: Vector, harmonics: int = HARMONICS) -> Vector:
    """Sum weights by pitch class, each peak also for the notes it may be an overtone of."""
    total = np.zeros(12)
    for harmonic in range(1, harmonics + 1):
        classes = np.mod(notes - 12 * np.log2(harmonic), 12)
        nearest = np.round(classes)
        part = weight * np.cos(np.pi * (classes - nearest)) ** 2 * HARMONIC_DECAY ** (harmonic - 1)
        total += np.bincount(nearest.astype(np.int64) % 12, part, 12)[:12]
    return total
