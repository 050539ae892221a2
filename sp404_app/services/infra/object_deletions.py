"""Deletion of stored files that outlasts a crash: `object_deletions` lists what is to be deleted.

The store takes no part in transactions. A process that dies between a commit and the deletion of a
file, or between storing a file and the commit of its row, would leave a file that nothing names.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

from obstore.exceptions import BaseError
from sqlalchemy import ARRAY, String, any_, literal
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select

from sp404_app.db import after_commit, if_undone, transaction
from sp404_app.models import CardImport, ObjectDeletion, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.infra import storage

STORED_WITHIN: Final = dt.timedelta(days=1)  # longer than an upload takes from key to row
BATCH: Final = 1_000
AVATARS: Final = "avatars/"


def announce_object(key: str, session: Session | None = None) -> None:
    """Note, before a file is stored, that it is to be deleted in a day without a row that names it.

    The note is committed at once. Call it before the first statement of `session`: a transaction
    that waits for a second connection while it holds one could exhaust the pool. If `session` is
    rolled back, the file is deleted at once.
    """
    if session:
        if_undone(session, partial(_delete_now, [key]))
    with transaction() as own:
        _note(own, [key], now() + STORED_WITHIN)


def keep_object(session: Session, key: str) -> None:
    """Forget the note about a file whose row this transaction has inserted."""
    session.exec(delete(ObjectDeletion).where(col(ObjectDeletion.key) == key))


def delete_objects_later(session: Session, keys: Collection[str]) -> None:
    """Delete files after the commit; housekeeping repeats it for those that could not be deleted.

    The caller deletes the rows that name them in the same transaction.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return
    _note(session, wanted, now())
    after_commit(session, partial(_delete_now, wanted))


def delete_due_objects(session: Session, at: dt.datetime) -> int:
    """Delete the files that are due and that no row names; return how many notes were settled.

    A file that the store does not delete now stays noted.
    """
    due = (
        select(ObjectDeletion.key)
        .where(col(ObjectDeletion.due_at) <= at)
        .order_by(col(ObjectDeletion.due_at))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    keys = list(session.exec(due))
    named = _named_keys(session, keys)
    settled = [key for key in keys if key in named or _is_deleted(key)]
    _forget(session, settled)
    return len(settled)


def _note(session: Session, keys: Sequence[str], due_at: dt.datetime) -> None:
    for start in range(0, len(keys), BATCH):
        rows = [{"key": key, "due_at": due_at} for key in keys[start : start + BATCH]]
        row = insert(ObjectDeletion).values(rows)
        session.execute(
            row.on_conflict_do_update(index_elements=["key"], set_={"due_at": row.excluded.due_at})
        )


def _delete_now(keys: Sequence[str]) -> None:
    deleted = [key for key in keys if _is_deleted(key)]
    with transaction() as session:
        _forget(session, deleted)


def _is_deleted(key: str) -> bool:
    """Delete a file; return False if the store does not answer, or refuses."""
    try:
        storage.delete_object(key)
    except (BaseError, OSError):
        return False
    return True


def _forget(session: Session, keys: Sequence[str]) -> None:
    session.exec(delete(ObjectDeletion).where(_is_any(ObjectDeletion.key, keys)))


def _named_keys(session: Session, keys: Sequence[str]) -> set[str]:
    """Return the keys that a sample, a profile picture or an import names."""
    named: set[str] = set()
    for column in (Sample.storage_key, Sample.preview_key):
        found = session.exec(select(column).where(_is_any(column, keys)))
        named |= {key for key in found if key}
    names = {
        key.removeprefix(AVATARS).removesuffix(".webp"): key
        for key in keys
        if key.startswith(AVATARS)
    }
    if names:
        urls = [f"/api/{AVATARS}{name}" for name in names]
        used = session.exec(select(User.avatar_url).where(_is_any(User.avatar_url, urls)))
        named |= {names[url.rpartition("/")[2]] for url in used if url}
    imported = select(CardImport.sample_keys).where(col(CardImport.sample_keys) != [])
    return named.union(*session.exec(imported))


def _is_any(column: Any, values: Sequence[str]) -> Any:
    return col(column) == any_(literal(list(values), ARRAY(String)))
