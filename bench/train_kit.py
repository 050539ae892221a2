"""Rendered instruments: drum kits and voices, and the description of a rendered sound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sp404_app.audio.synth import drums, tones
from sp404_app.audio.synth.drums import Signal

Voice = Callable[[int, float], Signal]


@dataclass(frozen=True, slots=True)
class Take:
    """One rendered sound: `group` is how it was made, `label` its class."""

    signal: Signal
    kind: str
    group: str
    label: str
    bpm: float | None = None
    key: str | None = None
    beats: float = 0.0


VOICES = {
    "bass": (tones.bass, 28, 44),
    "keys": (tones.electric_piano, 52, 68),
    "pluck": (tones.pluck, 52, 76),
    "lead": (tones.lead, 60, 80),
    "organ": (tones.organ, 50, 66),
    "pad": (tones.pad, 48, 66),
}


def draw_kit(rng: np.random.Generator) -> dict[str, list[Signal]]:
    """Draw a random drum kit."""
    base = rng.uniform(0, 1)
    return {
        "kick": [
            drums.kick(rng, rng.uniform(40, 72), rng.uniform(0.08, 0.34), rng.uniform(0.05, 0.7))
        ],
        "snare": draw_snares(rng),
        "hat": [
            drums.hat(
                rng,
                (0.02 + 0.06 * base) * rng.uniform(0.8, 1.3),
                rng.uniform(1.2, 2.1),
                rng.uniform(0.2, 1.2),
            )
            for _ in range(2)
        ],
        "open": [drums.hat(rng, rng.uniform(0.1, 0.35))],
        "extra": [draw_percussion(rng)],
    }


def draw_snares(rng: np.random.Generator) -> list[Signal]:
    """Draw a snare, a clap or a rim shot."""
    choice = rng.random()
    if choice < 0.25:
        return [drums.clap(rng, rng.uniform(0.06, 0.18), rng.uniform(800, 1600))]
    if choice < 0.32:
        return [drums.rim(rng, rng.uniform(1200, 2200))]
    return [
        drums.snare(rng, rng.uniform(150, 260), rng.uniform(0.06, 0.22), rng.uniform(0.3, 1.4))
        for _ in range(2)
    ]


def draw_percussion(rng: np.random.Generator) -> Signal:
    """Draw a percussion hit."""
    return [
        lambda: drums.shaker(rng, rng.uniform(0.03, 0.07)),
        lambda: drums.conga(rng, rng.uniform(150, 420), rng.uniform(0.05, 0.2)),
        lambda: drums.rim(rng, rng.uniform(1200, 2600)),
        lambda: drums.cowbell(rng.uniform(400, 800), rng.uniform(0.04, 0.2)),
        lambda: drums.tom(rng, rng.uniform(70, 200), rng.uniform(0.1, 0.3)),
    ][rng.integers(5)]()


def choose(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    """Choose one option."""
    return options[rng.integers(len(options))]
