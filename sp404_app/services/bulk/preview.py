"""What an edit would do, before it is requested."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlmodel import Session

from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.bulk.bulk_edits import ensure_count
from sp404_app.services.bulk.changes import CannotChange, compile_edit
from sp404_app.services.bulk.edits import (
    BulkChange,
    CollectEdit,
    NormaliseEdit,
    RestoreEdit,
    SetEdit,
    TrashEdit,
)
from sp404_app.services.bulk.sound_values import SoundValues, Values, read_sounds

MAX_PREVIEWED: Final = 200
SHOWN: Final = (
    "name", "tags", "bpm", "key", "kind", "sound_class", "favourite", "rating", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One sound that would change, or cannot: then `problem` says why and `after` is empty."""

    id: uuid.UUID
    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    problem: str = ""


@dataclass(slots=True)
class Preview:
    """How many sounds would change, stay as they are, or cannot change; and the first rows.

    `changing` are the ids of all that would change, in the order of the list.
    """

    changed: int = 0
    skipped: int = 0
    failed: int = 0
    rows: list[PreviewRow] = field(default_factory=list)
    changing: list[uuid.UUID] = field(default_factory=list)


def preview_edit(
    session: Session,
    user_id: uuid.UUID,
    edit: BulkChange,
    ids: Sequence[uuid.UUID],
    *,
    limit: int = MAX_PREVIEWED,
) -> Preview:
    """Return what an edit of names or values would do now; `limit` bounds the rows.

    Raises:
        NotFound: If a sample does not exist or belongs to another user.
        TooLarge: If there are too many samples.
        ValidationFailed: If there are none, or the edit has no preview.
    """
    if isinstance(edit, TrashEdit | RestoreEdit | NormaliseEdit | CollectEdit):
        raise ValidationFailed("This action has no preview.", {"action": ["No preview."]})
    wanted = list(dict.fromkeys(ids))
    ensure_count(wanted)
    sounds = read_sounds(session, user_id, wanted)
    if len(sounds) < len(wanted):
        raise NotFound("There is no such sample.")
    change = compile_edit(edit, tag_names=edit.add_tags if isinstance(edit, SetEdit) else ())
    found = Preview()
    for index, sample_id in enumerate(wanted):
        sound = sounds[sample_id]
        try:
            values = change(sound, index)
        except CannotChange as error:
            found.failed += 1
            _add_row(found, limit, PreviewRow(sample_id, sound.name, {}, {}, str(error)))
            continue
        if values:
            found.changed += 1
            found.changing.append(sample_id)
            _add_row(found, limit, _changed_row(sound, values))
        else:
            found.skipped += 1
    return found


def _add_row(found: Preview, limit: int, row: PreviewRow) -> None:
    if len(found.rows) < limit:
        found.rows.append(row)


def _changed_row(sound: SoundValues, values: Values) -> PreviewRow:
    fields = [name for name in SHOWN if name in values]
    before = {name: getattr(sound, name) for name in fields}
    return PreviewRow(sound.id, sound.name, before, {name: values[name] for name in fields})
