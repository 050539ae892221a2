"""Pads of a SP-404MKII project: raw bytes to `DevicePad` and back.

Unknown words of a record (word 6, always 1; word 12; words 25 to 42) are kept as they are. The
meaning of the fields was found by files that differ in one setting, see `WORDS`.
"""

from dataclasses import replace
from struct import pack, unpack
from typing import Any

from sp404_app.devices.capabilities import MK2, DeviceKind
from sp404_app.devices.device_pad import (
    MAX_FILE_BYTES,
    DevicePad,
    frame_at_offset,
    offset_of_frame,
)
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.padconf import (
    EMPTY_CHOPS,
    MAX_CHOPS,
    NAME_BYTES,
    Padconf,
    RawPad,
    upgrade_pad,
)
from sp404_app.devices.names import decode_name, encode_name, printable_name
from sp404_app.devices.pad_settings import DEFAULTS, STORED_BY, clamp_positions
from sp404_app.devices.words import (
    PROVEN,
    TWO_SOURCES,
    Word,
    choice,
    decimal,
    integer,
    read_u32,
    read_words,
    shifted,
    signed,
    switch,
    write_u32,
    write_words,
)

SIZE_OFFSET = 0x00  # u32, bytes of the SMP file; 0: the pad is empty; proven
# u32 byte offsets in the SMP file, 512 + frame × 2 × channels. The end is exclusive; untrimmed, it
# is the size. The loop point is the end after a change to reverse, else 512. All proven.
POSITION_OFFSETS = {"start": 0x04, "end": 0x08, "loop_top": 0x2C}
ONE_SHOT_CLEARS_OFFSET = 0x30  # u32, unknown; the device clears it with one-shot; one source
LOOP_ON = 0x7FFF_FFFF
DEFAULT_BPM = 90.0
PLAY_MODES = {0: "forward", 1: "reverse", 2: "ping_pong", 3: "reverse_ping_pong"}
BUSES = {0: "dry", 1: "1", 2: "2"}
VARI = {0: "off", 1: "backing", 2: "ensemble"}
CHROMATIC = {0: "mono", 1: "legato", 2: "poly"}
WORDS = (
    Word(0x0C, "level", integer(0, 127), PROVEN),
    Word(0x10, "gate", switch(), PROVEN),
    Word(0x14, "loop", switch(LOOP_ON), PROVEN),
    Word(0x1C, "mute_group", integer(0, 10), PROVEN),
    Word(0x20, "bpm_sync", switch(), TWO_SOURCES),  # a third source reads it inverted
    Word(0x24, "bpm", decimal(40, 200, 100), PROVEN),
    Word(0x28, "fixed_velocity", switch(), PROVEN, mask=0x01),
    Word(0x28, "vari", choice(VARI, "off"), PROVEN, mask=0x06),
    Word(0x28, "chromatic", choice(CHROMATIC, "mono"), PROVEN, mask=0x18),
    Word(0x28, "one_shot", switch(), PROVEN, mask=0x20),
    Word(0x34, "pitch", signed(-12, 12), PROVEN),
    Word(0x38, "fine", signed(-100, 100), PROVEN),
    Word(0x3C, "play_mode", choice(PLAY_MODES, "forward"), PROVEN),
    Word(0x40, "speed", decimal(50, 150, 100), PROVEN),  # with vinyl on 2^(pitch/12): one source
    Word(0x44, "vinyl", switch(), PROVEN),
    Word(0x48, "pan", shifted(-51, 51, zero=64), PROVEN),
    Word(0x4C, "pad_link", integer(0, 10), PROVEN),
    Word(0x50, "bus", choice(BUSES, "1"), PROVEN),
    Word(0x54, "roll", integer(0, 10), PROVEN),
    Word(0x58, "attack", integer(0, 127), PROVEN),
    Word(0x5C, "hold", integer(1, 100), PROVEN),
    Word(0x60, "release", integer(0, 127), PROVEN),
)
# What reading one of these gives depends on the others.
DEPENDENT = frozenset({"gate", "loop", "one_shot", *POSITION_OFFSETS})


def read_pad(padconf: Padconf, index: int, channels: int) -> DevicePad | None:
    """Return the pad of an index, 0 (A1) to 159 (J16), or None if it is empty.

    PADCONF.BIN does not store `channels`: they are in the header of the pad's SMP file.
    """
    return read_raw_pad(padconf.pads[index], channels)


def read_raw_pad(raw: RawPad, channels: int) -> DevicePad | None:
    """Return what the bytes of a pad mean, or None if it is empty. Wild values are clamped."""
    size = read_u32(raw.record, SIZE_OFFSET)
    if size == 0:
        return None
    frames = frame_at_offset(size, channels)
    settings = DEFAULTS | read_words(raw.record, WORDS)
    for name, offset in POSITION_OFFSETS.items():
        settings[name] = min(frames, frame_at_offset(read_u32(raw.record, offset), channels))
    _make_consistent(settings, frames)
    name = decode_name(raw.name[: MK2.max_pad_name])
    return DevicePad(name, settings, _read_chops(raw.chops, frames), channels, frames)


