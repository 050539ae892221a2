"""A pattern as Standard MIDI File: format 1, a track with the tempo, then one track a bank.

Notes are those by which the device itself is played (Roland's MIDI note maps). SP-404MKII, MIDI
mode A: bank A to J on channel 1 to 10, the lowest row of pads from note 36 on. SP-404SX: banks A to
E on channel 1, F to J on channel 2, pads from note 47 on.
"""

from collections.abc import Iterable
from itertools import groupby

from sp404_app.devices.capabilities import BANKS, MK2, PAD_COLUMNS, SX, DeviceKind
from sp404_app.devices.pattern import BANKS_PER_HALF, FIRST_NOTE, Pattern, PatternEvent

PPQ = 480
MICROSECONDS_PER_MINUTE = 60_000_000
MAX_TEMPO = 0xFFFFFF
LOWEST_MK2_NOTE = 36
# The pitch of a note, as Roland's app writes it: pressure on its key, 77 for the original one.
ORIGINAL_PRESSURE = 77
RELEASE_VELOCITY = 64
NOTE_OFF, NOTE_ON, KEY_PRESSURE = 0x80, 0x90, 0xA0


def build_midi_file(pattern: Pattern, device: DeviceKind, bpm: float, name: str) -> bytes:
    """Return a pattern as Standard MIDI File with 480 ticks a quarter note.

    A note that starts again before its end is ended there. A note of another pitch keeps its key,
    and its pitch is sent before it as pressure on that key. Characters of `name` outside Latin-1
    become "?".
    """
    end = _scale(pattern.length, pattern)
    tracks = [_track(_describe(pattern, bpm, name), end)]
    by_bank = sorted(pattern.events, key=lambda event: (event.bank, event.tick))
    for bank, events in groupby(by_bank, key=lambda event: event.bank):
        messages = [(0, 0, _meta(0x03, f"Bank {BANKS[bank]}".encode("ascii")))]
        messages += _bank_messages(events, pattern, device)
        tracks.append(_track(messages, end))
    header = b"MThd" + b"".join(
        number.to_bytes(size, "big")
        for number, size in ((6, 4), (1, 2), (len(tracks), 2), (PPQ, 2))
    )
    return header + b"".join(tracks)


def note_of_pad(device: DeviceKind, bank: int, pad: int) -> tuple[int, int]:
    """Return channel (from 0) and note by which a device plays a pad."""
    if device is DeviceKind.MK2:
        row, column = divmod(pad - 1, PAD_COLUMNS)
        rows_below = MK2.pads_per_bank // PAD_COLUMNS - 1 - row
        return bank, LOWEST_MK2_NOTE + rows_below * PAD_COLUMNS + column
    half, bank_in_half = divmod(bank, BANKS_PER_HALF)
    return half, FIRST_NOTE + bank_in_half * SX.pads_per_bank + pad - 1


def _describe(pattern: Pattern, bpm: float, name: str) -> list[tuple[int, int, bytes]]:
    """Return name, tempo and time signature."""
    tempo = min(MAX_TEMPO, round(MICROSECONDS_PER_MINUTE / bpm))
    clocks_per_quarter, notes_per_quarter = 24, 8
    signature = bytes([pattern.beats_per_bar, 2, clocks_per_quarter, notes_per_quarter])
    return [
        (0, 0, _meta(0x03, name.encode("latin-1", "replace"))),
        (0, 0, _meta(0x51, tempo.to_bytes(3, "big"))),
        (0, 0, _meta(0x58, signature)),
    ]


def _bank_messages(
    events: Iterable[PatternEvent], pattern: Pattern, device: DeviceKind
) -> list[tuple[int, int, bytes]]:
    """Return the messages of the notes of one bank, ends before starts at one tick."""
    messages: list[tuple[int, int, bytes]] = []
    by_pad = sorted(events, key=lambda event: (event.pad, event.tick))
    for pad, same_pad in groupby(by_pad, key=lambda event: event.pad):
        notes = list({event.tick: event for event in same_pad}.values())
        channel, note = note_of_pad(device, notes[0].bank, pad)
        starts = [_scale(event.tick, pattern) for event in notes]
        for event, start, following in zip(notes, starts, [*starts[1:], None], strict=True):
            end = start + max(1, _scale(event.length, pattern))
            end = end if following is None else min(end, following)
            if event.semitones:
                pressure = max(0, min(127, ORIGINAL_PRESSURE + event.semitones))
                messages.append((start, 1, bytes([KEY_PRESSURE | channel, note, pressure])))
            # A note of velocity 0 would be its end.
            messages.append((start, 2, bytes([NOTE_ON | channel, note, max(1, event.velocity)])))
            messages.append((end, 0, bytes([NOTE_OFF | channel, note, RELEASE_VELOCITY])))
    return messages


def _scale(ticks: int, pattern: Pattern) -> int:
    return ticks * PPQ // pattern.ppq


def _track(messages: list[tuple[int, int, bytes]], end: int) -> bytes:
    """Return a track that lasts at least until a tick."""
    body = bytearray()
    now = 0
    for tick, _, message in sorted(messages, key=lambda each: each[:2]):
        body += _variable_length(tick - now) + message
        now = tick
    body += _variable_length(max(0, end - now)) + _meta(0x2F, b"")
    return b"MTrk" + len(body).to_bytes(4, "big") + bytes(body)


def _meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + _variable_length(len(data)) + data


def _variable_length(number: int) -> bytes:
    """Return a number in groups of 7 bits, of which all but the last have bit 7 set."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | number & 0x7F)
    return bytes(reversed(groups))
