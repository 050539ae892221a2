"""Patterns of both devices."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.pattern import decode_pattern as decode_mk2
from sp404_app.devices.pattern import Pattern, PatternEvent
from sp404_app.devices.sx.pattern import decode_pattern as decode_sx

END = bytes.fromhex("00 8C 00 00 00 00 00 00")
REST_255 = bytes.fromhex("FF 80 00 00 00 00 00 00")


def rest(ticks: int) -> bytes:
    full, left = divmod(ticks, 255)
    return REST_255 * full + bytes([left, 0x80, 0, 0, 0, 0, 0, 0])


def closing(bars: int, signature: int = 0) -> bytes:
    return bytes([bars, 0, 0, 0, signature, 0x80, bars, 1])


# One bar of 4/4: A1 with a pitch of +4, F1 after a quarter, J16 and E16 in the last one.
MK2 = (
    bytes.fromhex("F0 2F 00 91 5A 40 9F 05")
    + bytes.fromhex("F0 80 00 00 00 00 00 00")
    + bytes.fromhex("00 2F 01 00 64 40 10 01")
    + rest(960)
    + bytes.fromhex("78 7E 41 0D 7F 40 78 00")
    + bytes.fromhex("78 7E 40 13 7F 40 64 00")
    + rest(240)
    + END
    + closing(1)
)
# Four quarter notes: C1, F1, J12 and E12.
SX = (
    bytes.fromhex("60 47 00 00 7F 40 00 30")
    + bytes.fromhex("60 2F 01 00 7F 40 01 80")
    + bytes.fromhex("60 6A 41 00 01 40 00 0C")
    + bytes.fromhex("60 6A 40 00 7F 40 00 0C")
    + END
    + bytes.fromhex("00 01 00 00 00 00 00 00")
)


def test_notes_of_a_mk2_pattern_are_read() -> None:
    assert decode_mk2(MK2) == Pattern(
        ppq=480,
        bars=1,
        beats_per_bar=4,
        length=1920,
        events=(
            PatternEvent(0, bank=0, pad=1, velocity=90, length=1439, semitones=4),
            PatternEvent(480, bank=5, pad=1, velocity=100, length=272, semitones=0),
            PatternEvent(1440, bank=9, pad=16, velocity=127, length=120, semitones=0),
            PatternEvent(1560, bank=4, pad=16, velocity=127, length=100, semitones=6),
        ),
    )


def test_notes_of_an_sx_pattern_are_read() -> None:
    assert decode_sx(SX) == Pattern(
        ppq=96,
        bars=1,
        beats_per_bar=4,
        length=384,
        events=(
            PatternEvent(0, bank=2, pad=1, velocity=127, length=48),
            PatternEvent(96, bank=5, pad=1, velocity=127, length=384),
            PatternEvent(192, bank=9, pad=12, velocity=1, length=12),
            PatternEvent(288, bank=4, pad=12, velocity=127, length=12),
        ),
    )


def test_the_pads_of_a_pattern_are_listed_once() -> None:
    assert decode_mk2(MK2).pads_used == ((0, 1), (4, 16), (5, 1), (9, 16))
    assert decode_mk2(MK2[:8] * 3 + MK2[-16:]).pads_used == ((0, 1),)


@pytest.mark.parametrize(
    ("ticks", "bars", "signature", "beats"),
    [
        (1440, 1, 1, 3),
        (3840, 2, 0, 4),
        (2 * 5 * 480, 2, 4, 5),  # the ticks tell what the code leaves open
        (1441, 1, 1, 3),
        (1921, 1, 0, 4),
        (1921, 1, 9, 4),
        (0, 0, 0, 4),
        (17 * 480, 1, 0, 4),
    ],
)
def test_beats_follow_from_the_ticks(ticks: int, bars: int, signature: int, beats: int) -> None:
    pattern = decode_mk2(rest(ticks) + END + closing(bars, signature))
    assert (pattern.bars, pattern.beats_per_bar) == (max(1, bars), beats)
    assert pattern.length == ticks
    assert pattern.events == ()


@pytest.mark.parametrize(
    "record",
    [
        "10 80 00 8D 5A 40 77 00",  # a deleted note
        "10 8E 01 00 00 4A 40 00",  # a movement of a knob
        "10 7F 00 00 7F 40 10 00",
        "10 2E 00 00 7F 40 10 00",
        "10 FF 00 00 7F 40 10 00",
    ],
)
def test_other_records_only_take_time(record: str) -> None:
    pattern = decode_mk2(bytes.fromhex(record) + END + closing(1))
    assert (pattern.events, pattern.length) == ((), 16)


def test_a_wild_velocity_is_clamped_and_sx_has_notes_up_to_106() -> None:
    loud = bytes.fromhex("01 2F 00 00 FF 40 10 00") + END + closing(1)
    assert decode_mk2(loud).events[0].velocity == 127
    above = bytes.fromhex("01 6B 00 00 7F 40 00 10") + END + closing(1)
    assert decode_sx(above).events == ()
    assert decode_mk2(above).events[0].pad == 13


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a pattern"),
        (MK2[:-16], "not a pattern"),
        (MK2[:-8], "cut off after its notes"),
        (MK2[:-1], "cut off after its notes"),
        (REST_255 * 131_073, "too long"),
    ],
)
def test_other_and_damaged_files_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(InvalidDeviceFile, match=words):
        decode_mk2(data)


def test_bytes_after_the_description_are_ignored() -> None:
    assert decode_mk2(MK2 + b"more") == decode_mk2(MK2)


@given(st.binary(max_size=200) | st.binary(max_size=64).map(lambda data: data + MK2))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for decode, pads in ((decode_mk2, 16), (decode_sx, 12)):
        try:
            pattern = decode(data)
        except InvalidDeviceFile:
            continue
        ticks = [event.tick for event in pattern.events]
        assert ticks == sorted(ticks)
        for event in pattern.events:
            assert 0 <= event.bank <= 9
            assert 1 <= event.pad <= pads
            assert 0 <= event.velocity <= 127


@given(
    st.lists(
        st.tuples(
            st.integers(0, 255),
            st.integers(0, 159),
            st.integers(0, 127),
            st.integers(0, 0xFFFF),
            st.integers(-12, 12),
        )
    )
)
def test_every_note_of_a_mk2_pattern_comes_back(notes: list[tuple[int, ...]]) -> None:
    data, tick, events = b"", 0, []
    for delta, index, velocity, length, semitones in notes:
        half, place = divmod(index, 80)
        record = (delta, 0x2F + place, half, 0x8D + semitones, velocity, 0x40, length)
        data += pack("<6BH", *record)
        bank, pad = divmod(index, 16)
        events.append(PatternEvent(tick, bank, pad + 1, velocity, length, semitones))
        tick += delta
    assert decode_mk2(data + END + closing(1)).events == tuple(events)