def storable_pad(pad: DevicePad) -> DevicePad:
    """Return a pad as the device can store it; reading gives it back after writing.

    `settings` must be valid, as `pad_settings.parse_settings` returns them.
    """
    stored = STORED_BY[DeviceKind.MK2]
    settings = DEFAULTS | {name: pad.settings[name] for name in stored & set(pad.settings)}
    if settings["bpm"] is None:
        settings["bpm"] = DEFAULT_BPM
    _make_consistent(settings, pad.frames)
    chops = _storable_chops(pad.chops, pad.frames)
    name = printable_name(pad.name, MK2.max_pad_name)
    return replace(pad, name=name, settings=settings, chops=chops)


def write_pad(pad: DevicePad, raw: RawPad, *, has_same_file: bool = True) -> RawPad:
    """Return the bytes of a pad that was `raw`.

    A field whose reading from `raw` is what the pad wants keeps its bytes, others are encoded. So a
    pad that is unchanged since it was read gives its bytes back. Use `padconf.EMPTY_PAD` as `raw`
    for a new one. If the pad has another file than `raw` describes, or `has_same_file` is not set,
    the size word becomes that of a file of `pad.frames`, and all positions are encoded.

    Raises:
        InvalidDeviceFile: If the sample is too long for the format.
    """
    raw = upgrade_pad(raw)
    current = read_raw_pad(raw, pad.channels)
    if has_same_file and current == pad:
        return raw
    if offset_of_frame(pad.frames, pad.channels) > MAX_FILE_BYTES:
        raise InvalidDeviceFile("This sample is too long for the format of the device.")
    wanted = storable_pad(pad)
    is_other_audio = not has_same_file or not current or current.frames != pad.frames
    record = _change_record(raw, current, pad, wanted, is_other_audio=is_other_audio)
    keeps_name = current and current.name == pad.name
    name = raw.name if keeps_name else encode_name(pad.name, NAME_BYTES)
    keeps_chops = current and current.chops == pad.chops and current.frames == pad.frames
    return RawPad(record, name, raw.chops if keeps_chops else _change_chops(raw, wanted))


def _make_consistent(settings: dict[str, Any], frames: int) -> None:
    """Apply what the device does to settings: one-shot clears gate and loop, a region is long."""
    if settings["one_shot"]:
        settings |= {"gate": False, "loop": False}
    clamp_positions(settings, frames, MK2.min_frames)


def _change_record(
    raw: RawPad,
    current: DevicePad | None,
    pad: DevicePad,
    wanted: DevicePad,
    *,
    is_other_audio: bool,
) -> bytes:
    """Return the record with the fields encoded that differ."""
    before = current.settings if current else {}
    changed = {
        name
        for name, value in (DEFAULTS | dict(pad.settings)).items()
        if not current or before[name] != value or (is_other_audio and name in POSITION_OFFSETS)
    }
    if "one_shot" in changed:
        changed |= {"gate", "loop"}
    record = _encode_fields(raw.record, changed, wanted, is_other_audio=is_other_audio)
    expected = {name: wanted.settings[name] for name in DEPENDENT}
    reading = read_raw_pad(replace(raw, record=record), pad.channels)
    if not reading or expected != {name: reading.settings[name] for name in DEPENDENT}:
        fields = changed | DEPENDENT
        return _encode_fields(raw.record, fields, wanted, is_other_audio=is_other_audio)
    return record


def _encode_fields(
    raw_record: bytes, names: set[str], wanted: DevicePad, *, is_other_audio: bool
) -> bytes:
    record = bytearray(raw_record)
    values = {name: wanted.settings[name] for name in names}
    write_words(record, WORDS, values)
    if is_other_audio:
        write_u32(record, SIZE_OFFSET, offset_of_frame(wanted.frames, wanted.channels))
    for name in names & set(POSITION_OFFSETS):
        frame = wanted.frames if values[name] is None else values[name]
        write_u32(record, POSITION_OFFSETS[name], offset_of_frame(frame, wanted.channels))
    if values.get("one_shot"):
        write_u32(record, ONE_SHOT_CLEARS_OFFSET, 0)
    return bytes(record)


def _read_chops(raw: bytes, frames: int) -> tuple[int, ...]:
    """Return the chops inside the sample; i32 frames, −1 where there is none. Proven."""
    if not raw or raw == EMPTY_CHOPS:
        return ()
    slots = unpack(f">{MAX_CHOPS}i", raw[: 4 * MAX_CHOPS])
    return tuple(sorted({frame for frame in slots if 0 <= frame < frames}))


def _storable_chops(chops: tuple[int, ...], frames: int) -> tuple[int, ...]:
    """Return at most 16 chops; the first of a sample that has any is its start. Proven."""
    inside = {frame for frame in chops if 0 <= frame < frames}
    return tuple(sorted(inside | {0})[:MAX_CHOPS]) if inside else ()


def _change_chops(raw: RawPad, wanted: DevicePad) -> bytes:
    slots = [*wanted.chops, *[-1] * (MAX_CHOPS - len(wanted.chops))]
    return pack(f">{MAX_CHOPS}i", *slots) + raw.chops[4 * MAX_CHOPS :]
