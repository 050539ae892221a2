"""The names that a browser keeps, so that the library can be read without a connection."""

import uuid
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from sp404_app.models import Sample

MAX_NAMES: Final = 200


@dataclass(frozen=True, slots=True)
class NamedSample:
    """What the offline page shows of a sample; None where unknown."""

    id: uuid.UUID
    name: str
    bpm: float | None
    key: str | None


@dataclass(frozen=True, slots=True)
class OfflineNames:
    """The newest samples of `account`, newest first; a browser keeps them for this user alone."""

    account: uuid.UUID
    samples: list[NamedSample]


def list_offline_names(session: Session, user_id: uuid.UUID) -> OfflineNames:
    """List the newest 200 samples of a user that are not in the trash."""
    query = (
        select(Sample.id, Sample.name, Sample.bpm, Sample.key)
        .where(Sample.user_id == user_id, col(Sample.deleted_at).is_(None))
        .order_by(col(Sample.id).desc())  # ids are UUIDv7: they increase with time
        .limit(MAX_NAMES)
    )
    return OfflineNames(user_id, [NamedSample(*row) for row in session.exec(query)])
