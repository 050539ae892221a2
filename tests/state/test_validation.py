"""Validation of handler arguments."""

import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.state import validation

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_any_value_is_accepted_or_refused_with_an_app_error(value: object) -> None:
    for read in (
        validation.validate_text,
        validation.validate_integer,
        validation.parse_number,
        validation.validate_id,
        validation.validate_form,
    ):
        try:
            read(value)
        except AppError:
            continue


def test_texts_are_cut_and_storable() -> None:
    assert validation.validate_text("a\x00b\ud800c") == "abc"
    assert validation.validate_text("x" * 1000, 60) == "x" * 60
    for value in (None, 5, ["a"], {"a": 1}, b"a"):
        with pytest.raises(ValidationFailed):
            validation.validate_text(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, 3), (3.9, 3), (-5, 0), (10**30, 10**9), (math.inf, 10**9), (-math.inf, 0)],
)
def test_integers_are_clamped(value: float, found: int) -> None:
    assert validation.validate_integer(value) == found


@pytest.mark.parametrize("value", [math.nan, True, "5", None, [1]])
def test_a_value_that_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationFailed):
        validation.validate_integer(value)


@pytest.mark.parametrize(
    ("value", "found"),
    [("", None), (" ", None), ("92", 92.0), ("92,5", 92.5), (" 1e3 ", 1000.0), (-4, -4.0)],
)
def test_numbers_are_parsed_with_decimal_point_or_comma(value: object, found: float | None) -> None:
    assert validation.parse_number(value) == found


@pytest.mark.parametrize("value", ["x", "nan", "inf", "1e7", "--1", None, [], "1 2"])
def test_text_that_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(ValidationFailed):
        validation.parse_number(value)


def test_only_a_uuid_is_an_id() -> None:
    known = uuid.uuid4()
    assert validation.validate_id(str(known)) == known
    for value in ("", "x", None, 5, {}, "../../x"):
        with pytest.raises(NotFound):
            validation.validate_id(value)
