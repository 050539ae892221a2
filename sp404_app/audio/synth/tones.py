"""Pitched voices by additive and FM synthesis, with exact tuning.

A note is a MIDI number (69 is A4, 440 Hz; fractions are cents / 100); `seconds` is the time that
it is held. The result is mono float32 near full scale at `RATE`.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sp404_app.audio.synth.drums import RATE, Signal, band_pass, normalise_and_fade, time_axis

# A loop plays the same few notes many times.
cached_voice = lru_cache(maxsize=48)


def midi_to_hz(note: float) -> float:
    """Convert a MIDI note to its frequency in Hz."""
    return 440.0 * 2 ** ((note - 69) / 12)


def hold_envelope(
    t: npt.NDArray[np.float64], seconds: float, attack: float, release: float
) -> npt.NDArray[np.float64]:
    """Return an envelope: linear attack, hold, exponential release."""
    rise = np.minimum(1.0, t / max(attack, 1e-4))
    return rise * np.exp(-np.maximum(t - seconds, 0.0) / release)


def sum_harmonics(
    t: npt.NDArray[np.float64], pitch: float, levels: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Return the sum of harmonics with the given levels, without those that would alias."""
    total = np.zeros_like(t)
    for number, level in enumerate(levels, start=1):
        if level and pitch * number < RATE * 0.45:
            total += level * np.sin(2 * np.pi * pitch * number * t)
    return total


@cached_voice
def bass(note: float, seconds: float, bright: float = 0.5) -> Signal:
    """Return a synth bass whose harmonics decay like a closing low-pass filter."""
    t = time_axis(seconds + 0.06)
    tone = np.zeros_like(t)
    for number in range(1, 9):
        fall = np.exp(-t * number * (1.2 - bright) * 2.2)
        tone += (
            bright ** (0.5 * (number - 1))
            / number
            * fall
            * sum_harmonics(t, midi_to_hz(note) * number, (1,))
        )
    return normalise_and_fade(np.tanh(1.3 * tone) * hold_envelope(t, seconds, 0.004, 0.02))


def eight_oh_eight(note: float = 31, decay: float = 0.5, drive: float = 1.8) -> Signal:
    """Return a long, saturated 808 bass drum."""
    t = time_axis(decay * 3.5)
    pitch = midi_to_hz(note)
    body = np.sin(2 * np.pi * pitch * (t + 2.2 * 0.018 * (1 - np.exp(-t / 0.018))))
    return normalise_and_fade(np.tanh(drive * body * np.exp(-t / decay)))


@cached_voice
def electric_piano(note: float, seconds: float, bite: float = 1.0) -> Signal:
    """Return an electric piano by frequency modulation (Chowning 1973)."""
    t = time_axis(seconds + 0.25)
    pitch = midi_to_hz(note)
    tine = 0.25 * np.sin(2 * np.pi * pitch * 14 * t) * np.exp(-t / 0.05) * (pitch * 14 < 16_000)
    index = bite * np.exp(-t / 0.35)
    tone = np.sin(2 * np.pi * pitch * t + index * np.sin(2 * np.pi * pitch * t)) + 0.3 * tine
    return normalise_and_fade(tone * np.exp(-t / 1.3) * hold_envelope(t, seconds, 0.003, 0.08))


@cached_voice
def pad(note: float, seconds: float, bright: float = 0.5, attack: float = 0.12) -> Signal:
    """Return a string pad: three saws a few cents apart."""
    t = time_axis(seconds + 0.3)
    levels = [bright ** (0.35 * k) / (k + 1) for k in range(14)]
    saws = [sum_harmonics(t, midi_to_hz(note + cents / 100), levels) for cents in (-7, 0, 7)]
    return normalise_and_fade(np.sum(saws, axis=0) * hold_envelope(t, seconds, attack, 0.12))


@cached_voice
def organ(note: float, seconds: float) -> Signal:
    """Return a drawbar organ."""
    t = time_axis(seconds + 0.04)
    return normalise_and_fade(
        sum_harmonics(t, midi_to_hz(note), (0.8, 1, 0.5, 0.4, 0, 0.25, 0, 0.2))
        * hold_envelope(t, seconds, 0.006, 0.012)
    )


