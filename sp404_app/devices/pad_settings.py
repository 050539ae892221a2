"""Settings that a device stores for a pad: names, ranges, defaults and their dependencies.

Positions (`start`, `end`, `loop_top`) are frames of the pad's audio at the device's rate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sp404_app.devices.capabilities import DeviceKind

MAX_POSITION = 2**31 - 1
MAX_GROUP = 10
MAX_PADS_PER_LINK = 4
# With vinyl on, pitch and speed are one value: 50 to 150 % are −12 to +7 semitones.
VINYL_PITCH = (-12, 7)
VINYL_FINE = (-49, 50)


class InvalidSetting(ValueError):
    """A setting that no device can store."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Number:
    """A numeric setting; `decimals` 0 means an integer. `optional` allows None."""

    low: float
    high: float
    default: float | None
    decimals: int = 0
    optional: bool = False

    def parse(self, value: object) -> float | None:
        """Return a valid value, rounded to `decimals`.

        Raises:
            ValueError: If it is not a number in the range.
        """
        if value is None and self.optional:
            return None
        is_nan = isinstance(value, float) and math.isnan(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or is_nan:
            raise ValueError("Enter a number.")
        if not self.low <= value <= self.high:
            raise ValueError(f"Choose a value from {self.low:g} to {self.high:g}.")
        if self.decimals:
            return round(float(value), self.decimals)
        if value != int(value):
            raise ValueError("Enter a whole number.")
        return int(value)


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off."""

    default: bool

    def parse(self, value: object) -> bool:
        """Return the value.

        Raises:
            ValueError: If it is not a bool.
        """
        if not isinstance(value, bool):
            raise ValueError("This must be true or false.")  # noqa: TRY004 - one error for all settings
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting with named values."""

    values: tuple[str, ...]
    default: str

    def parse(self, value: object) -> str:
        """Return the value.

        Raises:
            ValueError: If it is none of the names.
        """
        if not isinstance(value, str) or value not in self.values:
            raise ValueError(f"Choose one of: {', '.join(self.values)}.")
        return value


POSITION = Number(0, MAX_POSITION, 0)
SETTINGS: dict[str, Number | Switch | Choice] = {
    "level": Number(0, 127, 127),
    "pan": Number(-51, 51, 0),
    "gate": Switch(True),
    "loop": Switch(False),
    "loop_top": POSITION,
    "one_shot": Switch(False),
    "play_mode": Choice(("forward", "reverse", "ping_pong", "reverse_ping_pong"), "forward"),
    "start": POSITION,
    "end": Number(0, MAX_POSITION, None, optional=True),  # None: the end of the audio
    "bpm": Number(40, 200, None, decimals=2, optional=True),
    "bpm_sync": Switch(False),
    "pitch": Number(-12, 12, 0),
    "fine": Number(-100, 100, 0),
    "speed": Number(50, 150, 100, decimals=2),  # per cent
    "vinyl": Switch(True),
    "mute_group": Number(0, MAX_GROUP, 0),
    "pad_link": Number(0, MAX_GROUP, 0),
    "bus": Choice(("dry", "1", "2"), "1"),
    "roll": Number(0, 10, 2),
    "fixed_velocity": Switch(False),
    "vari": Choice(("off", "backing", "ensemble"), "off"),
    "chromatic": Choice(("mono", "legato", "poly"), "mono"),
    "attack": Number(0, 127, 0),
    "hold": Number(1, 100, 100),
    "release": Number(0, 127, 0),
    "lofi": Switch(False),
    "tempo_mode": Choice(("off", "pattern", "user"), "off"),
    "user_bpm": Number(40, 200, None, decimals=2, optional=True),
    "container": Choice(("wav", "aiff"), "wav"),
}
BOTH = frozenset({"level", "gate", "loop", "start", "end", "bpm"})
SX_ONLY = frozenset({"lofi", "tempo_mode", "user_bpm", "container"})
STORED_BY = {
    DeviceKind.MK2: frozenset(SETTINGS) - SX_ONLY,
    DeviceKind.SX: BOTH | SX_ONLY | {"play_mode"},  # of the play modes, forward and reverse
}
DEFAULTS: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}


def parse_settings(values: object) -> dict[str, Any]:
    """Return valid settings for what is named; others are left out.

    Raises:
        InvalidSetting: For an unknown name, or a value out of range; it carries the name.
    """
    if not isinstance(values, Mapping):
        raise InvalidSetting("", "Settings must be an object.")
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in SETTINGS:
            printable = ascii(str(name))[1:-1]  # no response can carry a lone surrogate
            raise InvalidSetting(printable[:60], "This setting does not exist.")
        try:
            parsed[name] = SETTINGS[name].parse(value)
        except ValueError as error:
            raise InvalidSetting(name, str(error)) from None
    return parsed


