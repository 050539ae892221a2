"""Vary a real drum hit as other kits and files would: for the training of the class."""

from typing import Final

import numpy as np

from sp404_app.audio.synth.drums import Signal

VARIATIONS: Final = 6  # of each hit, beside itself
SEMITONES, TILT_DB_PER_OCTAVE, MAX_TILT_DB = 3.0, 2.0, 12.0
FADE_S: Final = 0.01


def vary_hit(signal: Signal, sr: float, rng: np.random.Generator) -> Signal:
    """Return a hit with another pitch, tone, saturation, length, room, hiss and level."""
    made = change_tone(change_pitch(signal, rng), sr, rng)
    if rng.random() < 0.3:
        made = saturate(made, rng.uniform(1.5, 5))
    if rng.random() < 0.4:
        made = cut_tail(made, sr, rng.uniform(0.25, 0.9))
    if rng.random() < 0.3:
        made = add_room(made, sr, rng)
    if rng.random() < 0.3:
        level = np.abs(made).max() * 10 ** (rng.uniform(-66, -46) / 20)
        made = made + level * rng.standard_normal(len(made))
    return (made * rng.uniform(0.2, 1)).astype(np.float32)


def change_pitch(signal: Signal, rng: np.random.Generator) -> Signal:
    """Play a sound up to three semitones faster or slower."""
    speed = 2 ** (rng.uniform(-SEMITONES, SEMITONES) / 12)
    places = np.arange(0, len(signal) - 1, speed)
    return np.interp(places, np.arange(len(signal)), signal).astype(np.float32)


def change_tone(signal: Signal, sr: float, rng: np.random.Generator) -> Signal:
    """Tilt the spectrum around 1 kHz, and cut its top as MP3 does, or its lowest octave."""
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / sr)
    tilt = rng.uniform(-TILT_DB_PER_OCTAVE, TILT_DB_PER_OCTAVE)
    gain = np.clip(np.log2(np.maximum(hertz, 20) / 1000) * tilt, -MAX_TILT_DB, MAX_TILT_DB)
    spectrum *= 10 ** (gain / 20)
    if rng.random() < 0.35:
        spectrum[hertz > rng.uniform(9000, 16_000)] = 0
    if rng.random() < 0.2:
        spectrum /= np.sqrt(1 + (rng.uniform(30, 70) / np.maximum(hertz, 1)) ** 4)
    return np.fft.irfft(spectrum, len(signal)).astype(np.float32)


def saturate(signal: Signal, drive: float) -> Signal:
    """Distort a sound softly; its peak stays as it is."""
    peak = np.abs(signal).max() + 1e-9
    return np.tanh(drive * signal / peak) / np.tanh(drive) * peak


def cut_tail(signal: Signal, sr: float, share: float) -> Signal:
    """Keep the first part of a sound, at least 50 ms, with a short fade."""
    made = signal[: int(max(0.05 * sr, share * len(signal)))].copy()
    fade = min(len(made), int(FADE_S * sr))
    made[len(made) - fade :] *= np.linspace(1, 0, fade)
    return made


def add_room(signal: Signal, sr: float, rng: np.random.Generator) -> Signal:
    """Add a short reverb."""
    count = int(rng.uniform(0.1, 0.6) * sr)
    tail = rng.standard_normal(count) * np.exp(-np.arange(count) / (count / 5))
    size = 1 << (len(signal) + count - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(tail, size), size)
    wet = wet[: len(signal) + count]
    wet *= np.abs(signal).max() * rng.uniform(0.03, 0.2) / (np.abs(wet).max() + 1e-9)
    wet[: len(signal)] += signal
    return wet.astype(np.float32)
