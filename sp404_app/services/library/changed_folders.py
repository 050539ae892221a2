"""Folders whose sounds changed, until housekeeping judges their tempi again.

They are kept as a set in Redis, so that an import of thousands of sounds marks its folder once. A
mark that is lost with Redis is set again by the next change in the folder.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import Sample
from sp404_app.services.infra.events import connection

CHANGED: Final = "sp404:changed-folders"  # set of "<user id>/<folder>"
MARKED: Final = "changed_folders"  # in `Session.info`: what the transaction has marked


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of a user's library, as samples name it."""

    user_id: uuid.UUID
    path: str


def mark_changed(session: Session, folders: Iterable[Folder]) -> None:
    """Mark folders after the commit, by one command for all calls of a transaction.

    Sounds without a folder have nothing in common, so that is none.
    """
    marked: set[Folder] = session.info.setdefault(MARKED, set())
    if not marked:
        after_commit(session, partial(_mark_all, session))
    marked.update(each for each in folders if each.path)


def _mark_all(session: Session) -> None:
    mark_now(session.info.pop(MARKED, set()))


def mark_folders_of(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
    """Mark the folders of a user's samples, in the trash or not."""
    named = col(Sample.id) == any_(literal(list(ids), ARRAY(Uuid)))
    mine = select(Sample.folder).where(Sample.user_id == user_id, named).distinct()
    mark_changed(session, [Folder(user_id, path) for path in session.exec(mine)])


def take_changed(count: int) -> list[Folder]:
    """Remove up to `count` marks and return their folders."""
    taken = cast(list[bytes], connection().spop(CHANGED, count))
    split = [name.decode().partition("/") for name in taken]
    return [Folder(uuid.UUID(user_id), path) for user_id, _, path in split]


def mark_now(folders: Iterable[Folder]) -> None:
    """Mark folders outside of a transaction."""
    names = [f"{each.user_id}/{each.path}" for each in folders]
    if names:
        connection().sadd(CHANGED, *names)
