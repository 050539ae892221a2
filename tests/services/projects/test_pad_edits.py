"""What an edit does to the length, positions, chops, pitch and tempo of a pad."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.render.edit import InvalidEdit
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.errors import ValidationFailed
from sp404_app.models import Sample
from sp404_app.services.projects.kit import PadContent
from sp404_app.services.projects.pads import PadChange, change_content, clean_chops, new_content
from tests.services.projects.kits import sound

SOUND = sound()  # 2 s at 48 kHz
FRAMES = 96_000


def pad(device: Device = MK2, sample: Sample = SOUND, **settings: Any) -> PadContent:
    return change(new_content(sample, device), device, sample, settings=settings)


def change(
    content: PadContent, device: Device = MK2, sample: Sample | None = SOUND, **parts: Any
) -> PadContent:
    return change_content(content, PadChange(**parts), sample, device)


def region(content: PadContent) -> tuple[int, int | None, int]:
    settings = content.settings
    return settings["start"], settings["end"], settings["loop_top"]


def test_the_length_of_a_pad_is_that_of_its_render() -> None:
    assert pad().frames == FRAMES
    assert pad(SX).frames == 88_200
    assert pad(sample=sound(seconds=0.001)).frames == 1_000  # padded to the shortest region
    assert change(pad(), edit={"trim": [0, 48_000], "stretch": 2.0}).frames == FRAMES
    assert change(pad(), edit={"trim_silence": -60}).frames is None  # only rendering can tell


def test_a_pad_of_an_undecoded_sample_has_no_length() -> None:
    waiting = sound()
    waiting.duration = waiting.sample_rate = None
    content = new_content(waiting, MK2)
    assert content.frames is None
    stretched = change(content, sample=waiting, edit={"stretch": 2.0}, settings={"start": 500})
    assert (stretched.frames, stretched.settings["start"]) == (None, 500)


def test_a_stretch_moves_positions_and_tempo_with_the_audio() -> None:
    content = change(pad(start=2_000, end=50_000, loop_top=3_000, bpm=90), chops=[0, 4_000])
    slow = change(content, edit={"stretch": 2.0})
    assert region(slow) == (4_000, 100_000, 6_000)
    assert slow.chops == (0, 8_000)
    assert slow.settings["bpm"] == 45
    assert change(slow, edit={}).settings["bpm"] == 90
    assert change(content, edit={"stretch": 4.0}).settings["bpm"] is None  # below 40 BPM
    fitted = change(content, edit={"stretch_to_bpm": {"from": 90, "to": 120}})
    assert fitted.settings["bpm"] == 120


def test_a_trim_clamps_positions_and_drops_chops_after_its_end() -> None:
    content = change(pad(start=2_000, end=90_000, loop_top=3_000), chops=[0, 20_000, 80_000])
    trimmed = change(content, edit={"trim": [10_000, 60_000]})
    assert trimmed.frames == 50_000
    assert region(trimmed) == (0, None, 0)
    assert trimmed.chops == (0, 10_000)


def test_a_reversed_pad_plays_the_same_region_and_keeps_its_loop() -> None:
    content = change(pad(start=10_000, end=40_000), chops=[0, 30_000])
    reverse = change(content, edit={"reverse": True})
    assert region(reverse) == (56_000, 86_000, 56_000)
    assert reverse.chops == (0, 66_000)
    assert region(change(reverse, edit={})) == (10_000, 40_000, 10_000)
    whole = change(pad(loop=True), edit={"reverse": True})
    assert region(whole) == (0, None, 0)


def test_the_resample_trick_slows_the_pad_down_as_much_as_it_sped_the_audio_up() -> None:
    trick = change(pad(), edit={"resample_trick": 5.5})
    assert (trick.settings["vinyl"], trick.settings["pitch"], trick.settings["fine"]) == (
        True, -6, 50,
    )  # fmt: skip
    assert trick.settings["speed"] == pytest.approx(72.78, abs=0.02)
    assert change(trick, edit={}).settings["speed"] == 100
    kept = change(trick, edit={"resample_trick": 5.5}, settings={"pitch": -3})
    assert kept.settings["pitch"] == -3


@pytest.mark.parametrize("semitones", [-8, 13, 24, -24])
def test_a_resample_trick_that_a_pad_cannot_undo_is_refused(semitones: float) -> None:
    with pytest.raises(InvalidEdit) as refusal:
        change(pad(), edit={"resample_trick": semitones})
    assert list(refusal.value.details) == ["edit.resample_trick"]


def test_the_sx_has_no_resample_trick() -> None:
    with pytest.raises(InvalidEdit) as refusal:
        change(pad(SX), SX, edit={"resample_trick": 5})
    assert list(refusal.value.details) == ["edit.resample_trick"]


def test_a_trim_after_the_end_of_the_sound_is_refused() -> None:
    with pytest.raises(InvalidEdit) as refusal:
        change(pad(), edit={"trim": [FRAMES, FRAMES + 1]})
    assert list(refusal.value.details) == ["edit.trim"]
    assert change(pad(), edit={"trim": [FRAMES - 48_000, 10**9]}).frames == 48_000


def test_chops_are_sorted_each_once_and_inside_the_audio() -> None:
    assert clean_chops([500, 0, 500, FRAMES, 10**9], FRAMES) == (0, 500)
    assert clean_chops([], FRAMES) == ()
    assert clean_chops([7, 10**12], None) == (7,)
    for wrong in ([-1], [True], [0.5], ["1"], [None], list(range(17)), "abc", 5, {}):
        with pytest.raises(ValidationFailed) as refusal:
            clean_chops(wrong, FRAMES)
        assert list(refusal.value.details) == ["chops"]


def test_a_pad_whose_sample_is_gone_can_be_changed() -> None:
    lost = replace(pad(), sample_id=None)
    assert change(lost, sample=None, settings={"level": 5}).settings["level"] == 5
    assert change(lost, sample=None, edit={"reverse": True}).edit == {"reverse": True}


edits = st.fixed_dictionaries(
    {},
    optional={
        "trim": st.tuples(st.integers(0, 80_000), st.integers(85_000, FRAMES)).map(list),
        "stretch": st.floats(0.25, 4.0),
        "reverse": st.booleans(),
        "pitch": st.floats(-24, 24),
        "resample_trick": st.floats(-7, 12),
        "trim_silence": st.sampled_from([None, -60]),
        "channels": st.sampled_from(["keep", "mono"]),
    },
)


@given(st.lists(edits, min_size=1, max_size=4), st.integers(0, FRAMES), st.integers(0, FRAMES))
def test_positions_stay_inside_the_audio_through_any_edits(
    several: list[dict[str, Any]], start: int, length: int
) -> None:
    content = change(pad(start=start, end=start + length), chops=[0, start, length])
    for edit in several:
        content = change(content, edit=edit)
        start_at, end_at, loop_top = region(content)
        assert 0 <= start_at <= loop_top
        if content.frames is not None:
            end = content.frames if end_at is None else end_at
            assert loop_top <= end <= content.frames
            assert end - start_at >= 1_000
            assert all(0 <= chop < content.frames for chop in content.chops)
        assert content.chops == tuple(sorted(set(content.chops)))
