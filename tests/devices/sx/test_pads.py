"""Pads of a SP-404SX: each field at its offset, and what is kept."""

from dataclasses import replace
from struct import pack, unpack_from
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.pad_settings import DEFAULTS, parse_settings
from sp404_app.devices.sx.pad_info import EMPTY_RECORD, PadInfo, decode_pad_info
from sp404_app.devices.sx.pads import (
    read_pad,
    read_record,
    storable_pad,
    write_pad,
    zero_tempos,
)
from sp404_app.devices.sx.tempo import derive_tempo
from tests.devices.real_files import needs_real_files, real_file
from tests.devices.strategies import device_pads

FRAMES = 88_200  # two seconds: one bar at 120 BPM
SIZE = 512 + FRAMES * 4
# Start, end, start and end of the region, then bytes 16 to 23, then the tempos.
LOADED = (512, SIZE, 512, SIZE, 127, 0, 0, 1, 0, 1, 2, 0, 1200, 1200)
RECORD = ">4I8B2I"
records = st.binary(min_size=32, max_size=32) | st.builds(
    lambda places, flags, tempos: pack(RECORD, *places, *flags, *tempos),
    st.tuples(*[st.integers(0, 6000)] * 4),
    st.tuples(*[st.integers(0, 3)] * 8),
    st.tuples(*[st.integers(0, 3000)] * 2),
)


def record(changes: dict[int, int] | None = None) -> bytes:
    return pack(RECORD, *((changes or {}).get(at, number) for at, number in enumerate(LOADED)))


def default_pad(**settings: Any) -> DevicePad:
    tempos = {"bpm": 120.0, "user_bpm": 120.0}
    return DevicePad("", DEFAULTS | tempos | settings, (), 2, FRAMES)


def changed_fields(raw: bytes) -> dict[int, int]:
    numbers = unpack_from(RECORD, raw)
    return {at: number for at, number in enumerate(numbers) if number != LOADED[at]}


FIELDS: list[tuple[dict[str, Any], dict[int, int]]] = [
    ({}, {}),
    ({"start": 500, "loop_top": 500}, {2: 2512}),
    ({"end": 9000}, {3: 36_512}),
    ({"level": 5}, {4: 5}),
    ({"lofi": True}, {5: 1}),
    ({"loop": True}, {6: 1}),
    ({"gate": False}, {7: 0}),
    ({"play_mode": "reverse", "loop_top": FRAMES}, {8: 1}),
    ({"container": "aiff"}, {9: 0}),
    ({"tempo_mode": "pattern"}, {11: 1}),
    ({"tempo_mode": "user"}, {11: 2}),
    ({"bpm": 109.9}, {12: 1099}),
    ({"user_bpm": 60.0}, {13: 600}),
    ({"user_bpm": 156.0}, {13: 1560}),
]


@pytest.mark.parametrize(("settings", "fields"), FIELDS)
def test_a_setting_has_its_field(settings: dict[str, Any], fields: dict[int, int]) -> None:
    wanted = default_pad(**settings)
    assert changed_fields(write_pad(wanted, record())) == fields
    assert read_record(record(fields)) == wanted
    assert changed_fields(write_pad(wanted, EMPTY_RECORD)) == fields


def test_an_empty_pad_is_none_whatever_flags_it_has() -> None:
    assert read_pad(PadInfo(), 119) is None
    assert read_record(record({1: 512, 4: 3, 5: 1, 10: 1})) is None


