"""Standard MIDI Files of patterns, read by another library."""

from io import BytesIO
from typing import Any

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.midi_file import build_midi_file, note_of_pad
from sp404_app.devices.pattern import Pattern, PatternEvent

MK2, SX = DeviceKind.MK2, DeviceKind.SX


def pattern(*events: PatternEvent, ppq: int = 480, length: int = 1920, beats: int = 4) -> Pattern:
    return Pattern(ppq, 1, beats, length, events)


def read(
    content: Pattern, device: DeviceKind = MK2, bpm: float = 90.0, name: str = "A1"
) -> mido.MidiFile:
    return mido.MidiFile(file=BytesIO(build_midi_file(content, device, bpm, name)))


def with_ticks(track: Any) -> list[tuple[int, Any]]:
    """The messages of a track with their absolute ticks."""
    tick, messages = 0, []
    for message in track:
        tick += message.time
        messages.append((tick, message))
    return messages


def notes_in(track: Any) -> list[tuple[int, int, int, int, int]]:
    """Tick, channel, note, velocity and length of each note."""
    sounding: dict[tuple[int, int], tuple[int, int]] = {}
    notes = []
    for tick, message in with_ticks(track):
        if message.type == "note_on":
            key = (message.channel, message.note)
            assert key not in sounding
            sounding[key] = (tick, message.velocity)
        if message.type == "note_off":
            start, velocity = sounding.pop((message.channel, message.note))
            notes.append((start, message.channel, message.note, velocity, tick - start))
    assert not sounding
    return sorted(notes)


def test_the_first_track_has_name_tempo_and_time_signature() -> None:
    midi = read(pattern(beats=3, length=1440), bpm=174.25, name="Dust · Ä é 鼓")
    assert (midi.type, midi.ticks_per_beat, len(midi.tracks)) == (1, 480, 1)
    name, tempo, signature, end = midi.tracks[0]
    assert name.name == "Dust · Ä é ?"
    assert tempo.tempo == 344_333  # 60,000,000 / 174.25, rounded
    assert (signature.numerator, signature.denominator) == (3, 4)
    assert (end.type, end.time) == ("end_of_track", 1440)


def test_each_bank_has_a_track() -> None:
    midi = read(
        pattern(
            PatternEvent(0, 9, 16, 100, 10),
            PatternEvent(0, 0, 1, 90, 120),
            PatternEvent(480, 0, 13, 80, 60),
        )
    )
    assert [track.name for track in midi.tracks] == ["A1", "Bank A", "Bank J"]
    assert notes_in(midi.tracks[1]) == [(0, 0, 48, 90, 120), (480, 0, 36, 80, 60)]
    assert notes_in(midi.tracks[2]) == [(0, 9, 39, 100, 10)]
    assert [with_ticks(track)[-1][0] for track in midi.tracks] == [1920] * 3


def test_sx_patterns_are_scaled_to_480_ticks() -> None:
    events = [PatternEvent(96, 2, 1, 127, 48), PatternEvent(384, 9, 12, 1, 12)]
    midi = read(pattern(*events, ppq=96, length=384), SX)
    assert notes_in(midi.tracks[1]) == [(480, 0, 71, 127, 240)]
    assert notes_in(midi.tracks[2]) == [(1920, 1, 106, 1, 60)]
    assert with_ticks(midi.tracks[0])[-1][0] == 1920


@pytest.mark.parametrize(
    ("device", "bank", "pad", "channel", "note"),
    [
        (MK2, 0, 1, 0, 48),
        (MK2, 0, 4, 0, 51),
        (MK2, 3, 5, 3, 44),
        (MK2, 9, 13, 9, 36),
        (MK2, 9, 16, 9, 39),
        (SX, 0, 1, 0, 47),
        (SX, 4, 12, 0, 106),
        (SX, 5, 1, 1, 47),
    ],
)
def test_notes_are_those_of_the_device(
    device: DeviceKind, bank: int, pad: int, channel: int, note: int
) -> None:
    assert note_of_pad(device, bank, pad) == (channel, note)


def test_a_note_ends_before_the_next_one_starts_at_the_same_tick() -> None:
    midi = read(pattern(PatternEvent(0, 0, 1, 90, 480), PatternEvent(480, 0, 1, 91, 480)))
    types = [(tick, each.type) for tick, each in with_ticks(midi.tracks[1]) if not each.is_meta]
    assert types == [(0, "note_on"), (480, "note_off"), (480, "note_on"), (960, "note_off")]


def test_a_note_that_starts_again_is_ended_there() -> None:
    midi = read(
        pattern(
            PatternEvent(0, 0, 1, 90, 1000),
            PatternEvent(100, 0, 1, 91, 0),
            PatternEvent(100, 0, 1, 92, 5000),
        )
    )
    assert notes_in(midi.tracks[1]) == [(0, 0, 48, 90, 100), (100, 0, 48, 92, 5000)]
    assert with_ticks(midi.tracks[1])[-1][0] == 5100


def test_silent_and_endless_notes_are_heard_for_a_tick() -> None:
    midi = read(pattern(PatternEvent(0, 0, 1, 0, 0)))
    assert notes_in(midi.tracks[1]) == [(0, 0, 48, 1, 1)]


@pytest.mark.parametrize(("semitones", "pressure"), [(4, 81), (-12, 65), (114, 127), (-90, 0)])
def test_a_pitch_is_pressure_on_the_key(semitones: int, pressure: int) -> None:
    midi = read(pattern(PatternEvent(0, 2, 8, 90, 10, semitones)))
    first, second = [message for message in midi.tracks[1] if not message.is_meta][:2]
    assert (first.type, first.channel, first.note, first.value) == ("polytouch", 2, 47, pressure)
    assert (second.type, second.note) == ("note_on", 47)


def test_a_tempo_that_the_format_cannot_hold_is_the_slowest() -> None:
    assert read(pattern(), bpm=0.5).tracks[0][1].tempo == 0xFFFFFF


def test_the_bytes_are_those_of_the_standard() -> None:
    built = build_midi_file(pattern(PatternEvent(200, 0, 13, 100, 60), length=480), MK2, 120, "x")
    assert built == b"".join(
        [
            b"MThd\0\0\0\6\0\1\0\2\1\xe0",
            b"MTrk\0\0\0\x19",
            b"\0\xff\x03\1x" + b"\0\xff\x51\3\7\xa1\x20" + b"\0\xff\x58\4\4\2\x18\x08",
            b"\x83\x60\xff\x2f\0",
            b"MTrk\0\0\0\x18",
            b"\0\xff\x03\6Bank A" + b"\x81\x48\x90\x24\x64" + b"\x3c\x80\x24\x40",
            b"\x81\x5c\xff\x2f\0",
        ]
    )


events = st.builds(
    PatternEvent,
    st.integers(0, 200_000),
    st.integers(0, 9),
    st.integers(1, 12),
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(-12, 114),
)


@given(st.lists(events, max_size=30), st.sampled_from([MK2, SX]), st.text(max_size=200))
def test_every_pattern_is_read_back(
    content: list[PatternEvent], device: DeviceKind, name: str
) -> None:
    midi = read(pattern(*content, length=200_000), device, name=name)
    found = [note[:3] for track in midi.tracks[1:] for note in notes_in(track)]
    wanted = {(each.tick, *note_of_pad(device, each.bank, each.pad)) for each in content}
    assert sorted(found) == sorted(wanted)
