"""CSV files of spreadsheets are read, and every cell is a valid value or is named as faulty."""

import codecs
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.errors import AppError, TooLarge, ValidationFailed
from sp404_app.services.library import csv_table
from sp404_app.services.library.csv_table import read_table

TEXT = "filename;tags;note\r\nSnäre.wav;dusty;„alt“ – neu\r\n"
KNOWN_ID = "0199a0c0-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode("cp1252"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.replace(";", ",").encode(),
        TEXT.replace(";", "\t").encode(),
        b"sep=;\r\n" + TEXT.encode(),
        TEXT.replace("\r\n", "\n").encode(),
    ],
)
def test_encodings_and_separators_are_detected(content: bytes) -> None:
    (row,) = read_table(content).rows
    assert (row.found_by, row.wanted) == ("filename", "Snäre.wav")
    assert row.values == {"tags": ["dusty"], "note": "„alt“ – neu"}


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("rating", "4", 4),
        ("rating", "4.0", 4),
        ("favourite", "TRUE", True),
        ("Favorite", "no", False),
        ("Tempo", "92,5", 92.5),
        ("bpm", "120", 120.0),
        ("key", "F# minor", "F# minor"),
        ("key", "Am", "A minor"),
        ("key", "11A", "F# minor"),
        ("tags", "a, b;c,,a", ["a", "b;c"]),
        ("note", "'=1+1", "=1+1"),
        ("note", "two\nlines", "two\nlines"),
    ],
)
def test_a_cell_is_a_value(column: str, text: str, value: object) -> None:
    table = read_table(f'name\t{column}\nKick\t"{text}"\n'.encode())
    assert list(table.rows[0].values.values()) == [value]
    assert table.faulty == []


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("rating", "6"),
        ("rating", "2.5"),
        ("rating", "-1"),
        ("favourite", "maybe"),
        ("bpm", "fast"),
        ("bpm", "9000"),
        ("bpm", "nan"),
        ("bpm", "1e2"),
        ("bpm", "١٢٠"),
        ("key", "H"),
        ("tags", ",".join(map(str, range(31)))),
        ("tags", "x" * 61),
        ("note", "x" * 4001),
        ("id", "none"),
    ],
)
def test_a_faulty_cell_is_named_and_the_rest_of_the_row_is_read(column: str, text: str) -> None:
    table = read_table(f'name\tnote\t{column}\nKick\t\t"{text}"\n\nSnare\tok\t\n'.encode())
    if column == "note":
        table = read_table(f'name\tnote\nKick\t"{text}"\n\nSnare\tok\n'.encode())
    (fault,) = table.faulty
    assert (fault.line, fault.column) == (2, column)
    assert table.rows[-1].line == 4
    assert table.rows[-1].values == {"note": "ok"}


def test_an_id_goes_before_a_name_and_other_columns_are_ignored() -> None:
    table = read_table(f"name,id,loudness_lufs,rating\nKick,{KNOWN_ID},-14,3\n,,,4\n".encode())
    assert (table.rows[0].found_by, table.rows[0].wanted) == ("id", uuid.UUID(KNOWN_ID))
    assert table.ignored_columns == ["loudness_lufs"]
    assert [(fault.line, fault.error) for fault in table.faulty] == [
        (3, "This row names no sound.")
    ]


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"a,b\n1,2\n", b"name\nKick\n", b"rating\n4\n", b"RIFF\0\0\0\0WAVE"]
)
def test_a_file_without_the_columns_is_refused(content: bytes) -> None:
    with pytest.raises(ValidationFailed):
        read_table(content)


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROWS", 2)
    assert len(read_table(b"name,rating\na,1\nb,1\n").rows) == 2
    with pytest.raises(TooLarge):
        read_table(b"name,rating\na,1\nb,1\nc,1\n")


def test_rows_that_name_no_sound_count_as_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROWS", 2)
    assert len(read_table(b"name,rating\n,1\n\n,1\n").faulty) == 2
    with pytest.raises(TooLarge):
        read_table(b"id,rating\n,1\nno id,1\n,1\n")


def test_a_cell_that_is_too_long_is_no_csv() -> None:
    with pytest.raises(ValidationFailed, match="Line 2"):
        read_table(b"name,rating\n" + b"x" * 200_000)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read_table(b"name,tags,key,bpm\n" + content)
        read_table(content)
    except AppError:
        return
