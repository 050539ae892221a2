"""The words a person sorts sounds by."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, literal, literal_column, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from sp404_app.models import Sample, Tag
from sp404_app.models.columns import uuid7
from sp404_app.services.infra.text import clean_name, folder_parts, sort_key

MAX_TAGS = 30
MAX_LENGTH = 60


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many living samples carry it."""

    name: str
    samples: int


def known(session: Session, user_id: uuid.UUID, names: Sequence[str]) -> list[str]:
    """Return tags as the person first wrote them, making those that are new."""
    wanted = list(dict.fromkeys(filter(None, map(_clean, names))))[:MAX_TAGS]
    if not wanted:
        return []
    # In one order, so that two uploads with the same tags cannot wait for each other for ever.
    rows = [{"id": uuid7(), "user_id": user_id, "name": name} for name in sorted(wanted)]
    new = insert(Tag).values(rows)
    session.execute(
        new.on_conflict_do_nothing(index_elements=["user_id", literal_column("lower(name)")])
    )
    # The database's idea of small letters is not Python's.
    small = select(func.lower(func.unnest(literal(wanted, ARRAY(Text)))))
    stored = session.exec(
        select(Tag.name).where(Tag.user_id == user_id, func.lower(Tag.name).in_(small))
    )
    return sorted(stored, key=sort_key)


def counts(session: Session, user_id: uuid.UUID) -> list[TagCount]:
    """List the tags in use, the most used first."""
    name = func.unnest(Sample.tags).label("name")
    rows = session.execute(
        select(name, func.count())
        .where(Sample.user_id == user_id, col(Sample.deleted_at).is_(None))
        .group_by(text("1"))
        .order_by(text("2 desc, 1"))
        .limit(200)
    )
    found = [TagCount(name, count) for name, count in rows]
    return sorted(found, key=lambda tag: (-tag.samples, sort_key(tag.name)))


def of_folder(folder: str) -> list[str]:
    """Return the names of the folders a file lay in: `Drums/Dusty Kit` gives two."""
    return [tag for tag in map(_clean, folder_parts(folder)) if tag][-MAX_TAGS:]


def _clean(name: str) -> str:
    return clean_name(name.replace(",", " "), "")[:MAX_LENGTH].strip()
