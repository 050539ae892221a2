"""Settings of a pad: ranges, defaults, and what changes along."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.pad_settings import (
    DEFAULTS,
    SETTINGS,
    Choice,
    InvalidSetting,
    Number,
    Switch,
    change_settings,
    clamp_positions,
    unstored_settings,
)

FRAMES = 48_000
MIN_FRAMES = 1_000


def change(current: dict[str, Any] | None = None, /, **changes: object) -> dict[str, Any]:
    return change_settings(current or DEFAULTS, changes, FRAMES, MIN_FRAMES)


def numbers() -> list[tuple[str, Number]]:
    return [(name, each) for name, each in SETTINGS.items() if isinstance(each, Number)]


def valid(setting: Number | Switch | Choice) -> st.SearchStrategy[Any]:
    """Values that a setting accepts."""
    if isinstance(setting, Switch):
        return st.booleans()
    if isinstance(setting, Choice):
        return st.sampled_from(setting.values)
    if setting.decimals:
        return st.floats(setting.low, setting.high)
    return st.integers(int(setting.low), int(setting.high))


any_value = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())
)
valid_changes = st.fixed_dictionaries(
    {}, optional={name: valid(setting) for name, setting in SETTINGS.items()}
)


def test_a_new_pad_has_the_devices_defaults() -> None:
    assert change() == DEFAULTS
    named = {"vinyl": True, "bus": "1", "roll": 2, "gate": True, "level": 127, "loop": False}
    assert {name: DEFAULTS[name] for name in named} == named


@pytest.mark.parametrize(("name", "setting"), numbers())
def test_the_ends_of_a_range_are_valid_and_what_lies_beyond_is_not(
    name: str, setting: Number
) -> None:
    vinyl = {"vinyl": False}
    for value in (setting.low, setting.high):
        parsed = change_settings(DEFAULTS, vinyl | {name: value}, None, MIN_FRAMES)[name]
        assert parsed == value or name in ("end", "loop_top")  # a position depends on others
    for value in (setting.low - 1, setting.high + 1):
        with pytest.raises(InvalidSetting) as refusal:
            change(**vinyl, **{name: value})
        assert refusal.value.field == name


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 1e9, 10**400, -(10**400), "5", [5], {}, True, 5.5]
)
def test_a_level_is_a_whole_number_from_0_to_127(value: object) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        change(level=value)
    assert refusal.value.field == "level"


@pytest.mark.parametrize(
    ("name", "value"),
    [("gate", 1), ("gate", "true"), ("play_mode", "backwards"), ("bus", 1), ("vari", None)],
)
def test_switches_and_choices_accept_nothing_else(name: str, value: object) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        change(**{name: value})
    assert refusal.value.field == name


def test_an_unknown_setting_is_named_in_printable_characters() -> None:
    with pytest.raises(InvalidSetting) as refusal:
        change(**{"\ud800colour": 1})
    assert refusal.value.field == "\\ud800colour"


def test_settings_that_are_no_object_are_refused() -> None:
    for wrong in ([], "level", 5, None):
        with pytest.raises(InvalidSetting):
            change_settings(DEFAULTS, wrong, FRAMES, MIN_FRAMES)


@given(st.sampled_from(sorted(SETTINGS)), any_value)
def test_any_value_is_accepted_or_refused_by_name(name: str, value: object) -> None:
    try:
        settings = change(**{name: value})
    except InvalidSetting as refusal:
        assert refusal.field == name  # noqa: PT017 - accepting the value is right, too
    else:
        assert set(settings) == set(DEFAULTS)


def test_one_shot_clears_gate_and_loop_and_these_clear_one_shot() -> None:
    shot = change(change(loop=True), one_shot=True)
    assert (shot["one_shot"], shot["gate"], shot["loop"]) == (True, False, False)
    assert change(shot, loop=True)["one_shot"] is False
    assert change(shot, gate=True)["one_shot"] is False
    assert change(shot, gate=False)["one_shot"] is True


def test_reverse_sets_the_loop_point_to_the_end_and_forward_to_the_start() -> None:
    region = change(start=5_000, end=20_000)
    reverse = change(region, play_mode="reverse")
    assert reverse["loop_top"] == 20_000
    assert change(reverse, play_mode="forward")["loop_top"] == 5_000
    assert change(play_mode="reverse")["loop_top"] == FRAMES
    moved = change(reverse, loop_top=9_000)
    assert change(moved, play_mode="reverse_ping_pong")["loop_top"] == 9_000  # same direction


def test_a_region_stays_inside_the_audio_and_keeps_the_shortest_length() -> None:
    short = change(start=10_000, end=10_000)
    assert (short["start"], short["end"]) == (10_000, 11_000)
    late = change(start=10**9)
    assert (late["start"], late["end"], late["loop_top"]) == (47_000, None, 47_000)
    assert change(end=10**9)["end"] is None
    assert change(start=6_000, loop_top=0)["loop_top"] == 6_000


@given(valid_changes, valid_changes, st.integers(MIN_FRAMES, 10**7) | st.none())
def test_settings_are_consistent_after_any_two_changes(
    first: dict[str, object], second: dict[str, object], frames: int | None
) -> None:
    settings: dict[str, Any] = dict(DEFAULTS)
    for changes in (first, second):
        try:
            settings = change_settings(settings, changes, frames, MIN_FRAMES)
        except InvalidSetting as refusal:
            assert refusal.field in ("pitch", "fine", "speed")  # noqa: PT017
    assert not (settings["one_shot"] and (settings["gate"] or settings["loop"]))
    if settings["vinyl"]:
        assert -12 <= settings["pitch"] <= 7
        assert -49 <= settings["fine"] <= 50
        speed = 100 * 2 ** ((settings["pitch"] + settings["fine"] / 100) / 12)
        assert settings["speed"] == pytest.approx(min(max(speed, 50), 150), rel=0.001)
    if settings["bpm_sync"]:
        assert settings["speed"] == 100
    if frames is not None:
        end = frames if settings["end"] is None else settings["end"]
        assert 0 <= settings["start"] <= settings["loop_top"] <= end <= frames
        assert end - settings["start"] >= MIN_FRAMES
    once = change_settings(settings, {}, frames, MIN_FRAMES)
    assert once == settings  # naming nothing changes nothing


def test_with_vinyl_on_pitch_and_speed_are_one_value() -> None:
    assert change(pitch=-5)["speed"] == 74.91  # as a device stored it
    slower = change(speed=90)
    assert (slower["pitch"], slower["fine"], slower["speed"]) == (-2, 18, 90)
    assert change(slower, level=100)["speed"] == 90
    for name, value in (("pitch", 8), ("fine", 51), ("fine", -50)):
        with pytest.raises(InvalidSetting):
            change(**{name: value})


def test_with_vinyl_off_pitch_and_speed_are_independent() -> None:
    free = change(vinyl=False, pitch=12, fine=-100, speed=50)
    assert (free["pitch"], free["fine"], free["speed"]) == (12, -100, 50)
    coupled = change(free, vinyl=True)
    assert (coupled["pitch"], coupled["fine"], coupled["speed"]) == (7, -49, 145.64)


def test_the_speed_is_fixed_while_bpm_sync_is_on() -> None:
    synced = change(change(pitch=-5), bpm_sync=True)
    assert (synced["speed"], synced["pitch"]) == (100, 0)
    for name, value in (("speed", 90), ("pitch", 2)):
        with pytest.raises(InvalidSetting) as refusal:
            change(synced, **{name: value})
        assert refusal.value.field == name
    assert change(synced, vinyl=False, pitch=2)["pitch"] == 2
    assert change(synced, bpm_sync=False, speed=90)["speed"] == 90


def test_positions_of_audio_of_unknown_length_keep_their_order() -> None:
    settings = DEFAULTS | {"start": 9_000, "end": 4_000}
    clamp_positions(settings, None, MIN_FRAMES)
    assert settings["end"] == 10_000


def test_what_the_other_device_cannot_store_is_named() -> None:
    assert unstored_settings(change(pan=10, lofi=True), DeviceKind.SX) == ["pan"]
    assert unstored_settings(change(pan=10, lofi=True), DeviceKind.MK2) == ["lofi"]
    assert unstored_settings(change(play_mode="ping_pong"), DeviceKind.SX) == ["play_mode"]
    assert unstored_settings(change(play_mode="reverse"), DeviceKind.SX) == []
    assert unstored_settings(change(start=5_000, loop_top=5_000), DeviceKind.SX) == []
    assert unstored_settings(change(start=5_000, loop_top=6_000), DeviceKind.SX) == ["loop_top"]
