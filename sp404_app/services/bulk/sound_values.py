"""The values of samples that bulk edits change: read and lock them, write many at once."""

import datetime as dt
import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session, col, select

from sp404_app.models import Sample
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library import changed_folders, samples
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.library.heard_words import sample_tokens

Values = dict[str, Any]  # column of `samples` -> value, as JSON

# The columns that edits change, and their SQL types.
COLUMN_TYPES: Final[Mapping[str, str]] = {
    "name": "text",
    "tags": "text[]",
    "bpm": "double precision",
    "bpm_source": "text",
    "key": "text",
    "key_source": "text",
    "kind": "text",
    "kind_source": "text",
    "sound_class": "text",
    "sound_class_source": "text",
    "favourite": "boolean",
    "rating": "integer",
    "note": "text",
}
SOURCE_SUFFIX: Final = "_source"  # of the column that says who has set a value
SEARCHED: Final = ("name", "tags", "note", "key", "kind", "sound_class")
# Columns that follow from the others.
DERIVED_TYPES: Final[Mapping[str, str]] = {"search_text": "text", "sort_key": "text"}


@dataclass(frozen=True, slots=True)
class SoundValues:
    """A sample as edits see it."""

    id: uuid.UUID
    name: str
    tags: list[str]
    bpm: float | None
    bpm_source: str
    key: str | None
    key_source: str
    kind: str | None
    kind_source: str
    sound_class: str | None
    sound_class_source: str
    favourite: bool
    rating: int
    note: str
    folder: str
    sound_words: list[str]
    deleted_at: dt.datetime | None


READ: Final = tuple(getattr(Sample, field) for field in SoundValues.__dataclass_fields__)


def read_sounds(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID], *, lock: bool = False
) -> dict[uuid.UUID, SoundValues]:
    """Return the user's samples among `ids`, by id; with `lock`, locked in the order of their ids.

    Missing and foreign ids are left out.
    """
    owned = (col(Sample.user_id) == user_id) & samples.has_id_in(ids)
    query = select(*READ).where(owned)  # type: ignore[call-overload]
    if lock:
        query = query.order_by(col(Sample.id)).with_for_update()
    return {row.id: SoundValues(*row) for row in session.execute(query)}


def write_sounds(
    session: Session,
    user_id: uuid.UUID,
    changes: Mapping[uuid.UUID, Values],
    sounds: Mapping[uuid.UUID, SoundValues],
) -> None:
    """Write new values of samples that are locked; `sounds` are their values before.

    Samples with the same fields are written by one statement.
    """
    retuned = {sounds[i].folder for i, values in changes.items() if {"bpm", "kind"} & values.keys()}
    changed_folders.mark_changed(session, {Folder(user_id, path) for path in retuned})
    groups: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    for sample_id, values in changes.items():
        row = values | _derived_values(sounds[sample_id], values)
        groups[tuple(sorted(row))].append({"id": str(sample_id)} | row)
    for fields, rows in sorted(groups.items()):
        session.execute(
            text(_update_statement(fields)), {"rows": json.dumps(rows), "user_id": user_id}
        )


def _derived_values(sound: SoundValues, values: Values) -> Values:
    if values.keys().isdisjoint(SEARCHED):
        return {}
    name, tags, note, key, kind, sound_class = (
        values.get(field, getattr(sound, field)) for field in SEARCHED
    )
    tokens = sample_tokens(sound.sound_words, sound_class, kind)
    search_text = samples.build_search_text(name, tags, note, sound.folder, key, tokens)
    return {"search_text": search_text, "sort_key": sort_key(name)}


def _update_statement(fields: Sequence[str]) -> str:
    """Return the update of samples from JSON rows; `fields` are names of columns."""
    types = COLUMN_TYPES | DERIVED_TYPES
    assigned = ", ".join(f'"{field}" = v."{field}"' for field in fields)
    columns = ", ".join(f'"{field}" {types[field]}' for field in fields)
    return (
        f"update samples set {assigned}, updated_at = now() "  # noqa: S608 - names of our columns
        f"from jsonb_to_recordset(cast(:rows as jsonb)) as v(id uuid, {columns}) "
        "where samples.id = v.id and samples.user_id = :user_id"
    )
