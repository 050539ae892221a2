"""Users who own a row in every table, and dumps of all tables to compare."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import AutoString, SQLModel

from sp404_app import db
from sp404_app.audio.features.survey import survey_file
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.models.columns import now, uuid7
from sp404_app.services.projects.projects import default_banks
from sp404_app.services.sharing import share_tokens
from tests.accounts import SignedUpUser, deliver_mails, sign_up_user
from tests.sounds import keep, tone, write

# One bar in 4/4 with no note: 1,920 ticks of rest, the end, and what describes the pattern.
REST = bytes([240, 0x80, 0, 0, 0, 0, 0, 0])
PATTERN = REST * 8 + bytes([0, 0x8C, 0, 0, 0, 0, 0, 0]) + bytes([1, 0, 0, 0, 0, 0, 0, 0])
# Values of columns, or of tables' columns, whose type alone does not determine them.
VALUES: dict[str, object] = {
    "kind": "analyse",
    "card_imports.kind": "mk2",
    "card_import_files.storage_key": "imports/none",
    "place": "import",
    "slot": 1,
    "project_exports.size_bytes": 22,
    "project_files.path": "PTN/PTN00001.BIN",
    "data": PATTERN,
    "status": "done",
    "queue": "free",
    "realm": "emulator",
    "tier": "pro",
    "currency": "usd",
    "metric": "analysis",
    "theme": "dark",
    "device": "mk2",
    "tempo": 90.0,
    "tempo_source": "project",
    "banks": list(default_banks(90.0)),
    "settings": DEFAULTS,
    "before": {"project": {}, "pads": {}},
    "after": {"project": {}, "pads": {}},
    "bulk_edits.action": "clean",
    "bulk_edits.parameters": {"action": "clean"},
    "bulk_edit_items.before": {"rating": 0},
    "bulk_edit_items.after": {"rating": 1},
    "allow_download": "none",
    "shares.collection_id": None,  # a link has one target
    "shares.project_id": None,
}
VOLATILE = frozenset({"last_seen_at", "heartbeat_at"})
# Parameter names that do not follow "<thing>_id" for a table "<thing>s".
ALIASES = {
    "ids": "samples",
    "sample_ids": "samples",
    "collection_ids": "collections",
    "anchor_id": "samples",
    "other_id": "samples",
    "job_id": "processing_jobs",
    "export_id": "project_exports",
    "import_id": "card_imports",
    "device_id": "sign_ins",
    "session_id": "sign_ins",
    "token_id": "personal_tokens",
}

Dump = dict[str, dict[str, str]]
pitches = count(3000)


@dataclass(frozen=True, slots=True)
class Person:
    """A user, and the id of one of the user's rows in each table with a `user_id`."""

    who: SignedUpUser
    ids: dict[str, str]


def tables() -> list[Table]:
    return [table for table in SQLModel.metadata.sorted_tables if "user_id" in table.columns]


def person(folder: Path) -> Person:
    """Create a user who owns a row in every table."""
    who = sign_up_user()
    sample_id = keep(who.id, folder, hertz=float(next(pitches)))
    ids = {"samples": str(sample_id), "users": str(who.id)}
    with db.engine().begin() as connection:
        for table in tables():
            key = next(iter(table.primary_key.columns))
            mine = select(key).where(table.c.user_id == who.id).limit(1)
            found = connection.scalar(mine)
            if found is None:
                values = _row(table, who.id, ids)
                if table.name == "waveforms":
                    values["peaks"] = _peaks(folder)
                if table.name == "shares":
                    token = share_tokens.new_token()
                    values["token_hash"] = share_tokens.hash_token(token)
                    values["token_encrypted"] = share_tokens.encrypt_token(token, values["id"])
                found = connection.scalar(insert(table).values(values).returning(key))
            ids[table.name] = str(found)
    return Person(who, ids)


def _row(table: Table, user_id: uuid.UUID, ids: dict[str, str]) -> dict[str, Any]:
    """Make the values of a row of this user."""
    row: dict[str, Any] = {}
    for minute, column in enumerate(table.columns):
        if column.name == "user_id":
            row[column.name] = user_id
        elif f"{table.name}.{column.name}" in VALUES:
            row[column.name] = VALUES[f"{table.name}.{column.name}"]
        elif column.foreign_keys:
            target = next(iter(column.foreign_keys)).column.table.name
            if target in ids:
                row[column.name] = uuid.UUID(ids[target])
        elif column.name in VALUES:
            row[column.name] = VALUES[column.name]
        elif column.primary_key or not (column.nullable or column.server_default is not None):
            row[column.name] = _value(column, minute)
    return row


MAKERS: dict[type, Callable[[Any, int], object]] = {
    VECTOR: lambda kind, _: [0.0] * kind.dim,
    Uuid: lambda *_: uuid7(),
    Date: lambda *_: now().date(),
    DateTime: lambda _, minute: now() + dt.timedelta(days=1, minutes=minute),
    Boolean: lambda *_: False,
    Integer: lambda *_: 1,
    Float: lambda *_: 1.0,
    LargeBinary: lambda *_: uuid.uuid4().bytes,
    ARRAY: lambda *_: [],
    JSONB: lambda *_: {},
    String: lambda kind, _: uuid.uuid4().hex[: min(20, kind.length or 20)],
    AutoString: lambda kind, _: uuid.uuid4().hex[: min(20, kind.impl.length or 20)],
}


def _value(column: Column[Any], minute: int) -> object:
    """Make a value of the column's type; later columns get later times."""
    found = next((make for kind, make in MAKERS.items() if isinstance(column.type, kind)), None)
    assert found is not None, f"say in VALUES or MAKERS what {column} holds"
    return found(column.type, minute)


def _peaks(folder: Path) -> bytes:
    return survey_file(write(folder / f"{uuid.uuid4().hex}.wav", tone(220.0))).peaks.to_bytes()


def never() -> dict[str, str]:
    """Return ids that were never used."""
    return {table.name: str(uuid7()) for table in SQLModel.metadata.sorted_tables}


def id_for(name: str, ids: dict[str, str]) -> str | None:
    """Return the id for a parameter of this name, or None if the parameter is no id."""
    return ids.get(table_of(name))


def table_of(name: str) -> str:
    """Return the table that an id parameter refers to, or "" if the parameter is no id."""
    if name in ALIASES:
        return ALIASES[name]
    return f"{name[:-3]}s" if name.endswith("_id") else ""


def dump(*, without: uuid.UUID | None = None) -> Dump:
    """Send all due mails; return the rows of all tables, optionally without those of one user."""
    deliver_mails()
    found: Dump = {}
    with db.engine().connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            owner = table.c.get("user_id", table.c.get("id")) if table.name == "users" else None
            owner = table.c.user_id if "user_id" in table.c else owner
            rows = connection.execute(select(table)).mappings()
            keys = [column.name for column in table.primary_key.columns]
            found[table.name] = {
                str([row[key] for key in keys]): str(
                    {name: value for name, value in row.items() if name not in VOLATILE}
                )
                for row in rows
                if owner is None or without is None or row[owner.name] != without
            }
    return found


def untouched(before: Dump, after: Dump) -> bool:
    """Return whether every row of `before` is unchanged in `after`."""
    return all(rows.items() <= after[name].items() for name, rows in before.items())
