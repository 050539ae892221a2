"""Pads of a SP-404MKII: each field at its offset, and what is kept."""

from dataclasses import replace
from struct import pack, unpack_from
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.device_pad import DevicePad
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.padconf import EMPTY_PAD, RawPad, create_padconf, decode_padconf
from sp404_app.devices.mk2.pads import read_pad, read_raw_pad, storable_pad, write_pad
from sp404_app.devices.pad_settings import DEFAULTS, parse_settings
from tests.devices.real_files import needs_real_files, real_file, real_padconfs
from tests.devices.strategies import device_pads

FRAMES = 10_000
SIZE = 512 + FRAMES * 4
# Words of the record of a stereo pad with 10,000 frames and the device's defaults.
LOADED = (
    *(SIZE, 512, SIZE, 127, 1, 0, 1, 0, 0, 9000, 0, 512, 0, 0, 0, 0, 10_000, 1, 64, 0, 1, 2, 0),
    *(100, 0, *[0] * 18),
)
raw_pads = st.builds(
    RawPad,
    st.binary(min_size=172, max_size=172)
    | st.lists(st.integers(0, 3) | st.integers(500, 1000), min_size=43, max_size=43).map(
        lambda words: pack(">43I", *words)
    ),
    st.binary(min_size=24, max_size=24),
    st.binary(min_size=128, max_size=128) | st.just(b""),
)


def raw_pad(changes: dict[int, int] | None = None, name: bytes = b"kick") -> RawPad:
    words = [(changes or {}).get(at, word) for at, word in enumerate(LOADED)]
    return replace(EMPTY_PAD, record=pack(">43I", *words), name=name.ljust(24, b"\0"))


def default_pad(**settings: Any) -> DevicePad:
    return DevicePad("kick", DEFAULTS | {"bpm": 90.0} | settings, (), 2, FRAMES)


def changed_words(record: bytes) -> dict[int, int]:
    words = unpack_from(">43I", record)
    return {at: word for at, word in enumerate(words) if word != LOADED[at]}


# What differs in the settings, and the words that differ in the record.
FIELDS: list[tuple[dict[str, Any], dict[int, int]]] = [
    ({"start": 500}, {1: 2512, 11: 2512}),
    ({"end": 9000}, {2: 36_512}),
    ({"level": 0}, {3: 0}),
    ({"gate": False}, {4: 0}),
    ({"loop": True}, {5: 0x7FFFFFFF}),
    ({"mute_group": 10}, {7: 10}),
    ({"bpm_sync": True}, {8: 1}),
    ({"bpm": 40.0}, {9: 4000}),
    ({"bpm": 174.25}, {9: 17_425}),
    ({"fixed_velocity": True}, {10: 1}),
    ({"vari": "backing"}, {10: 2}),
    ({"vari": "ensemble"}, {10: 4}),
    ({"chromatic": "legato"}, {10: 8}),
    ({"chromatic": "poly"}, {10: 16}),
    ({"one_shot": True, "gate": False}, {4: 0, 10: 32}),
    ({"loop_top": 1000}, {11: 4512}),
    ({"pitch": -12}, {13: 0xFFFFFFF4}),
    ({"pitch": 12}, {13: 12}),
    ({"fine": -100}, {14: 0xFFFFFF9C}),
    ({"fine": 100}, {14: 100}),
    ({"play_mode": "reverse", "loop_top": FRAMES}, {15: 1, 11: SIZE}),
    ({"play_mode": "ping_pong"}, {15: 2}),
    ({"play_mode": "reverse_ping_pong"}, {15: 3}),
    ({"speed": 74.91}, {16: 7491}),
    ({"vinyl": False}, {17: 0}),
    ({"pan": -51}, {18: 13}),
    ({"pan": 51}, {18: 115}),
    ({"pad_link": 1}, {19: 1}),
    ({"bus": "dry"}, {20: 0}),
    ({"bus": "2"}, {20: 2}),
    ({"roll": 7}, {21: 7}),
    ({"attack": 127}, {22: 127}),
    ({"hold": 1}, {23: 1}),
    ({"release": 5}, {24: 5}),
]


