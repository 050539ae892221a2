"""Distort clean loops as real files are distorted (data augmentation)."""

import numpy as np

from sp404_app.audio.synth.drums import Signal


def cut_like_users(signal: Signal, sr: float, rng: np.random.Generator) -> Signal:
    """Cut a loop as users do: half exactly, else some samples or milliseconds off."""
    off = rng.choice([0.0, 0.0005, 0.003, 0.02], p=[0.5, 0.2, 0.18, 0.12])
    start, end = np.round(rng.normal(0, [0.3 * off, off]) * sr).astype(int)
    if not off:
        return signal
    head, tail = max(0, -start), max(0, end)
    signal = signal[max(0, start) : len(signal) + min(0, end)]
    return np.concatenate([np.zeros(head, np.float32), signal, signal[: max(0, tail)] * 0.3])


DISTORTIONS = ("silence", "tail", "mp3", "crop")


def distort(signal: Signal, sr: float, how: str, rng: np.random.Generator) -> Signal:
    """Distort a clean cut in one of the four ways of `DISTORTIONS`."""
    if how == "silence":
        head, tail = rng.uniform(0.0, 0.15), rng.uniform(0.05, 0.6)
        return np.pad(signal, (int(head * sr), int(tail * sr)))
    if how == "mp3":  # the delay and padding that encoders add
        return np.pad(signal, (1105, int(rng.uniform(200, 1900))))
    if how == "crop":
        part = rng.uniform(0.6, 0.95)
        start = int(rng.uniform(0, 1 - part) * len(signal))
        return signal[start : start + int(part * len(signal))]
    ring = int(sr * rng.uniform(0.4, 2.0))
    noise = rng.standard_normal(ring) * np.exp(-np.arange(ring) / (ring / 4))
    noise = np.convolve(noise, np.ones(6) / 6, "same") * 0.5
    loud = np.abs(signal[-len(signal) // 8 :]).max()
    return np.concatenate([signal, noise * loud]).astype(np.float32)