def change_settings(
    current: Mapping[str, Any], changes: object, frames: int | None, min_frames: int
) -> dict[str, Any]:
    """Return all settings after a change, with what the device changes along.

    `one_shot` clears gate and loop, and gate or loop clear `one_shot`. A change to a reverse play
    mode sets `loop_top` to the end, one to a forward mode to the start. With vinyl on, pitch, fine
    and speed are one value. `bpm_sync` sets the speed to 100 % and fixes it. Positions are clamped
    to the audio; a region keeps at least `min_frames`.

    Raises:
        InvalidSetting: If a value is out of range.
    """
    parsed = parse_settings(changes)
    before = DEFAULTS | dict(current)
    settings = before | parsed
    _apply_trigger(settings, parsed)
    _apply_speed(settings, before, parsed)
    clamp_positions(settings, frames, min_frames)
    turned = is_reverse(settings) != is_reverse(before)
    if turned and "loop_top" not in parsed:
        settings["loop_top"] = default_loop_top(settings, frames)
    return settings


def is_reverse(settings: Mapping[str, Any]) -> bool:
    """Return whether the pad starts to play at its end."""
    return str(settings["play_mode"]).startswith("reverse")


def default_loop_top(settings: Mapping[str, Any], frames: int | None) -> int:
    """Return the loop point that the device sets: the start, or in reverse the end."""
    if not is_reverse(settings):
        return settings["start"]
    end = frames if settings["end"] is None else settings["end"]
    return end or 0


def _apply_trigger(settings: dict[str, Any], parsed: Mapping[str, Any]) -> None:
    if parsed.get("one_shot"):
        settings |= {"gate": False, "loop": False}
    elif parsed.get("gate") or parsed.get("loop"):
        settings["one_shot"] = False


def _apply_speed(
    settings: dict[str, Any], before: Mapping[str, Any], parsed: Mapping[str, Any]
) -> None:
    """Keep pitch, fine and speed consistent with `vinyl` and `bpm_sync`."""
    changed = {name for name in parsed if parsed[name] != before[name]}
    if settings["bpm_sync"]:
        _fix_speed(settings, changed)
    elif settings["vinyl"] and changed & {"pitch", "fine", "speed", "vinyl", "bpm_sync"}:
        _couple_speed(settings, changed)


def _fix_speed(settings: dict[str, Any], changed: set[str]) -> None:
    """Set the speed to 100 %; with vinyl on, pitch and fine are the same value."""
    fixed = {"speed": 100.0} | ({"pitch": 0, "fine": 0} if settings["vinyl"] else {})
    for name, value in fixed.items():
        if name in changed and settings[name] != value:
            raise InvalidSetting(name, "This is fixed while BPM sync is on.")
    settings |= fixed


def _couple_speed(settings: dict[str, Any], changed: set[str]) -> None:
    """Derive speed from pitch, or pitch from speed, and check the smaller range of vinyl."""
    if "speed" in changed and not {"pitch", "fine"} & changed:
        semitones = 12 * math.log2(settings["speed"] / 100)
        settings["pitch"], settings["fine"] = vinyl_pitch(semitones)
        return
    for name, (low, high) in (("pitch", VINYL_PITCH), ("fine", VINYL_FINE)):
        if low <= settings[name] <= high:
            continue
        if name in changed:
            raise InvalidSetting(name, f"With vinyl on, choose a value from {low} to {high}.")
        settings[name] = max(low, min(high, settings[name]))
    speed = 100 * 2 ** ((settings["pitch"] + settings["fine"] / 100) / 12)
    # The device cuts the third decimal: it stores −5 semitones as 74.91 %.
    settings["speed"] = math.floor(100 * max(50.0, min(150.0, speed))) / 100


def vinyl_pitch(semitones: float) -> tuple[int, int]:
    """Return an interval as pitch in semitones and fine in cents, in the ranges of vinyl."""
    pitch = max(VINYL_PITCH[0], min(VINYL_PITCH[1], math.ceil(semitones - 0.5)))
    cents = round(100 * (semitones - pitch))
    return pitch, max(VINYL_FINE[0], min(VINYL_FINE[1], cents))


def clamp_positions(settings: dict[str, Any], frames: int | None, min_frames: int) -> None:
    """Clamp `start`, `end` and `loop_top` to audio of `frames`, in place; None: unknown length."""
    if frames is None:
        if settings["end"] is not None:
            settings["end"] = max(settings["end"], settings["start"] + min_frames)
        return
    shortest = min(min_frames, frames)
    settings["start"] = min(settings["start"], frames - shortest)
    if settings["end"] is not None:
        settings["end"] = min(max(settings["end"], settings["start"] + shortest), frames)
        if settings["end"] == frames:
            settings["end"] = None
    end = frames if settings["end"] is None else settings["end"]
    settings["loop_top"] = min(max(settings["loop_top"], settings["start"]), end)


def unstored_settings(settings: Mapping[str, Any], device: DeviceKind) -> list[str]:
    """Return the names of changed settings that a device cannot store."""
    changed = [name for name, value in settings.items() if value != DEFAULTS.get(name)]
    lost = {name for name in changed if name not in STORED_BY[device]}
    if is_reverse(settings) or settings["loop_top"] == settings["start"]:
        lost.discard("loop_top")  # the whole region is looped, as on a device without loop point
    if device is DeviceKind.SX and str(settings["play_mode"]).endswith("ping_pong"):
        lost.add("play_mode")
    return sorted(lost)
