"""Housekeeping of imports: delete old ones, and files that no row names."""

import datetime as dt
from functools import partial

from sqlmodel import Session, col, select

from sp404_app.db import after_commit
from sp404_app.models import CardImport, CardImportFile
from sp404_app.services.cards import imports
from sp404_app.services.infra import storage
from sp404_app.services.infra.import_files import list_import_files

UPLOAD_TIME = dt.timedelta(hours=2)  # longer than a file takes from its first byte to its row


def clean_up_imports(session: Session, at: dt.datetime) -> int:
    """Delete imports older than a day and what killed workers left; return how many rows and files.

    An import that a job reads stays.
    """
    orphans = _delete_orphans(session, at)
    old = select(CardImport).where(col(CardImport.created_at) < at - imports.LIFETIME)
    rows = session.exec(old.with_for_update(skip_locked=True)).all()
    idle = [row for row in rows if not imports.is_active(session, row)]
    for row in idle:
        imports.delete_import(session, row)
    return orphans + len(idle) + _discard_unused_sounds(session)


def _discard_unused_sounds(session: Session) -> int:
    """Delete sounds that a job stored before it was cancelled or given up."""
    stored = select(CardImport).where(col(CardImport.sample_keys) != [])
    count = 0
    for row in session.exec(stored.with_for_update(skip_locked=True)).all():
        if not imports.is_active(session, row):
            count += len(row.sample_keys)
            discard_sounds(session, row)
    return count


def discard_sounds(session: Session, row: CardImport) -> None:
    """Delete, after the commit, the sounds that a job stored and that became no samples."""
    for key in row.sample_keys:
        after_commit(session, partial(storage.delete_object, key))
    row.sample_keys = []
    session.add(row)
    session.flush()


def _delete_orphans(session: Session, at: dt.datetime) -> int:
    """Delete files that no row names: their upload was stopped before the commit."""
    keys = [stored.key for stored in list_import_files(at - UPLOAD_TIME)]
    named = select(CardImportFile.storage_key).where(col(CardImportFile.storage_key) != "")
    orphans = set(keys) - set(session.exec(named)) if keys else set()
    for key in orphans:
        after_commit(session, partial(storage.delete_object, key))
    return len(orphans)
