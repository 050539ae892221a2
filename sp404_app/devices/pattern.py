"""Patterns of both devices: which pads play when.

A file has records of 8 bytes; after the record that ends the events, 8 bytes describe the pattern.

| byte of a record | content |
|---|---|
| 0 | ticks from this record to the next |
| 1 | 0x2F + pad, counted from the first pad of bank A or F; 0x80 rest, 0x8C end; others no note |
| 2 | bit 0: banks F to J |
| 3 | pitch, SP-404MKII: 0 or semitones + 13; bit 7 is set if the pad plays mono |
| 4 | velocity |
| 5 | velocity of the release, 64 |
| 6 | ticks that the note lasts, 2 bytes |

The sums of ticks are proven by files of both devices, the rest by two descriptions or more.
"""

from dataclasses import dataclass
from typing import Literal

from sp404_app.devices.capabilities import BANKS, Device
from sp404_app.devices.errors import InvalidDeviceFile

RECORD_BYTES = 8
MAX_FILE_BYTES = 1 << 20  # 131,072 records
FIRST_NOTE, END = 0x2F, 0x8C
BANKS_PER_HALF = len(BANKS) // 2
ORIGINAL_PITCH = 13
MAX_BEATS = 16
BEATS_BY_CODE = {0: 4, 1: 3}  # proven; other codes are described in contradiction


@dataclass(frozen=True, slots=True)
class PatternEvent:
    """A note: bank 0 (A) to 9, pad from 1, velocity 0-127; `tick` counts from the start."""

    tick: int
    bank: int
    pad: int
    velocity: int
    length: int
    semitones: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """Notes in the order of their ticks. A quarter note has `ppq` ticks; `length` is in ticks."""

    ppq: int
    bars: int
    beats_per_bar: int
    length: int
    events: tuple[PatternEvent, ...]

    @property
    def pads_used(self) -> tuple[tuple[int, int], ...]:
        """Return bank and pad of every pad that plays, sorted."""
        return tuple(sorted({(event.bank, event.pad) for event in self.events}))


@dataclass(frozen=True, slots=True)
class PatternLayout:
    """What differs between the devices; `bars_at` is a byte of the last 8."""

    device: Device
    ppq: int
    byte_order: Literal["big", "little"]
    bars_at: int
    has_pitch: bool


def decode_pattern(data: bytes, layout: PatternLayout) -> Pattern:
    """Return the notes of a pattern file. Records of other kinds only take time.

    Raises:
        InvalidDeviceFile: If the file has no end, is cut off after it, or is too long.
    """
    if len(data) > MAX_FILE_BYTES:
        raise InvalidDeviceFile("This pattern is too long.")
    records, closing = _split(data)
    events: list[PatternEvent] = []
    tick = 0
    for record in records:
        event = _decode_event(record, tick, layout)
        events += [event] if event else []
        tick += record[0]
    bars, beats = _measure(tick, closing, layout)
    return Pattern(layout.ppq, bars, beats, tick, tuple(events))


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the records before the end, and the one after it that describes the pattern."""
    starts = range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES)
    records = [data[start : start + RECORD_BYTES] for start in starts]
    end = next((at for at, record in enumerate(records) if record[1] == END), None)
    if end is None:
        raise InvalidDeviceFile("This is not a pattern of a SP-404, or it is cut off.")
    if end + 1 == len(records):
        raise InvalidDeviceFile("This pattern is cut off after its notes.")
    return records[:end], records[end + 1]


def _decode_event(record: bytes, tick: int, layout: PatternLayout) -> PatternEvent | None:
    """Return the note of a record, or None if it has none."""
    bank, pad = divmod(record[1] - FIRST_NOTE, layout.device.pads_per_bank)
    if not 0 <= bank < BANKS_PER_HALF:
        return None
    bank += BANKS_PER_HALF * (record[2] & 1)
    length = int.from_bytes(record[6:8], layout.byte_order)
    pitch = record[3] & 0x7F
    semitones = pitch - ORIGINAL_PITCH if layout.has_pitch and pitch else 0
    return PatternEvent(tick, bank, pad + 1, min(127, record[4]), length, semitones)


def _measure(ticks: int, closing: bytes, layout: PatternLayout) -> tuple[int, int]:
    """Return bars and beats per bar. In all files seen, the ticks are their product."""
    bars = max(1, closing[layout.bars_at])
    beats, rest = divmod(ticks, bars * layout.ppq)
    if rest or not 1 <= beats <= MAX_BEATS:
        beats = BEATS_BY_CODE.get(closing[4], 4)
    return bars, beats
