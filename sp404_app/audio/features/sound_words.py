"""Words for how a sound sounds, from its measurements: "dark", "short", "noisy".

A word is relative to the sounds of the same class: a dark hi-hat is brighter than a bright kick.
The limits are the lower and the upper third of each class among 884 real sounds of public packs
(598 labelled drum hits of 15 kits; loops and other sounds by the engine's class), rounded.
"""

from dataclasses import dataclass
from typing import Final

LOUD_LUFS, QUIET_LUFS = -12.0, -28.0
PUNCHY_S, SOFT_S = 0.003, 0.03  # attack


@dataclass(frozen=True, slots=True)
class Limits:
    """Lower and upper third of brightness (Hz), noisiness (0 to 1) and decay (s) of a class."""

    brightness: tuple[float, float]
    noisiness: tuple[float, float]
    decay: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sounding:
    """What the words describe; see `descriptors.Descriptors` and `loudness` for the units."""

    sound_class: str
    is_loop: bool
    duration: float
    brightness: float
    noisiness: float
    attack: float
    decay: float | None
    loudness_lufs: float | None


BY_CLASS: Final = {
    "kick": Limits((350, 1250), (0.03, 0.13), (0.12, 0.23)),
    "tom": Limits((750, 1100), (0.065, 0.095), (0.21, 0.40)),
    "snare": Limits((3100, 4000), (0.31, 0.44), (0.08, 0.12)),
    "clap": Limits((4200, 4800), (0.41, 0.50), (0.08, 0.13)),
    "closed hat": Limits((7800, 8900), (0.70, 0.83), (0.065, 0.105)),
    "open hat": Limits((7200, 7700), (0.72, 0.76), (0.37, 0.52)),
    "cymbal": Limits((5800, 6900), (0.44, 0.60), (0.60, 1.06)),
    "percussion": Limits((1400, 3200), (0.10, 0.26), (0.065, 0.13)),
}
# In loops the decay says nothing, so their length counts.
BREAKS: Final = Limits((3200, 5300), (0.37, 0.61), (2.75, 9.8))
OTHER_LOOPS: Final = Limits((1900, 3500), (0.15, 0.36), (3.4, 8.0))
OTHER_HITS: Final = Limits((1000, 2500), (0.03, 0.25), (0.5, 2.0))


def limits_of(sound: Sounding) -> Limits:
    """Return the limits that the words of a sound are relative to."""
    if sound.is_loop:
        return BREAKS if sound.sound_class == "break" else OTHER_LOOPS
    return BY_CLASS.get(sound.sound_class, OTHER_HITS)


def describe_sound(sound: Sounding) -> tuple[str, ...]:
    """Return the words that describe a sound, in a fixed order; none of them for silence."""
    if sound.brightness <= 0:
        return ()
    limits = limits_of(sound)
    decay = sound.decay if sound.decay is not None and not sound.is_loop else sound.duration
    is_dark, is_bright = _outside(sound.brightness, limits.brightness)
    is_clean, is_noisy = _outside(sound.noisiness, limits.noisiness)
    is_short, is_long = _outside(decay, limits.decay)
    loudness = sound.loudness_lufs
    claims = {
        "dark": is_dark,
        "bright": is_bright,
        "clean": is_clean,
        "noisy": is_noisy,
        "warm": is_clean and not is_bright,
        "short": is_short,
        "long": is_long,
        "punchy": not sound.is_loop and sound.attack <= PUNCHY_S,
        "soft": not sound.is_loop and sound.attack >= SOFT_S,
        "loud": loudness is not None and loudness >= LOUD_LUFS,
        "quiet": loudness is not None and loudness <= QUIET_LUFS,
    }
    return tuple(word for word, holds in claims.items() if holds)


def _outside(value: float, thirds: tuple[float, float]) -> tuple[bool, bool]:
    return value <= thirds[0], value >= thirds[1]
