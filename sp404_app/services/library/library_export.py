"""The values of samples as CSV or JSON, streamed.

The CSV begins with a byte order mark: without one, Excel reads UTF-8 as the code page of the
system. Programs that stumble over it can read the JSON. Texts are quoted where they need it
(RFC 4180), so line breaks and marks of the writing direction stay as they are; no cell is a
formula (`csv_cells`).
"""

import csv
import datetime as dt
import io
import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson
from sqlalchemy.orm import defer
from sqlmodel import col, select

from sp404_app.db import transaction
from sp404_app.models import Sample
from sp404_app.services.library import samples
from sp404_app.services.library.csv_cells import write_cell
from sp404_app.services.library.schemas import SampleView, sample_view

BATCH_ROWS: Final = 1000
BYTE_ORDER_MARK: Final = "\ufeff"
TAG_SEPARATOR: Final = ", "  # no tag contains a comma
COLUMNS: Final = tuple(SampleView.__dataclass_fields__)
UNUSED: Final = (defer(Sample.search), defer(Sample.search_text), defer(Sample.thumbnail))  # type: ignore[arg-type]


class ExportFormat(StrEnum):
    """A format of the export."""

    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """An export as it is downloaded."""

    filename: str
    media_type: str
    content: Iterator[bytes]


def export_samples(
    user_id: uuid.UUID, ids: Sequence[uuid.UUID], wanted: ExportFormat
) -> ExportedFile:
    """Return the values of a user's samples, in this order; those deleted meanwhile are left out.

    The content is read in batches, each in a transaction of its own, so a slow download holds
    neither a connection nor more than `BATCH_ROWS` rows.
    """
    batches = _read_batches(user_id, ids)
    if wanted is ExportFormat.CSV:
        return ExportedFile("Crate 404 library.csv", "text/csv", _write_csv(batches))
    return ExportedFile("Crate 404 library.json", "application/json", _write_json(batches))


def _read_batches(user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Iterator[list[SampleView]]:
    for start in range(0, len(ids), BATCH_ROWS):
        part = ids[start : start + BATCH_ROWS]
        mine = select(Sample).where(col(Sample.user_id) == user_id, samples.has_id_in(part))
        with transaction() as session:
            found = {row.id: sample_view(row) for row in session.exec(mine.options(*UNUSED))}
        yield [found[sample_id] for sample_id in part if sample_id in found]


def _write_csv(batches: Iterator[list[SampleView]]) -> Iterator[bytes]:
    yield (BYTE_ORDER_MARK + ",".join(COLUMNS) + "\r\n").encode()
    for batch in batches:
        text = io.StringIO(newline="")
        rows = ([_cell(getattr(view, name)) for name in COLUMNS] for view in batch)
        csv.writer(text).writerows(rows)
        yield text.getvalue().encode()


def _cell(value: object) -> str:
    """Return a value as a cell: numbers and times as they are, texts so that none is a formula."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        text = TAG_SEPARATOR.join(value)
        # Without a comma, an import takes a semicolon for the separator.
        return write_cell(f"{text}," if ";" in text and "," not in text else text)
    return "" if value is None else write_cell(str(value))


def _write_json(batches: Iterator[list[SampleView]]) -> Iterator[bytes]:
    yield b'{"samples": ['
    separator = b"\n"
    for batch in batches:
        for view in batch:
            yield separator + orjson.dumps(view, option=orjson.OPT_UTC_Z)
            separator = b",\n"
    yield b"\n]}\n"
