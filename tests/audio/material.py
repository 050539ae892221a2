"""Synthetic sounds without a pulse, and gabber, each reproducible from a seed.

They use other voices and other statistics than the training material.
"""

import numpy as np

from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.sequencer import Loop, normalise_peak
from tests.audio.conftest import RATE

Signal = np.ndarray


def cut_anywhere(rng: np.random.Generator) -> float:
    """Draw a random length in s; a fixed one may be whole bars, as 12 s at 80 BPM."""
    return float(rng.uniform(9, 14))


def speech(seed: int) -> Signal:
    """Render a voice-like sound: glottal pulses through three moving formants, with pauses."""
    rng = np.random.default_rng([seed, 1])
    pitch, parts = rng.uniform(90, 220), []
    while sum(map(len, parts)) < 7 * RATE:
        t = drums.time_axis(float(np.clip(rng.gamma(4, 0.045), 0.07, 0.5)))
        cycles = np.cumsum(pitch * (1 + rng.normal(0, 0.08) - 0.1 * t)) / RATE
        buzz = (cycles % 1) ** 3 - 0.25
        vowel = sum(
            drums.band_pass(buzz, centre * 0.9, centre * 1.1) * fall
            for centre, fall in zip(
                rng.uniform((300, 900, 2300), (750, 1900, 3000)), (1, 0.5, 0.2), strict=True
            )
        )
        hiss = drums.band_pass(rng.standard_normal(len(t)), 3000, 8000) * np.exp(-t / 0.03)
        parts.append((vowel + rng.choice([0, 0.2]) * hiss) * np.sin(np.pi * t / t[-1]))
        parts.append(np.zeros(int(RATE * rng.choice([0.02, 0.08, 0.45], p=[0.6, 0.3, 0.1]))))
    return normalise_peak(np.concatenate(parts))


def rubato_piano(seed: int) -> Signal:
    """Render single notes and chords without a steady tempo: each gap is drawn independently."""
    rng = np.random.default_rng([seed, 2])
    seconds = cut_anywhere(rng)
    out = np.zeros(int(seconds * RATE), np.float32)
    at = 0.1
    while at < seconds - 1.5:
        for note in rng.integers(45, 80, rng.integers(1, 4)):
            voice = tones.electric_piano(int(note), 1.5)
            start = int(at * RATE)
            out[start : start + len(voice)] += voice[: len(out) - start] * rng.uniform(0.2, 1)
        at += float(rng.uniform(0.2, 1.4))
    return normalise_peak(out)


def field_recording(seed: int) -> Signal:
    """Render a field recording: wind with gusts and occasional bursts of noise."""
    rng = np.random.default_rng([seed, 3])
    seconds = cut_anywhere(rng)
    t = drums.time_axis(seconds)
    gusts = np.interp(t, np.linspace(0, seconds, 20), rng.uniform(0.2, 1, 20))
    out = drums.band_pass(rng.standard_normal(len(t)), 100, 900) * gusts
    for start in rng.uniform(0, seconds - 1, 8):
        burst = drums.band_pass(rng.standard_normal(RATE), 300, 6000)
        first = int(start * RATE)
        out[first : first + RATE] += burst * np.exp(-drums.time_axis(1.0) / rng.uniform(0.02, 0.3))
    return normalise_peak(out.astype(np.float32))


def drone(seed: int) -> Signal:
    """Render a held fifth with slow amplitude modulation."""
    rng = np.random.default_rng([seed, 4])
    note = float(rng.uniform(33, 50))
    voice = tones.pad(note, 11.0, 0.4, 1.5) + tones.pad(note + 7, 11.0, 0.4, 1.0)
    swell = 1 + 0.3 * np.sin(2 * np.pi * rng.uniform(0.05, 0.3) * np.arange(len(voice)) / RATE)
    return normalise_peak(voice * swell)


def gabber(bpm: float) -> Signal:
    """Render eight bars of a distorted kick on every beat, with off-beat hats."""
    rng = np.random.default_rng(5)
    loop = Loop(bpm, 32)
    loop.row("X---", [np.tanh(4 * drums.kick(rng, 55, 0.12)).astype(np.float32)])
    loop.row("--x-", [drums.hat(rng, 0.03)], 0.3)
    return loop.mastered(rng, drive=2.5).mean(axis=1)