@pytest.mark.parametrize(("settings", "words"), FIELDS)
def test_a_setting_has_its_words(settings: dict[str, Any], words: dict[int, int]) -> None:
    wanted = default_pad(**({"loop_top": 500} if "start" in settings else {}), **settings)
    assert changed_words(write_pad(wanted, raw_pad()).record) == words
    assert read_raw_pad(raw_pad(words), 2) == wanted
    assert changed_words(write_pad(wanted, EMPTY_PAD).record) == words


def test_a_size_inside_a_frame_is_kept_with_the_file_and_written_with_another_one() -> None:
    raw = raw_pad({0: SIZE + 3})
    pad = read_raw_pad(raw, 2)
    assert pad
    assert pad == default_pad()
    assert write_pad(pad, raw) == raw
    assert write_pad(pad, raw, has_same_file=False) == raw_pad()


def test_a_new_pad_has_the_defaults_of_a_loaded_one() -> None:
    raw = write_pad(default_pad(bpm=None), EMPTY_PAD)
    assert raw == raw_pad()


def test_an_empty_pad_is_none() -> None:
    assert read_pad(create_padconf(), 0, 2) is None


def test_positions_are_frames_of_the_channels() -> None:
    mono = read_raw_pad(raw_pad({0: 512 + 2 * FRAMES, 1: 1512, 2: 512 + 2 * 5000, 11: 1512}), 1)
    assert mono is not None
    assert mono.frames == FRAMES
    assert [mono.settings[name] for name in ("start", "end", "loop_top")] == [500, 5000, 500]


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ({3: 1000}, {"level": 127}),
        ({4: 7}, {"gate": True}),
        ({5: 1}, {"loop": True}),
        ({7: 11}, {"mute_group": 10}),
        ({9: 0}, {"bpm": 40.0}),
        ({9: 0xFFFFFFFF}, {"bpm": 200.0}),
        ({10: 6}, {"vari": "off"}),
        ({10: 24}, {"chromatic": "mono"}),
        ({10: 32, 4: 1, 5: 1}, {"one_shot": True, "gate": False, "loop": False}),
        ({11: 0}, {"loop_top": 0}),
        ({1: 4512, 11: 512}, {"start": 1000, "loop_top": 1000}),
        ({1: 0xFFFFFFFF}, {"start": FRAMES - 1000, "loop_top": FRAMES - 1000}),
        ({2: 0}, {"end": 1000}),
        ({2: SIZE + 4}, {"end": None}),
        ({13: 0x80000000}, {"pitch": -12}),
        ({14: 101}, {"fine": 100}),
        ({15: 4}, {"play_mode": "forward"}),
        ({16: 0}, {"speed": 50.0}),
        ({18: 0}, {"pan": -51}),
        ({20: 3}, {"bus": "1"}),
        ({23: 0}, {"hold": 1}),
    ],
)
def test_wild_values_are_clamped(words: dict[int, int], settings: dict[str, Any]) -> None:
    assert read_raw_pad(raw_pad(words), 2) == default_pad(**settings)


def test_a_region_keeps_1000_frames() -> None:
    raw = write_pad(default_pad(start=8000, end=8001, loop_top=8000), raw_pad())
    assert unpack_from(">3I", raw.record) == (SIZE, 512 + 8000 * 4, 512 + 9000 * 4)
    short = write_pad(replace(default_pad(), frames=10), EMPTY_PAD)
    assert unpack_from(">3I", short.record) == (552, 512, 552)


def test_one_shot_clears_gate_loop_and_word_12() -> None:
    before = raw_pad({5: 0x7FFFFFFF, 12: 9})
    after = write_pad(default_pad(one_shot=True, gate=True, loop=True), before)
    assert changed_words(after.record) == {4: 0, 10: 32}


