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
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
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


def parse_settings(values: Mapping[str, object]) -> dict[str, Any]:
    """Return valid settings for what is named; others are left out.

    Raises:
        InvalidSetting: For an unknown name, or a value out of range; it carries the name.
    """
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in SETTINGS:
            raise InvalidSetting(str(name)[:60], "This setting does not exist.")
        try:
            parsed[name] = SETTINGS[name].parse(value)
        except ValueError as error:
            raise InvalidSetting(name, str(error)) from None
    return parsed


def change_settings(
    current: Mapping[str, Any], changes: Mapping[str, object], frames: int | None, min_frames: int
) -> dict[str, Any]:
    """Return all settings after a change, with what the device changes along.

    `one_shot` clears gate and loop, and gate or loop clear `one_shot`. A reverse play mode sets
    `loop_top` to the end, a forward one to the start. With vinyl on, pitch, fine and speed are one
    value. Positions are clamped to the audio; a region keeps at least `min_frames`.

    Raises:
        InvalidSetting: If a value is out of range.
    """
    parsed = parse_settings(changes)
    settings = DEFAULTS | dict(current) | parsed
    _apply_trigger(settings, parsed)
    _apply_vinyl(settings, parsed)
    if parsed.get("bpm_sync"):
        settings["speed"] = 100.0
    clamp_positions(settings, frames, min_frames)
    if "play_mode" in parsed and "loop_top" not in parsed:
        is_reverse = str(parsed["play_mode"]).startswith("reverse")
        end = frames if settings["end"] is None else settings["end"]
        settings["loop_top"] = (end or 0) if is_reverse else settings["start"]
    return settings


def _apply_trigger(settings: dict[str, Any], parsed: Mapping[str, Any]) -> None:
    if parsed.get("one_shot"):
        settings |= {"gate": False, "loop": False}
    elif parsed.get("gate") or parsed.get("loop"):
        settings["one_shot"] = False


def _apply_vinyl(settings: dict[str, Any], parsed: Mapping[str, Any]) -> None:
    """With vinyl on, derive speed from pitch, or pitch from speed, and check the smaller range."""
    if not settings["vinyl"]:
        return
    if "speed" in parsed and not {"pitch", "fine"} & set(parsed):
        semitones = 12 * math.log2(settings["speed"] / 100)
        settings["pitch"] = max(VINYL_PITCH[0], min(VINYL_PITCH[1], round(semitones)))
        cents = round(100 * (semitones - settings["pitch"]))
        settings["fine"] = max(VINYL_FINE[0], min(VINYL_FINE[1], cents))
        return
    for name, (low, high) in (("pitch", VINYL_PITCH), ("fine", VINYL_FINE)):
        if low <= settings[name] <= high:
            continue
        if name in parsed:
            raise InvalidSetting(name, f"With vinyl on, choose a value from {low} to {high}.")
        settings[name] = max(low, min(high, settings[name]))
    speed = 100 * 2 ** ((settings["pitch"] + settings["fine"] / 100) / 12)
    settings["speed"] = round(max(50.0, min(150.0, speed)), 2)


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
    lost = [name for name in changed if name not in STORED_BY[device]]
    ping_pong = str(settings.get("play_mode", "")).endswith("ping_pong")
    if device is DeviceKind.SX and ping_pong:
        lost.append("play_mode")
    return sorted(lost)
