"""Read a CSV file of values of samples: its encoding, separator, columns, and what each cell says.

UTF-8 and UTF-16 are accepted, with or without a byte order mark, and Windows-1252, in which Excel
writes; the separator is a comma, a semicolon or a tab.
"""

import codecs
import csv
import io
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sp404_app.audio.features.file_tags import parse_key_tag
from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.errors import TooLarge, ValidationFailed
from sp404_app.services.infra.text import clean_text, file_name
from sp404_app.services.library.csv_cells import read_cell
from sp404_app.services.library.tags import MAX_TAG_LENGTH, MAX_TAGS
from sp404_app.settings import MB

MAX_ROWS: Final = 100_000
MAX_CSV_BYTES: Final = 20 * MB
MAX_NOTE_LENGTH: Final = 4000
SEPARATORS: Final = (",", ";", "\t")
NAMES: Final = ("id", "filename", "name")  # what a row can be found by, in this order
SYNONYMS: Final = {
    "favorite": "favourite",
    "tempo": "bpm",
    "file": "filename",
    "file name": "filename",
}
SEPARATOR_LINE: Final = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)  # Excel's own
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
TRUE: Final = frozenset({"true", "yes", "1", "x"})
FALSE: Final = frozenset({"false", "no", "0"})


@dataclass(frozen=True, slots=True)
class FaultyCell:
    """A cell that is no valid value."""

    line: int
    column: str
    text: str
    error: str


@dataclass(slots=True)
class CsvRow:
    """One row: what the sample is found by, and its new values by field; empty cells are left out.

    `found_by` is "id", "filename" or "name", and `wanted` the value of it.
    """

    line: int
    found_by: str
    wanted: Any
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class CsvTable:
    """The rows of a file, its faulty cells, and the names of columns that are not imported."""

    rows: list[CsvRow] = field(default_factory=list)
    faulty: list[FaultyCell] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)


def read_table(content: bytes) -> CsvTable:
    """Read a CSV file.

    Raises:
        TooLarge: If it has more than `MAX_ROWS` rows.
        ValidationFailed: If it is no CSV file with a column to find samples by and one to import.
    """
    text = decode_text(content)
    marked = SEPARATOR_LINE.match(text)
    separator = marked[1] if marked else find_separator(text)
    reader = csv.reader(io.StringIO(text[marked.end() if marked else 0 :], ""), delimiter=separator)
    lines = _read_lines(reader)
    _, header = next(lines, (0, []))
    columns, ignored = _read_header(header)
    table = CsvTable(ignored_columns=ignored)
    for number, (line, cells) in enumerate(lines):
        if number >= MAX_ROWS:  # rows with faults count, too
            raise TooLarge(f"This file has more than {MAX_ROWS:,} rows. Split it.")
        _add_row(table, line + bool(marked), columns, cells)
    return table


def decode_text(content: bytes) -> str:
    """Return the text of a file in one of the accepted encodings, without NUL characters."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace").replace("\0", "")
    head = content[:1000]
    if head.count(0) > len(head) // 4:  # UTF-16 without a mark: every other byte is 0
        order = "le" if head[1::2].count(0) >= head[::2].count(0) else "be"
        return content.decode(f"utf-16-{order}", "replace").replace("\0", "")
    try:
        return content.decode().replace("\0", "")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").replace("\0", "")


def find_separator(text: str) -> str:
    """Return the separator that occurs most often in the header."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _read_lines(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty, with the number of its first line.

    Raises:
        ValidationFailed: If a cell is longer than the CSV reader accepts.
    """
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ValidationFailed(f"Line {line} of this file is no CSV.") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _read_header(header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Return the position of each known column, and the names of the others.

    Raises:
        ValidationFailed: If no column names samples, or there is nothing to import.
    """
    columns: dict[str, int] = {}
    ignored = []
    for position, cell in enumerate(header):
        plain = cell.strip().casefold()
        name = SYNONYMS.get(plain, plain)
        if name in columns or (name not in NAMES and name not in PARSERS):
            ignored.append(clean_text(cell.strip())[:60])
        else:
            columns[name] = position
    if not columns.keys() & set(NAMES):
        raise ValidationFailed("The first line must name a column id, filename or name.")
    if not columns.keys() & PARSERS.keys():
        known = ", ".join(PARSERS)
        raise ValidationFailed(f"This file has none of the columns {known}.")
    return columns, [name for name in ignored if name][:100]