def test_only_what_changed_is_encoded() -> None:
    odd = {1: 514, 2: SIZE + 9, 4: 3, 5: 2, 6: 5, 8: 2, 10: 0x80, 12: 7, 15: 9, 25: 1, 42: 99}
    raw = raw_pad(odd, name=b"kick\0junk after it")
    pad = read_raw_pad(raw, 2)
    assert pad is not None
    after = write_pad(replace(pad, settings={**pad.settings, "level": 3}), raw)
    assert changed_words(after.record) == odd | {3: 3}
    assert (after.name, after.chops) == (raw.name, raw.chops)


def test_other_audio_gets_new_positions() -> None:
    raw = raw_pad({1: 4512, 2: 20_512, 11: 4512})
    longer = write_pad(replace(default_pad(), frames=20_000), raw)
    assert unpack_from(">3I", longer.record) == (80_512, 512, 80_512)
    shorter = write_pad(replace(default_pad(), frames=5000), raw_pad({4: 3}))
    assert unpack_from(">5I", shorter.record) == (20_512, 512, 20_512, 127, 3)
    mono = write_pad(replace(default_pad(), channels=1), raw)
    assert unpack_from(">3I", mono.record) == (20_512, 512, 20_512)


def test_a_setting_that_is_read_from_another_one_is_encoded_with_it() -> None:
    raw = raw_pad({4: 1, 10: 32})  # one-shot hides the gate
    after = write_pad(default_pad(gate=False), raw)
    assert changed_words(after.record) == {4: 0}


def test_a_position_that_was_clamped_is_encoded_when_it_is_read_otherwise() -> None:
    raw = raw_pad({1: 20_512, 2: 0, 11: 20_512})  # the end is read as 1,000 frames after the start
    pad = read_raw_pad(raw, 2)
    assert pad is not None
    assert pad.settings["end"] == 6000
    after = write_pad(replace(pad, settings={**pad.settings, "start": 4000}), raw)
    assert changed_words(after.record) == {1: 16_512, 2: 24_512, 11: 20_512}


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("", b""),
        ("snare 01", b"snare 01"),
        ("a name of 23 characters", b"a name of 23 characters"),
        ("more than twenty-three characters", b"more than twenty-three "[:22]),
        ("Ünï\n", b"_n__"),
    ],
)
def test_a_name_is_ascii_and_ends_with_nul(name: str, stored: bytes) -> None:
    assert write_pad(replace(default_pad(), name=name), EMPTY_PAD).name == stored.ljust(24, b"\0")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"                       \0", ""),
        (b"16 characters...\0      \0", "16 characters..."),
        (b"padded                 \0", "padded"),
        (b"no NUL at all ..........", "no NUL at all ........."),
        (b"\xff\x01a\x7fb\x80 c\0", "ab c"),
    ],
)
def test_each_padding_of_a_name_is_read_and_kept(raw: bytes, name: str) -> None:
    raw = raw.ljust(24, b"\0")
    pad = read_raw_pad(replace(raw_pad(), name=raw), 2)
    assert pad is not None
    assert pad.name == name
    other = replace(pad, settings={**pad.settings, "level": 1})
    assert write_pad(other, replace(raw_pad(), name=raw)).name == raw


def test_chops_are_16_frames_and_begin_with_the_start() -> None:
    def chops(*frames: int) -> bytes:
        return write_pad(replace(default_pad(), chops=frames), EMPTY_PAD).chops

    assert chops() == EMPTY_PAD.chops
    assert chops(0) == pack(">16i", 0, *[-1] * 15) + bytes(64)
    assert chops(0, 4104) == pack(">16i", 0, 4104, *[-1] * 14) + bytes(64)
    assert chops(4104, 10, FRAMES) == pack(">16i", 0, 10, 4104, *[-1] * 13) + bytes(64)
    assert chops(*range(1, 20)) == pack(">16i", *range(16)) + bytes(64)


