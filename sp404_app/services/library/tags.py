"""Tags: create, count, and derive them from folder names."""

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
MAX_TAG_LENGTH = 60


@dataclass(frozen=True, slots=True)
class TagCount:
    """A tag and how many samples have it, without those in the trash."""

    name: str
    samples: int


def get_or_create_tags(session: Session, user_id: uuid.UUID, names: Sequence[str]) -> list[str]:
    """Return tags in their stored spelling, ignoring case; create those that are new."""
    cleaned = list(dict.fromkeys(filter(None, map(_clean_tag, names))))[:MAX_TAGS]
    if not cleaned:
        return []
    # Sorted, so that two uploads with the same tags cannot deadlock.
    rows = [{"id": uuid7(), "user_id": user_id, "name": name} for name in sorted(cleaned)]
    new = insert(Tag).values(rows)
    session.execute(
        new.on_conflict_do_nothing(index_elements=["user_id", literal_column("lower(name)")])
    )
    # Lower-cased by PostgreSQL, as its rules differ from Python's.
    lowered = select(func.lower(func.unnest(literal(cleaned, ARRAY(Text)))))
    stored = session.exec(
        select(Tag.name).where(Tag.user_id == user_id, func.lower(Tag.name).in_(lowered))
    )
    return sorted(stored, key=sort_key)


def count_tags(session: Session, user_id: uuid.UUID) -> list[TagCount]:
    """List up to 200 tags in use, most used first."""
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


def folder_tags(folder: str, *, root: bool = True) -> list[str]:
    """Return the folder names of a path as tags: `Drums/Dusty Kit` gives two.

    Without `root`, the first folder, often "Samples" or a disk's name, is none.
    """
    parts = folder_parts(folder)[0 if root else 1 :]
    return [tag for tag in map(_clean_tag, parts) if tag][-MAX_TAGS:]


def _clean_tag(name: str) -> str:
    return clean_name(name.replace(",", " "), "")[:MAX_TAG_LENGTH].strip()