def test_mono_is_in_the_record_and_positions_land_on_whole_frames() -> None:
    mono = replace(default_pad(start=3, loop_top=3, end=44_100), channels=1, frames=FRAMES)
    raw = write_pad(mono, record())
    assert changed_fields(raw) == {1: 176_912, 2: 518, 3: 88_712, 10: 1}
    assert read_record(raw) == mono
    assert read_record(record({2: 515})) == default_pad()


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({4: 255}, {"level": 127}),
        ({7: 200}, {"gate": True}),
        ({8: 2}, {"play_mode": "forward"}),
        ({9: 7}, {"container": "wav"}),
        ({11: 3}, {"tempo_mode": "off"}),
        ({12: 1, 13: 0xFFFFFFFF}, {"bpm": 40.0, "user_bpm": 200.0}),
        ({12: 0, 13: 0}, {"bpm": None, "user_bpm": None}),
        ({2: 0xFFFFFFFF}, {"start": FRAMES - 1, "loop_top": FRAMES - 1}),
        ({3: 0}, {"end": 1}),
        ({3: 0xFFFFFFFF}, {"end": None}),
        ({10: 0}, {}),
    ],
)
def test_wild_values_are_clamped(fields: dict[int, int], settings: dict[str, Any]) -> None:
    raw = record(fields)
    pad = default_pad(**settings)
    assert read_record(raw) == pad
    assert write_pad(pad, raw) == raw


def test_only_what_changed_is_encoded() -> None:
    odd = {0: 300, 2: 515, 3: SIZE + 9, 5: 9, 6: 7, 9: 5, 12: 0, 13: 9999}
    raw = record(odd)
    pad = read_record(raw)
    assert pad is not None
    after = write_pad(replace(pad, settings={**pad.settings, "level": 3}), raw)
    assert changed_fields(after) == odd | {4: 3}


def test_a_position_that_was_clamped_is_encoded_when_it_is_read_otherwise() -> None:
    raw = record({2: 4512, 3: 0})  # the end is read as one frame after the start
    pad = read_record(raw)
    assert pad is not None
    assert pad.settings["end"] == 1001
    after = write_pad(replace(pad, settings={**pad.settings, "start": 500}), raw)
    assert changed_fields(after) == {2: 2512, 3: 4516}


def test_unknown_tempos_are_derived_and_never_0() -> None:
    raw = write_pad(default_pad(bpm=None, user_bpm=None), EMPTY_RECORD)
    assert unpack_from(">2I", raw, 24) == (1200, 1200)
    raw = write_pad(default_pad(bpm=90.04, user_bpm=None), record({12: 0, 13: 0}))
    assert unpack_from(">2I", raw, 24) == (900, 0)  # the second was unknown before


def test_tempos_that_are_stored_as_0_are_named() -> None:
    assert zero_tempos(record()) == set()
    assert zero_tempos(record({12: 0})) == {"bpm"}
    assert zero_tempos(record({12: 0, 13: 0})) == {"bpm", "user_bpm"}


@pytest.mark.parametrize(
    ("bpm", "user", "stored"),
    [(120, 200, 1560), (120, 40, 600), (60, 40, 400), (170, 200, 2000), (99.9, 40, 500)],
)
def test_the_users_tempo_is_half_to_thirteen_tenths(bpm: float, user: float, stored: int) -> None:
    raw = write_pad(default_pad(bpm=bpm, user_bpm=user), EMPTY_RECORD)
    assert unpack_from(">I", raw, 28) == (stored,)


def test_what_the_device_cannot_store_is_left_out() -> None:
    pad = replace(default_pad(play_mode="reverse_ping_pong", pan=5, pitch=3), name="x", chops=(0,))
    assert storable_pad(pad) == default_pad(play_mode="reverse", loop_top=FRAMES)


@pytest.mark.parametrize("frames", [0, 2**30])
def test_empty_and_endless_samples_are_refused(frames: int) -> None:
    with pytest.raises(InvalidDeviceFile, match="empty or too long"):
        write_pad(replace(default_pad(), frames=frames), EMPTY_RECORD)


@given(device_pads)
def test_every_storable_pad_comes_back(pad: DevicePad) -> None:
    raw = write_pad(pad, EMPTY_RECORD)
    assert len(raw) == 32
    assert read_record(raw) == storable_pad(pad)
    assert storable_pad(storable_pad(pad)) == storable_pad(pad)


@given(records)
def test_any_bytes_are_read_as_valid_settings_and_given_back(raw: bytes) -> None:
    pad = read_record(raw)
    if pad:
        assert parse_settings(pad.settings) == pad.settings
        assert write_pad(pad, raw) == raw


