"""Chroma (energy per pitch class) from interpolated spectral peaks, and tuning estimation.

Harmonic pitch class profile after Gómez, "Tonal description of music audio signals" (2006):
each spectral peak counts for its own pitch class and, with decreasing weight, for the notes
of which it may be a harmonic. Peaks must rise above the local mean of the spectrum, which
suppresses drums and noise without source separation.
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
LOCAL_MEAN_BINS: Final = 41  # 110 Hz
PEAK_THRESHOLD: Final = 0.25  # above the local mean, in units of log(1 + 1000 S / max S)
OPENING_SHARE: Final = 0.13  # of the frames: half a bar of a four-bar loop


@dataclass(frozen=True, slots=True)
class SpectralPeaks:
    """Spectral peaks of `frames` frames: frame index, frequency in Hz and weight of each peak.

    `tonality` (0..1) is the share of the band's energy in peaks, `flatness` (0..1) the spectral
    flatness of the mean spectrum.
    """

    frame: npt.NDArray[np.int64]
    hertz: Vector
    weight: Vector
    frames: int
    tonality: float
    flatness: float


@dataclass(frozen=True, slots=True)
class Chroma:
    """Energy per pitch class (12,), starting at C: `pitches` of the sound, `opening` of its start.

    The opening is the first 13 % of the frames. `tuning` is the deviation from A = 440 Hz in
    semitones (-0.5..0.5), `in_tune` (0..1) the agreement of the peaks on it.
    """

    pitches: Vector
    opening: Vector
    tuning: float
    in_tune: float
    peaks: SpectralPeaks


def compute_chroma(y: Signal, sr: float) -> Chroma | None:
    """Compute the chroma of a mono signal at `sr` Hz, or None if it has no spectral peaks."""
    spectral_peaks = find_spectral_peaks(*magnitude_spectrogram(y, sr))
    if not len(spectral_peaks.hertz):
        return None
    notes = 69 + 12 * np.log2(spectral_peaks.hertz / 440)
    phasor = (
        np.sum(spectral_peaks.weight * np.exp(2j * np.pi * notes)) / spectral_peaks.weight.sum()
    )
    tuning = float(np.angle(phasor) / (2 * np.pi))
    notes = notes - tuning
    in_opening = spectral_peaks.frame <= OPENING_SHARE * spectral_peaks.frames
    return Chroma(
        pitches=fold_pitch_classes(notes, spectral_peaks.weight),
        opening=fold_pitch_classes(notes[in_opening], spectral_peaks.weight[in_opening]),
        tuning=tuning,
        in_tune=float(np.abs(phasor)),
        peaks=spectral_peaks,
    )


def magnitude_spectrogram(y: Signal, sr: float) -> tuple[Signal, float]:
    """Return STFT magnitudes (frames, bins) up to `HIGHEST_HZ`, and the sample rate in Hz.

    The signal is first decimated to about 11 kHz by averaging, which is accurate enough here.
    """
    y, sr = decimate_by_averaging(y, sr, TARGET_RATE_HZ)
    if len(y) < FRAME_SIZE:
        y = np.pad(y, (0, FRAME_SIZE - len(y)))
    frames = np.lib.stride_tricks.sliding_window_view(y, FRAME_SIZE)[::HOP_LENGTH]
    return np.abs(windowed_rfft(frames)[:, : highest_bin(sr) + 2]), sr


def highest_bin(sr: float) -> int:
    """Return the bin of `HIGHEST_HZ`; its upper neighbour must exist."""
    return min(FRAME_SIZE // 2 - 1, int(HIGHEST_HZ * FRAME_SIZE / sr))


def find_spectral_peaks(magnitudes: Signal, sr: float) -> SpectralPeaks:
    """Find all spectral peaks, with frequencies interpolated by a parabola."""
    low = int(LOWEST_HZ * FRAME_SIZE / sr)
    end = highest_bin(sr)
    level = np.log1p(magnitudes * np.float32(1000 / (magnitudes.max(initial=0.0) + 1e-9)))
    rise = np.maximum(level - local_mean(level), 0)
    inner = rise[:, low:end]
    is_peak = (inner > rise[:, low - 1 : end - 1]) & (inner >= rise[:, low + 1 : end + 1])
    frame, column = np.nonzero(is_peak & (inner > PEAK_THRESHOLD))
    column = column + low
    left, centre, right = (rise[frame, column + shift].astype(np.float64) for shift in (-1, 0, 1))
    shift = 0.5 * (left - right) / (left - 2 * centre + right - 1e-12)
    power = magnitudes[:, low - 1 :] ** 2
    peak_power = sum(power[frame, column - low + 1 + shift].sum() for shift in (-1, 0, 1))
    mean = power.mean(axis=0) + 1e-20
    return SpectralPeaks(
        frame=frame,
        hertz=(column + np.clip(shift, -0.5, 0.5)) * sr / FRAME_SIZE,
        weight=centre,
        frames=len(magnitudes),
        tonality=min(1.0, float(peak_power / (power.sum() + 1e-20))),
        flatness=float(np.exp(np.log(mean).mean()) / mean.mean()),
    )


def local_mean(level: Signal) -> Signal:
    """Return the mean of the `LOCAL_MEAN_BINS` bins around each bin."""
    half = LOCAL_MEAN_BINS // 2
    totals = np.cumsum(np.pad(level, ((0, 0), (half + 1, half)), mode="edge"), axis=1)
    return (totals[:, LOCAL_MEAN_BINS:] - totals[:, :-LOCAL_MEAN_BINS]) / np.float32(
        LOCAL_MEAN_BINS
    )


def fold_pitch_classes(notes: Vector, weight: Vector) -> Vector:
    """Sum weights (12,) by pitch class; each peak also counts as a harmonic of lower notes."""
    total = np.zeros(12)
    for harmonic in range(1, HARMONICS + 1):
        classes = np.mod(notes - 12 * np.log2(harmonic), 12)
        nearest = np.round(classes)
        part = weight * np.cos(np.pi * (classes - nearest)) ** 2 * HARMONIC_DECAY ** (harmonic - 1)
        total += np.bincount(nearest.astype(np.int64) % 12, part, 12)[:12]
    return total
