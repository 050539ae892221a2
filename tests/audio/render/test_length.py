"""Lengths of renders, and positions that survive a change of the edit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.render.edit import NO_EDIT, parse_edit
from sp404_app.audio.render.length import map_frame, rendered_frames
from tests.audio.render.conftest import Json

EDITS = st.fixed_dictionaries(
    {},
    optional={
        "trim": st.tuples(st.integers(0, 90_000), st.integers(1, 60_000)).map(
            lambda span: [span[0], sum(span)]
        ),
        "reverse": st.booleans(),
        "pitch": st.floats(-24, 24),
        "stretch": st.floats(0.25, 4),
        "resample_trick": st.floats(-24, 24),
    },
)


@pytest.mark.parametrize(
    ("edit", "frames", "source_rate", "expected"),
    [
        ({}, 44_100, 44_100, 48_000),
        ({}, 44_101, 44_100, 48_001),
        ({}, 48_000, 48_000, 48_000),
        ({"pitch": 7}, 48_000, 48_000, 48_000),
        ({"stretch": 0.5}, 48_000, 48_000, 24_000),
        ({"stretch_to_bpm": {"from": 90, "to": 120}}, 48_000, 48_000, 36_000),
        ({"resample_trick": 12}, 48_000, 48_000, 24_000),
        ({"trim": [1_000, 5_000]}, 48_000, 48_000, 4_000),
        ({"trim": [40_000, 90_000]}, 48_000, 48_000, 8_000),
        ({}, 10, 48_000, 1_000),
        ({"trim_silence": -60}, 48_000, 48_000, None),
    ],
)
def test_the_length_follows_from_the_edit(
    edit: Json, frames: int, source_rate: int, expected: object
) -> None:
    assert rendered_frames(parse_edit(edit), frames, source_rate, 48_000) == expected


def test_a_short_sound_is_as_long_as_the_sp_404sx_needs() -> None:
    assert rendered_frames(NO_EDIT, 100, 44_100, 44_100) == 4_411


@pytest.mark.parametrize(
    ("old", "new", "frame", "expected"),
    [
        ({}, {"trim": [10_000, 40_000]}, 15_000, 5_000),
        ({}, {"trim": [10_000, 40_000]}, 5_000, 0),
        ({}, {"trim": [10_000, 40_000]}, 45_000, 30_000),
        ({"trim": [10_000, 40_000]}, {}, 5_000, 15_000),
        ({}, {"reverse": True}, 0, 48_000),
        ({}, {"reverse": True}, 48_000, 0),
        ({"reverse": True}, {}, 47_000, 1_000),
        ({}, {"stretch": 2}, 12_000, 24_000),
        ({"stretch": 2}, {"stretch": 0.5}, 24_000, 6_000),
        ({}, {"resample_trick": 12}, 24_000, 12_000),
        ({}, {"pitch": 12}, 24_000, 24_000),
        ({}, {"trim": [60_000, 70_000]}, 24_000, 1_000),
        ({}, {}, -5, 0),
        ({}, {}, 10**9, 48_000),
    ],
)
def test_a_position_stays_on_its_sound(old: Json, new: Json, frame: int, expected: object) -> None:
    assert map_frame(frame, parse_edit(old), parse_edit(new), 48_000, 48_000, 48_000) == expected


def test_the_end_of_a_padded_sound_stays_the_end() -> None:
    edit = parse_edit({"trim": [0, 100]})
    assert map_frame(48_000, NO_EDIT, edit, 48_000, 48_000, 48_000) == 1_000


@given(EDITS, EDITS, st.integers(1, 100_000), st.integers(0, 200_000))
def test_a_mapped_position_is_inside_the_render(
    old: Json, new: Json, frames: int, frame: int
) -> None:
    old, new = parse_edit(old), parse_edit(new)
    length = rendered_frames(new, frames, 44_100, 48_000)
    assert 0 <= map_frame(frame, old, new, frames, 44_100, 48_000) <= length