@given(records, device_pads)
def test_a_pad_comes_back_from_any_bytes(raw: bytes, pad: DevicePad) -> None:
    before = read_record(raw, pad.channels)
    after = read_record(write_pad(pad, raw), pad.channels)
    assert after is not None
    wanted = storable_pad(pad)
    assert after.frames == wanted.frames
    for name, value in after.settings.items():
        # What was read before is kept, also where a new value would be another one.
        kept = before and name in ("bpm", "user_bpm") and before.settings[name] == value
        assert value == wanted.settings[name] or kept


def test_stale_channels_are_kept_with_the_file_and_written_with_another_one() -> None:
    odd = {1: 512 + 2 * FRAMES, 2: 512 + 2 * 300, 3: 512 + 2 * FRAMES + 1}
    raw = record(odd)
    mono = read_record(raw, channels=1)
    assert mono is not None
    assert (mono.frames, mono.settings["start"], mono.settings["end"]) == (FRAMES, 300, None)
    assert write_pad(mono, raw) == raw
    louder = replace(mono, settings={**mono.settings, "level": 3})
    assert changed_fields(write_pad(louder, raw)) == odd | {4: 3}
    anew = odd | {3: 512 + 2 * FRAMES, 10: 1}
    assert changed_fields(write_pad(mono, raw, has_same_file=False)) == anew


@needs_real_files
def test_real_pads_give_their_bytes_back() -> None:
    pad_info = decode_pad_info(real_file("sx/PAD_INFO.BIN"))
    pads = [read_pad(pad_info, index) for index in range(120)]
    used = [(index, pad) for index, pad in enumerate(pads) if pad]
    assert len(used) == 18
    for index, pad in used:
        assert write_pad(pad, pad_info.records[index]) == pad_info.records[index]
        assert write_pad(pad, EMPTY_RECORD) == pad_info.records[index]


@needs_real_files
def test_options_set_on_a_device_are_read() -> None:
    first, options = map(read_record, map(real_file, ("sx/PAD_A1.BIN", "sx/OPTIONS_A.BIN")))
    assert first is not None
    assert options is not None
    common = {"level": 87, "play_mode": "reverse", "bpm": 109.9, "user_bpm": 109.9}
    assert (first.channels, first.frames) == (2, 96_219)
    assert first.settings == DEFAULTS | common | {"gate": False, "loop_top": 96_219}
    switches = {"lofi": True, "loop": True, "gate": True}
    named = {"container": "aiff", "tempo_mode": "pattern"}
    assert (options.channels, options.frames) == (1, 192_438)
    assert options.settings == DEFAULTS | common | switches | named | {"loop_top": 192_438}


@needs_real_files
def test_the_tempo_of_real_samples_follows_from_their_length() -> None:
    pad_info = decode_pad_info(real_file("sx/PAD_INFO.BIN"))
    pads = [pad for index in range(120) if (pad := read_pad(pad_info, index))]
    others = [pad for pad in pads if derive_tempo(pad.frames) != pad.settings["bpm"]]
    assert [pad.settings["tempo_mode"] for pad in others] == ["user"]


@pytest.mark.parametrize(
    ("frames", "bpm"),
    [
        (88_200, 120.0),  # one bar
        (176_400, 120.0),  # two bars
        (96_219, 109.9),  # cut, not rounded: 109.9999
        (102_232, 103.5),
        (769_152, 110.0),  # 8 bars, not 9
        (1_539_491, 123.7),  # 18 bars
        (13_228, 100.0),  # an eighth of a bar
        (44_100, 120.0),  # half a bar
        (1, 80.7),
        (0, 120.0),
    ],
)
def test_the_tempo_of_a_new_sample_is_near_120(frames: int, bpm: float) -> None:
    assert derive_tempo(frames) == bpm


@given(st.integers(1, 2**30))
def test_every_length_has_a_tempo_that_the_device_can_store(frames: int) -> None:
    assert 80 <= derive_tempo(frames) <= 160