def _add_row(table: CsvTable, line: int, columns: dict[str, int], cells: list[str]) -> None:
    """Add a row and its faulty cells; a row without a name is faulty as a whole."""
    texts = {name: _text(cells, position) for name, position in columns.items()}
    found_by = next((name for name in NAMES if texts.get(name, "").strip()), "")
    if not found_by:
        table.faulty.append(FaultyCell(line, "name", "", "This row names no sound."))
        return
    try:
        wanted = _parse_name(found_by, texts[found_by].strip())
    except ValueError as error:
        table.faulty.append(FaultyCell(line, found_by, texts[found_by][:200], str(error)))
        return
    row = CsvRow(line, found_by, wanted)
    for name, parse in PARSERS.items():
        if text := texts.get(name, "").strip():
            try:
                row.values[name] = parse(text)
            except ValueError as error:
                table.faulty.append(FaultyCell(line, name, text[:200], str(error)))
    table.rows.append(row)


def _text(cells: list[str], position: int) -> str:
    return clean_text(read_cell(cells[position])) if position < len(cells) else ""


def _parse_name(found_by: str, text: str) -> Any:
    if found_by == "id":
        try:
            return uuid.UUID(text)
        except ValueError as error:
            raise ValueError("This is not an id of a sound.") from error
    return file_name(text) if found_by == "filename" else text


def _parse_tags(text: str) -> list[str]:
    # An export separates tags by commas; a semicolon may be part of one then.
    names = [name.strip() for name in text.split("," if "," in text else ";")]
    found = list(dict.fromkeys(name for name in names if name))
    if len(found) > MAX_TAGS:
        raise ValueError(f"A sound has at most {MAX_TAGS} tags.")
    if any(len(name) > MAX_TAG_LENGTH for name in found):
        raise ValueError(f"A tag has at most {MAX_TAG_LENGTH} characters.")
    return found


def _parse_number(text: str, error: str) -> float:
    if not re.fullmatch(r"\d{1,9}([.,]\d{1,20})?", text, re.ASCII):
        raise ValueError(error)
    return float(text.replace(",", "."))


def _parse_rating(text: str) -> int:
    message = "Rate from 0 to 5."
    number = _parse_number(text, message)
    if number not in range(6):
        raise ValueError(message)
    return int(number)


def _parse_favourite(text: str) -> bool:
    plain = text.casefold()
    if plain not in TRUE | FALSE:
        raise ValueError("Enter true or false.")
    return plain in TRUE


def _parse_bpm(text: str) -> float:
    message = "Enter a tempo from 20 to 999 BPM."
    number = _parse_number(text, message)
    if not 20 <= number <= 999:
        raise ValueError(message)
    return number


def _parse_key(text: str) -> str:
    found = text if text in KEYS else parse_key_tag(text[:100])
    if not found:
        raise ValueError("Enter a key like “F# minor”.")
    return found


def _parse_note(text: str) -> str:
    if len(text) > MAX_NOTE_LENGTH:
        raise ValueError(f"Use at most {MAX_NOTE_LENGTH:,} characters.")
    return text


PARSERS: Final[dict[str, Callable[[str], Any]]] = {
    "tags": _parse_tags,
    "rating": _parse_rating,
    "favourite": _parse_favourite,
    "bpm": _parse_bpm,
    "key": _parse_key,
    "note": _parse_note,
}