@cached_voice
def pluck(note: float, seconds: float, bright: float = 0.6) -> Signal:
    """Return a plucked string: each harmonic decays faster than the one below."""
    t = time_axis(min(seconds + 0.25, 2.0))
    tone = np.zeros_like(t)
    for number in range(1, 13):
        level = bright ** (0.5 * (number - 1)) * abs(np.sin(np.pi * number * 0.23))
        tone += (
            level
            * np.exp(-t * (1.6 + 1.3 * number))
            * sum_harmonics(t, midi_to_hz(note) * number, (1,))
        )
    return normalise_and_fade(tone * hold_envelope(t, seconds, 0.002, 0.1))


def bell(note: float, decay: float = 0.8, ratio: float = 3.5) -> Signal:
    """Return a bell by frequency modulation with an inharmonic ratio."""
    t = time_axis(decay * 3)
    pitch = midi_to_hz(note)
    shimmer = 1.4 * np.exp(-t / (0.4 * decay)) * np.sin(2 * np.pi * pitch * ratio * t)
    return normalise_and_fade(
        np.sin(2 * np.pi * pitch * t + shimmer) * np.exp(-t / decay) * hold_envelope(t, 9, 0.002, 1)
    )


@cached_voice
def lead(note: float, seconds: float, bright: float = 0.6) -> Signal:
    """Return a hollow lead: odd harmonics and a delayed vibrato."""
    t = time_axis(seconds + 0.08)
    vibrato = 0.0022 * np.sin(2 * np.pi * 5.3 * t) * np.minimum(1, t / 0.4)
    pitch, tone = midi_to_hz(note), np.zeros_like(t)
    for number in range(1, 12, 2):
        if pitch * number < 16_000:
            phase = 2 * np.pi * pitch * number * (t + vibrato / 5.3)
            tone += bright ** (0.4 * (number - 1)) / number * np.sin(phase)
    return normalise_and_fade(tone * hold_envelope(t, seconds, 0.01, 0.03))


def stab(notes: Sequence[float], decay: float = 0.22) -> Signal:
    """Return a chord stab: saws through a closing low-pass filter."""
    t = time_axis(decay * 4)
    levels = [0.8**k / (k + 1) for k in range(16)]
    tone = np.sum([sum_harmonics(t, midi_to_hz(note), levels) for note in notes], axis=0)
    dull = band_pass(tone, 60, 1100)
    mix = dull + (tone - dull) * np.exp(-t / (0.35 * decay))
    return normalise_and_fade(
        np.tanh(0.7 * mix / len(notes) * 2) * np.exp(-t / decay) * hold_envelope(t, 9, 0.002, 1)
    )


def add_reverb(signal: Signal, rng: np.random.Generator, seconds: float, wet: float) -> Signal:
    """Add reverb whose tail wraps around to the start, so that a loop stays seamless.

    `signal` has shape (n,) or (n, channels); each channel gets its own tail.
    """
    frames = signal.reshape(len(signal), -1).T
    t = time_axis(min(seconds * 2.5, frames.shape[1] / RATE))
    size = 1 << (frames.shape[1] + len(t)).bit_length()
    tails = np.stack([band_pass(rng.standard_normal(len(t)), 250, 6000) for _ in frames])
    tails *= np.exp(-t / (seconds / 2.3)) * (t > 0.008)
    tails /= np.sqrt(np.sum(tails**2, axis=1, keepdims=True)) + 1e-9
    spectrum = np.fft.rfft(frames, size) * np.fft.rfft(tails.astype(np.float32), size)
    wetted = np.fft.irfft(spectrum, size)[:, : frames.shape[1] + len(t)]
    out = frames + wet * wetted[:, : frames.shape[1]]
    out[:, : len(t)] += wet * wetted[:, frames.shape[1] :]
    return np.ascontiguousarray(out.T).reshape(signal.shape).astype(np.float32)
