"""Drum voices from sines and noise, modelled on analogue drum machines.

Each voice is a function of a random generator and a few parameters. Times are in seconds,
frequencies in Hz; the result is mono float32 near full scale at `RATE`.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float32]

RATE: Final = 44_100
# The six square-wave oscillators of the TR-808's cymbal, in Hz.
CYMBAL_HZ: Final = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


def time_axis(seconds: float) -> npt.NDArray[np.float64]:
    """Return the time of each sample in seconds."""
    return np.arange(max(1, round(seconds * RATE))) / RATE


def band_pass(signal: npt.NDArray[np.floating], low: float, high: float) -> npt.NDArray[np.float64]:
    """Keep `low` to `high` Hz, with second-order edges, by FFT."""
    n = len(signal)
    size = 1 << (n + 2048).bit_length()
    f = np.fft.rfftfreq(size, 1 / RATE)
    with np.errstate(divide="ignore"):
        gain = 1 / np.sqrt((1 + (low / f) ** 4) * (1 + (f / high) ** 4))
    return np.fft.irfft(np.fft.rfft(signal, size) * gain, size)[:n]


def normalise_and_fade(signal: npt.NDArray[np.floating], level: float = 1.0) -> Signal:
    """Scale to a peak of `level` and fade out the last 4 ms to avoid a click."""
    out = signal * (level / max(1e-9, float(np.abs(signal).max())))
    fade = min(len(out), round(0.004 * RATE))
    out[len(out) - fade :] *= np.linspace(1, 0, fade)
    return out.astype(np.float32)


def swept_sine(t: npt.NDArray[np.float64], pitch: float, sweep: float, fall: float) -> Signal:
    """Return a sine whose frequency falls from `pitch * (1 + sweep)` with time constant `fall`."""
    return np.sin(2 * np.pi * pitch * (t + sweep * fall * (1 - np.exp(-t / fall))))


def kick(
    rng: np.random.Generator, pitch: float = 50, decay: float = 0.22, click: float = 0.3
) -> Signal:
    """Return a bass drum: a falling sine with a noise click."""
    t = time_axis(decay * 3.2)
    body = swept_sine(t, pitch, 4.0, 0.028) * np.exp(-t / decay)
    noise = band_pass(rng.standard_normal(len(t)), 900, 5500) * np.exp(-t / 0.004)
    return normalise_and_fade(np.tanh(1.6 * body + click * 0.5 * noise))


def snare(
    rng: np.random.Generator, pitch: float = 185, decay: float = 0.13, wires: float = 0.8
) -> Signal:
    """Return a snare drum: two modes of the head and the noise of the wires."""
    t = time_axis(decay * 3.5)
    head = swept_sine(t, pitch, 0.6, 0.012) + 0.6 * swept_sine(t, pitch * 1.78, 0.3, 0.01)
    noise = band_pass(rng.standard_normal(len(t)), 1400, 9000) * np.exp(-t / decay)
    return normalise_and_fade(np.tanh(head * np.exp(-t / (0.6 * decay)) + wires * 1.1 * noise))


def clap(rng: np.random.Generator, decay: float = 0.11, tone: float = 1150) -> Signal:
    """Return hand claps: three short noise bursts and a room tail."""
    t = time_axis(decay * 4 + 0.04)
    shape = np.exp(-np.maximum(t - 0.033, 0) / decay) * (t > 0.033) * 0.7
    for start in (0.0, 0.011, 0.022):
        shape = shape + np.exp(-np.maximum(t - start, 0) / 0.004) * (t >= start)
    return normalise_and_fade(band_pass(rng.standard_normal(len(t)), tone * 0.8, tone * 4) * shape)


def square_cluster(t: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float64]:
    """Return the sum of six inharmonic square waves."""
    return np.sum([np.sign(np.sin(2 * np.pi * f * scale * t)) for f in CYMBAL_HZ], axis=0) / 6


def hat(
    rng: np.random.Generator, decay: float = 0.04, scale: float = 1.6, air: float = 0.7
) -> Signal:
    """Return a hi-hat; a `decay` of 0.04 s is closed, 0.3 s open."""
    t = time_axis(decay * 4.5 + 0.01)
    source = square_cluster(t, scale) + air * rng.standard_normal(len(t)) * 0.5
    return normalise_and_fade(band_pass(source, 7000, 15000) * np.exp(-t / decay))


def cymbal(rng: np.random.Generator, decay: float = 0.7, scale: float = 1.3) -> Signal:
    """Return a crash or ride: inharmonic squares and noise with a slow, darkening tail."""
    t = time_axis(decay * 3.5)
    bright = band_pass(square_cluster(t, scale) + rng.standard_normal(len(t)), 5000, 16000)
    dark = band_pass(
        square_cluster(t, scale * 0.77) + 0.5 * rng.standard_normal(len(t)), 1800, 7000
    )
    return normalise_and_fade(bright * np.exp(-t / (0.5 * decay)) + 0.5 * dark * np.exp(-t / decay))


def tom(rng: np.random.Generator, pitch: float = 110, decay: float = 0.22) -> Signal:
    """Return a tom: a falling sine with a short noise attack."""
    t = time_axis(decay * 3.2)
    skin = band_pass(rng.standard_normal(len(t)), 200, 2500) * np.exp(-t / 0.02)
    body = swept_sine(t, pitch, 0.5, 0.05) + 0.25 * swept_sine(t, pitch * 1.59, 0.3, 0.03)
    return normalise_and_fade(np.tanh(1.3 * body * np.exp(-t / decay) + 0.15 * skin))


def rim(rng: np.random.Generator, pitch: float = 1700) -> Signal:
    """Return a rim shot or side stick: two short high modes and a tick."""
    t = time_axis(0.09)
    modes = np.sin(2 * np.pi * pitch * t) + 0.8 * np.sin(2 * np.pi * pitch * 0.28 * t)
    tick = rng.standard_normal(len(t)) * np.exp(-t / 0.002)
    return normalise_and_fade(modes * np.exp(-t / 0.012) + 0.4 * tick)


def shaker(rng: np.random.Generator, decay: float = 0.05) -> Signal:
    """Return a shaker: noise with a slow attack."""
    t = time_axis(decay * 4)
    shape = (1 - np.exp(-t / 0.014)) * np.exp(-t / decay)
    return normalise_and_fade(band_pass(rng.standard_normal(len(t)), 4500, 11000) * shape)


def conga(rng: np.random.Generator, pitch: float = 210, decay: float = 0.12) -> Signal:
    """Return a hand drum: one clear mode and the slap of the skin."""
    t = time_axis(decay * 4)
    slap = band_pass(rng.standard_normal(len(t)), 800, 4500) * np.exp(-t / 0.008)
    modes = swept_sine(t, pitch, 0.12, 0.02) + 0.3 * np.sin(2 * np.pi * pitch * 2.27 * t)
    return normalise_and_fade(modes * np.exp(-t / decay) + 0.5 * slap)


def cowbell(pitch: float = 540, decay: float = 0.12) -> Signal:
    """Return a cowbell: two squares slightly more than a fifth apart."""
    t = time_axis(decay * 4)
    source = np.sign(np.sin(2 * np.pi * pitch * t)) + np.sign(np.sin(2 * np.pi * pitch * 1.48 * t))
    shape = 0.5 * np.exp(-t / 0.015) + 0.5 * np.exp(-t / decay)
    return normalise_and_fade(band_pass(source, pitch, 4200) * shape)


def vinyl(rng: np.random.Generator, seconds: float = 3.0) -> Signal:
    """Return vinyl surface noise: hiss, rumble and crackle."""
    t = time_axis(seconds)
    hiss = band_pass(rng.standard_normal(len(t)), 500, 7000) * 0.012
    rumble = band_pass(rng.standard_normal(len(t)), 20, 90) * 0.03
    dust = np.where(rng.random(len(t)) < 14 / RATE, rng.standard_normal(len(t)), 0.0)
    pops = np.where(rng.random(len(t)) < 2 / RATE, rng.standard_normal(len(t)), 0.0)
    crackle = band_pass(dust, 1500, 9000) + 1.6 * band_pass(pops, 300, 5000)
    return normalise_and_fade(hiss + rumble + crackle)


def needle(rng: np.random.Generator) -> Signal:
    """Return a needle drop: a thump and fading crackle."""
    out = 0.7 * vinyl(rng, 2.0) * np.exp(-time_axis(2.0) / 0.5)
    thump = kick(rng, 42, 0.1, 1.0)
    out[: len(thump)] += thump
    return normalise_and_fade(out)
