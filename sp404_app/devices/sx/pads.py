"""Pads of a SP-404SX or SP-404A: records of PAD_INFO.BIN to `DevicePad` and back.

| offset | bytes | field |
|---|---|---|
| 0 | 4 | start of the sample, always 512 |
| 4 | 4 | end of the sample, the size of its file; 512 if the pad is empty |
| 8, 12 | 4, 4 | start and exclusive end of the region that plays |
| 16-21, 23 | 1 each | see `WORDS` |
| 22 | 1 | channels, 1 or 2 |
| 24, 28 | 4, 4 | original and user's tempo, tenths of BPM |

The offsets count bytes in the sample file: 512 + frame × 2 × channels. All fields are proven by
files that differ in one setting.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.device_pad import (
    HEADER_BYTES,
    MAX_FILE_BYTES,
    DevicePad,
    frame_at_offset,
    offset_of_frame,
)
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.pad_settings import (
    DEFAULTS,
    STORED_BY,
    clamp_positions,
    default_loop_top,
    is_reverse,
)
from sp404_app.devices.sx.pad_info import PadInfo
from sp404_app.devices.sx.tempo import derive_tempo
from sp404_app.devices.words import (
    PROVEN,
    Codec,
    Word,
    choice,
    integer,
    read_u32,
    read_words,
    switch,
    write_u32,
    write_words,
)

ORIGINAL_START, ORIGINAL_END, CHANNELS = 0, 4, 22
POSITION_OFFSETS = {"start": 8, "end": 12}
LOW_BPM, HIGH_BPM = 40, 200
USER_TEMPO_FACTORS = (0.5, 1.3)  # of the original tempo
MIN_REGION_FRAMES = 1  # a smaller bound is not known
# A tempo of 0 is read as unknown, and never written.
TEMPO = Codec(
    lambda raw: max(LOW_BPM * 10, min(HIGH_BPM * 10, raw)) / 10 if raw else None,
    lambda bpm: round(bpm * 10),
)
BYTE = {"mask": 0xFF, "width": 1}
WORDS = (
    Word(16, "level", integer(0, 127), PROVEN, **BYTE),
    Word(17, "lofi", switch(), PROVEN, **BYTE),
    Word(18, "loop", switch(), PROVEN, **BYTE),
    Word(19, "gate", switch(), PROVEN, **BYTE),
    Word(20, "play_mode", choice({0: "forward", 1: "reverse"}, "forward"), PROVEN, **BYTE),
    Word(21, "container", choice({0: "aiff", 1: "wav"}, "wav"), PROVEN, **BYTE),
    Word(23, "tempo_mode", choice({0: "off", 1: "pattern", 2: "user"}, "off"), PROVEN, **BYTE),
    Word(24, "bpm", TEMPO, PROVEN),
    Word(28, "user_bpm", TEMPO, PROVEN),
)
# What reading one of these gives depends on the others.
DEPENDENT = frozenset(POSITION_OFFSETS)


def read_pad(pad_info: PadInfo, index: int) -> DevicePad | None:
    """Return the pad of an index, 0 (A1) to 119 (J12), or None if it is empty."""
    return read_record(pad_info.records[index])


def read_record(raw: bytes, channels: int | None = None) -> DevicePad | None:
    """Return what a record means, or None if its pad is empty. Wild values are clamped.

    `channels` are those of the pad's file, if it is known: the record may have a stale number.

    A deleted sample leaves its flags behind, so only the end tells whether the pad is empty. The
    device stores no loop point: a loop is the whole region.
    """
    size = read_u32(raw, ORIGINAL_END)
    if size <= HEADER_BYTES:
        return None
    channels = channels or (1 if raw[CHANNELS] == 1 else 2)
    frames = frame_at_offset(size, channels)
    settings = DEFAULTS | read_words(raw, WORDS)
    for name, offset in POSITION_OFFSETS.items():
        settings[name] = min(frames, frame_at_offset(read_u32(raw, offset), channels))
    _make_consistent(settings, frames)
    return DevicePad("", settings, (), channels, frames)


def zero_tempos(raw: bytes) -> set[str]:
    """Return which of "bpm" and "user_bpm" a record stores as 0; it may crash TIME/BPM."""
    return {name for name, value in read_words(raw, WORDS).items() if value is None}


def storable_pad(pad: DevicePad) -> DevicePad:
    """Return a pad as the device can store it; reading gives it back after writing a new record.

    A ping-pong mode becomes its first direction. Tempos have one decimal; an unknown one is derived
    from the length, and the user's is 0.5 to 1.3 times the original. `settings` must be valid, as
    `pad_settings.parse_settings` returns them.
    """
    stored = STORED_BY[DeviceKind.SX]
    settings = DEFAULTS | {name: pad.settings[name] for name in stored & set(pad.settings)}
    settings["play_mode"] = "reverse" if is_reverse(settings) else "forward"
    bpm = derive_tempo(pad.frames) if settings["bpm"] is None else round(settings["bpm"], 1)
    settings["bpm"] = bpm
    settings["user_bpm"] = _storable_user_tempo(settings["user_bpm"], bpm)
    _make_consistent(settings, pad.frames)
    return replace(pad, name="", settings=settings, chops=())


def write_pad(pad: DevicePad, raw: bytes, *, has_same_file: bool = True) -> bytes:
    """Return the record of a pad whose record was `raw`.

    A field whose reading from `raw` is what the pad wants keeps its bytes, others are encoded. So a
    pad that is unchanged since it was read gives its bytes back. Use `pad_info.EMPTY_RECORD` as
    `raw` for a new one. If the pad has another file than `raw` describes, or `has_same_file` is not
    set, size, channels and all positions are encoded.

    Raises:
        InvalidDeviceFile: If the sample is empty, or too long for the format.
    """
    current = read_record(raw, pad.channels)
    if has_same_file and current == pad:
        return raw
    if not HEADER_BYTES < offset_of_frame(pad.frames, pad.channels) <= MAX_FILE_BYTES:
        raise InvalidDeviceFile("This sample is empty or too long for the format of the device.")
    wanted = storable_pad(pad)
    is_other_audio = not has_same_file or not current or current.frames != pad.frames
    changed = _changed_names(pad, current, is_other_audio=is_other_audio)
    record = _encode_fields(raw, changed, wanted, is_other_audio=is_other_audio)
    reading = read_record(record, pad.channels)
    if not reading or any(reading.settings[name] != wanted.settings[name] for name in DEPENDENT):
        changed |= DEPENDENT
        return _encode_fields(raw, changed, wanted, is_other_audio=is_other_audio)
    return record


def _make_consistent(settings: dict[str, Any], frames: int) -> None:
    clamp_positions(settings, frames, MIN_REGION_FRAMES)
    settings["loop_top"] = default_loop_top(settings, frames)


def _storable_user_tempo(user_bpm: float | None, bpm: float) -> float:
    """Return the user's tempo in the range that the device allows, in BPM with one decimal."""
    low, high = (factor * bpm for factor in USER_TEMPO_FACTORS)
    wanted = bpm if user_bpm is None else round(user_bpm, 1)
    lowest = max(LOW_BPM, math.ceil(round(10 * low, 6)) / 10)
    highest = min(HIGH_BPM, math.floor(round(10 * high, 6)) / 10)
    return max(lowest, min(highest, wanted))


def _changed_names(pad: DevicePad, current: DevicePad | None, *, is_other_audio: bool) -> set[str]:
    """Return the names of the settings to encode."""
    settings: Mapping[str, Any] = DEFAULTS | dict(pad.settings)
    if not current:
        return set(settings)
    changed = {name for name, value in settings.items() if current.settings[name] != value}
    return changed | DEPENDENT if is_other_audio else changed


def _encode_fields(
    raw: bytes, names: set[str], wanted: DevicePad, *, is_other_audio: bool
) -> bytes:
    record = bytearray(raw)
    values = {name: wanted.settings[name] for name in names}
    write_words(record, WORDS, values)
    if is_other_audio:
        write_u32(record, ORIGINAL_START, HEADER_BYTES)
        write_u32(record, ORIGINAL_END, offset_of_frame(wanted.frames, wanted.channels))
        record[CHANNELS] = wanted.channels
    for name in names & DEPENDENT:
        frame = wanted.frames if values[name] is None else values[name]
        write_u32(record, POSITION_OFFSETS[name], offset_of_frame(frame, wanted.channels))
    return bytes(record)