def test_the_words_after_the_chops_are_kept() -> None:
    raw = replace(raw_pad(), chops=pack(">16i", 0, 5, 3, 5, -7, FRAMES, *[-1] * 10) + b"g" * 64)
    pad = read_raw_pad(raw, 2)
    assert pad is not None
    assert pad.chops == (0, 3, 5)
    assert write_pad(replace(pad, name="x"), raw).chops == raw.chops
    assert write_pad(replace(pad, chops=()), raw).chops == b"\xff" * 64 + b"g" * 64


def test_a_sample_above_4_gb_is_refused() -> None:
    with pytest.raises(InvalidDeviceFile, match="too long"):
        write_pad(replace(default_pad(), frames=2**30), EMPTY_PAD)


@given(device_pads)
def test_every_storable_pad_comes_back(pad: DevicePad) -> None:
    raw = write_pad(pad, EMPTY_PAD)
    assert (len(raw.record), len(raw.name), len(raw.chops)) == (172, 24, 128)
    assert read_raw_pad(raw, pad.channels) == storable_pad(pad)
    assert storable_pad(storable_pad(pad)) == storable_pad(pad)


@given(raw_pads, st.sampled_from([1, 2]))
def test_any_bytes_are_read_as_valid_settings_and_given_back(raw: RawPad, channels: int) -> None:
    pad = read_raw_pad(raw, channels)
    if pad:
        assert parse_settings(pad.settings) == pad.settings
        written = write_pad(pad, raw)
        assert (written.record, written.name) == (raw.record, raw.name)
        assert written.chops == (raw.chops or EMPTY_PAD.chops)


@given(raw_pads, device_pads)
def test_a_pad_comes_back_from_any_bytes(raw: RawPad, pad: DevicePad) -> None:
    assert read_raw_pad(write_pad(pad, raw), pad.channels) == storable_pad(pad)


# What single-parameter changes on a device look like in a real file.
REAL_PADS = {
    0: {"fixed_velocity": True},
    1: {"loop": True},
    2: {"mute_group": 1},
    3: {"mute_group": 2},
    4: {"pad_link": 1, "fixed_velocity": True},
    5: {"pad_link": 10, "fixed_velocity": True},
    6: {},
    7: {"bus": "2", "fixed_velocity": True},
    8: {"bus": "dry", "fixed_velocity": True},
    9: {"roll": 0, "fixed_velocity": True},
    10: {"roll": 4, "fixed_velocity": True},
    11: {"roll": 7, "fixed_velocity": True},
    12: {"chromatic": "legato", "fixed_velocity": True},
    13: {"chromatic": "poly", "fixed_velocity": True},
}


@needs_real_files
@pytest.mark.parametrize(("index", "settings"), REAL_PADS.items())
def test_single_changes_on_a_device_are_read(index: int, settings: dict[str, Any]) -> None:
    padconf = decode_padconf(real_file("mk2/PADCONF-pad-params.BIN"))
    pad = read_pad(padconf, index, 2)
    assert pad is not None
    assert pad.settings == DEFAULTS | {"bpm": 90.0} | settings
    assert (pad.name, pad.frames) == ("001 short hendry - 5PLH", 19_178)


@needs_real_files
def test_chops_set_on_a_device_are_read() -> None:
    padconf = decode_padconf(real_file("mk2/PADCONF-pad-params.BIN"))
    pads = [read_pad(padconf, index, 2) for index in (17, 18)]
    assert [pad.chops for pad in pads if pad] == [(0, 4104), (0, 4795, 9590, 14_384)]


@needs_real_files
@pytest.mark.parametrize("path", real_padconfs())
def test_real_pads_give_their_bytes_back(path: str) -> None:
    padconf = decode_padconf(real_file(path))
    for index, raw in enumerate(padconf.pads):
        pad = read_pad(padconf, index, 2)
        if pad:
            assert write_pad(pad, raw) == raw
            # and from nothing, but for the padding of its name
            assert write_pad(pad, EMPTY_PAD) == raw
