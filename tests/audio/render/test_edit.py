"""Edits: what is accepted, what is refused, and their JSON."""

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sp404_app.audio.render.edit import (
    NO_EDIT,
    Edit,
    InvalidEdit,
    Normalise,
    TempoStretch,
    edit_to_json,
    parse_edit,
)
from sp404_app.errors import ValidationFailed

FULL = {
    "channels": "mono",
    "trim": [10, 20],
    "trim_silence": -60,
    "reverse": True,
    "pitch": -3.5,
    "stretch_to_bpm": {"from": 96, "to": 120},
    "resample_trick": 12,
    "normalise": {"to": "lufs", "value": -14},
    "gain_db": 3,
    "fade_in": 0.5,
    "fade_out": 1,
}
HOSTILE_NUMBERS = (
    math.nan, math.inf, -math.inf, 1e9, -1e9, 10**400, True, "1", "", [], {}, b"1", 1j, object(),
)  # fmt: skip
NUMBER_FIELDS = (
    "trim_silence", "pitch", "stretch", "resample_trick", "gain_db", "fade_in", "fade_out",
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_every_field_is_parsed() -> None:
    assert parse_edit(FULL) == Edit(
        channels="mono",
        trim=(10, 20),
        trim_silence=-60.0,
        reverse=True,
        pitch=-3.5,
        stretch_to_bpm=TempoStretch(96.0, 120.0),
        resample_trick=12.0,
        normalise=Normalise("lufs", -14.0),
        gain_db=3.0,
        fade_in=0.5,
        fade_out=1.0,
    )


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_is_no_edit(value: object) -> None:
    assert parse_edit(value) == NO_EDIT
    assert edit_to_json(NO_EDIT) == {}


def test_an_edit_survives_its_json() -> None:
    edit = parse_edit(FULL)
    assert parse_edit(json.loads(json.dumps(edit_to_json(edit)))) == edit


def test_fields_at_their_default_are_not_in_the_json() -> None:
    edit = parse_edit(
        {"pitch": 0, "reverse": False, "channels": "keep", "stretch": 2, "trim": None}
    )
    assert edit_to_json(edit) == {"stretch": 2.0}


@pytest.mark.parametrize("field", NUMBER_FIELDS)
@pytest.mark.parametrize("value", HOSTILE_NUMBERS)
def test_a_number_that_is_none_names_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidEdit) as caught:
        parse_edit({field: value})
    assert caught.value.field == field
    assert list(caught.value.details) == [f"edit.{field}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channels", "both"), ("channels", None), ("channels", []), ("channels", 1),
        ("trim", [0]), ("trim", [5, 5]), ("trim", [-1, 5]), ("trim", [0, 10**12]), ("trim", "ab"),
        ("trim", [0, 1.0]), ("trim", [False, True]), ("trim", [0, math.nan]), ("trim", {}),
        ("reverse", 1), ("reverse", None), ("reverse", "true"),
        ("pitch", None), ("pitch", 24.01), ("pitch", -24.01),
        ("stretch", 0.249), ("stretch", 4.01), ("stretch", 0), ("resample_trick", 25),
        ("stretch_to_bpm", 120), ("stretch_to_bpm", {"from": 120}), ("stretch_to_bpm", []),
        ("stretch_to_bpm", {"from": 120, "to": 0}), ("stretch_to_bpm", {"from": 20, "to": 400}),
        ("stretch_to_bpm", {"from": 120, "to": 100, "by": 1}),
        ("normalise", {"to": "peak"}), ("normalise", {"to": "rms", "value": -3}),
        ("normalise", {"to": "peak", "value": 1}), ("normalise", {"to": "lufs", "value": -61}),
        ("normalise", {"to": [], "value": -3}), ("normalise", "peak"),
        ("gain_db", 24.1), ("gain_db", -60.1), ("fade_in", -0.1), ("fade_out", 60.1),
        ("trim_silence", 0), ("trim_silence", -97),
    ],
)  # fmt: skip
def test_a_value_out_of_range_names_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidEdit) as caught:
        parse_edit({field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("value", [[], "pitch", 1, True, {"tempo": 1}, {1: 2}, {None: 1}])
def test_what_is_no_edit_is_refused_as_a_whole(value: object) -> None:
    with pytest.raises(InvalidEdit) as caught:
        parse_edit(value)
    assert caught.value.field == ""
    assert "edit" in caught.value.details


def test_two_kinds_of_stretch_exclude_each_other() -> None:
    with pytest.raises(InvalidEdit) as caught:
        parse_edit({"stretch": 2, "stretch_to_bpm": {"from": 90, "to": 100}})
    assert caught.value.field == "stretch_to_bpm"


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*FULL, "stretch", "other"]), json_values, max_size=4))
def test_any_json_is_parsed_or_refused(value: object) -> None:
    try:
        edit = parse_edit(value)
    except ValidationFailed:
        return
    assert parse_edit(edit_to_json(edit)) == edit
