"""No cell is a formula, and every text is read as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.services.library.csv_cells import read_cell, write_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+49", "-808", "@SUM(A1)", "\t=1", "\rKick", " =1", "\uff1d1+1", "'=1", "''-x"]
)
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert write_cell(text) == f"'{text}"
    assert read_cell(f"'{text}") == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1;b", "a;'=1+1;b"),
        ("a; =1", "a;' =1"),
        ("a;'=1", "a;''=1"),
        (";;@x", ";;'@x"),
        ("a\n-808\r\n+1", "a\n'-808\r\n'+1"),
        ("=1;=1", "'=1;'=1"),
    ],
)
def test_a_formula_after_a_semicolon_or_a_line_break_gets_one_too(text: str, cell: str) -> None:
    assert write_cell(text) == cell
    assert read_cell(cell) == text


@pytest.mark.parametrize(
    "text", ["", "Kick", "a;b", "a\n\nb", "'90s break", "a=b", "808 - long", "\u202eabc"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert write_cell(text) == text == read_cell(text)


@given(st.text(alphabet="'=+-@\t\r\n aä;", max_size=8))
def test_every_text_is_read_as_it_was_written(text: str) -> None:
    assert read_cell(write_cell(text)) == text
