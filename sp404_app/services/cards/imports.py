"""Uploads of cards and project folders: file by file, resumable, bounded, deleted after a day."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session, col, func, select

from sp404_app.db import after_commit, if_undone
from sp404_app.errors import Conflict, NotFound, TooLarge, ValidationFailed
from sp404_app.models import CardImport, CardImportFile, JobKind, JobStatus, ProcessingJob
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.cards.card_paths import clean_path, fold_path
from sp404_app.services.infra import queue, storage
from sp404_app.services.infra.byte_size import GB, format_size
from sp404_app.services.infra.import_files import new_import_key

LIFETIME: Final = dt.timedelta(days=1)
MAX_IMPORTS: Final = 20  # of one user at a time
MAX_FILES: Final = 20_000  # of one import
MAX_STAGED_BYTES: Final = 32 * GB  # of one user, where the plan's storage has no limit
MAX_FOLDERS: Final = 500
KINDS: Final = ("", "mk2", "sx")
FINISHED = "This import is being read. Start another one."
OTHER_CASE = "Another file has this name in other case; a card cannot hold both."
ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
UNREAD = (JobStatus.FAILED, JobStatus.CANCELLED)  # the files are still there


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a card by its name, size in bytes and SHA-256; "" if the hash is not known."""

    path: str
    bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class SentFile(ListedFile):
    """A file of an import; `sent` tells whether its bytes are here."""

    sent: bool = False


def create_import(session: Session, user_id: uuid.UUID, kind: str = "") -> CardImport:
    """Create an import. Of those beyond `MAX_IMPORTS`, the oldest are deleted, empty ones first.

    Raises:
        ValidationFailed: If the kind is unknown.
        Conflict: If `MAX_IMPORTS` are being read.
    """
    if kind not in KINDS:
        raise ValidationFailed("Choose mk2 or sx.", {"kind": ["Choose mk2 or sx."]})
    quotas.lock_library(session, user_id)
    mine = select(CardImport).where(CardImport.user_id == user_id)
    rows = session.exec(mine.order_by(col(CardImport.created_at), col(CardImport.id))).all()
    excess = len(rows) + 1 - MAX_IMPORTS
    idle = [row for row in rows if not is_active(session, row)] if excess > 0 else []
    if excess > len(idle):
        raise Conflict("Several cards are being read. Wait until one is done.")
    holding = _imports_with_files(session, user_id) if idle else set()
    idle.sort(key=lambda row: row.id in holding)  # each comparison of a card makes an empty one
    for row in idle[: max(0, excess)]:
        delete_import(session, row)
    made = CardImport(user_id=user_id, kind=kind)
    session.add(made)
    session.flush()
    return made


def _imports_with_files(session: Session, user_id: uuid.UUID) -> set[uuid.UUID]:
    """Return the imports of a user to which files were sent."""
    query = select(CardImportFile.import_id).where(
        CardImportFile.user_id == user_id, CardImportFile.storage_key != ""
    )
    return set(session.exec(query.distinct()))


def get_import(
    session: Session, user_id: uuid.UUID, import_id: uuid.UUID, *, lock: bool = False
) -> CardImport:
    """Return a user's import.

    Raises:
        NotFound: If it does not exist, was deleted, or belongs to another user.
    """
    owned = select(CardImport).where(CardImport.id == import_id, CardImport.user_id == user_id)
    if lock:
        owned = owned.with_for_update().execution_options(populate_existing=True)
    found = session.exec(owned).first()
    if found is None:
        raise NotFound("There is no such import. It may be older than a day.")
    return found


def lock_open_import(session: Session, user_id: uuid.UUID, import_id: uuid.UUID) -> CardImport:
    """Lock an import that still takes files; also one whose job failed or was cancelled.

    Raises:
        NotFound: As `get_import`.
        Conflict: If it is being read, or was read.
    """
    found = get_import(session, user_id, import_id, lock=True)
    job = session.get(ProcessingJob, found.job_id) if found.job_id else None
    if found.finished_at is not None and (job is None or job.status not in UNREAD):
        raise Conflict(FINISHED)
    return found


def is_active(session: Session, row: CardImport) -> bool:
    """Return whether a job reads this import now."""
    job = session.get(ProcessingJob, row.job_id) if row.job_id else None
    return job is not None and job.status in ACTIVE


def load_rows(session: Session, import_id: uuid.UUID) -> dict[str, CardImportFile]:
    """Return the files of an import by their folded path, in the order of their paths."""
    rows = session.exec(select(CardImportFile).where(CardImportFile.import_id == import_id))
    return {row.folded_path: row for row in sorted(rows, key=lambda row: row.path)}


def list_files(session: Session, user_id: uuid.UUID, import_id: uuid.UUID) -> list[SentFile]:
    """Return the files of an import: sent ones, and those of which only the names are known.

    Raises:
        NotFound: As `get_import`.
    """
    found = get_import(session, user_id, import_id)
    return [
        SentFile(row.path, row.size_bytes, row.sha256, bool(row.storage_key))
        for row in load_rows(session, found.id).values()
    ]


def ensure_takes_file(
    session: Session, user_id: uuid.UUID, import_id: uuid.UUID, path: str
) -> None:
    """Check that an import takes a file of this name, before its bytes are read.

    Raises:
        NotFound, Conflict, TooLarge, ValidationFailed: As `store_file`.
    """
    clean_path(path)
    found = lock_open_import(session, user_id, import_id)
    row = _find_row(session, found, path)
    _ensure_staging_room(session, found, 0, row)


def store_file(
    session: Session,
    user_id: uuid.UUID,
    import_id: uuid.UUID,
    listed: ListedFile,
    content: Path,
) -> SentFile:
    """Store a file of an import; one with the same path is replaced.

    Raises:
        NotFound: If the import does not exist or belongs to another user.
        Conflict: If the import is being read, or a file has this name in other case.
        TooLarge: If the imports of this user have too many files or bytes.
        ValidationFailed: If the path is invalid.
    """
    clean_path(listed.path)
    key = new_import_key(user_id, import_id)
    if_undone(session, partial(storage.delete_object, key))
    storage.save(content, key)
    quotas.lock_library(session, user_id)  # files of two imports at once cannot exceed the limit
    found = lock_open_import(session, user_id, import_id)
    row = _find_row(session, found, listed.path)
    _ensure_staging_room(session, found, listed.bytes, row)
    if row and row.storage_key:
        after_commit(session, partial(storage.delete_object, row.storage_key))
    row = row or CardImportFile(**_values(found, listed))
    row.size_bytes, row.sha256, row.storage_key = listed.bytes, listed.sha256, key
    session.add(row)
    session.flush()
    return SentFile(listed.path, listed.bytes, listed.sha256, sent=True)


def _find_row(session: Session, found: CardImport, path: str) -> CardImportFile | None:
    row = session.get(CardImportFile, (found.id, fold_path(path)))
    if row and row.path != path:
        raise Conflict(OTHER_CASE, {"path": row.path})
    return row


def _values(found: CardImport, listed: ListedFile) -> dict[str, Any]:
    return {
        "import_id": found.id,
        "folded_path": fold_path(listed.path),
        "user_id": found.user_id,
        "path": listed.path,
        "size_bytes": listed.bytes,
        "sha256": listed.sha256,
        "storage_key": "",
        "created_at": now(),
    }


def _ensure_staging_room(
    session: Session, found: CardImport, size: int, replaced: CardImportFile | None
) -> None:
    """Raise if the files of this import, or the bytes of all of the user's, are too many."""
    count = select(func.count()).where(CardImportFile.import_id == found.id)
    if replaced is None and session.exec(count).one() >= MAX_FILES:
        raise TooLarge(f"An import can have up to {MAX_FILES:,} files.")
    limit = quotas.get_plan(session, found.user_id).storage_bytes or MAX_STAGED_BYTES
    staged = select(func.coalesce(func.sum(CardImportFile.size_bytes), 0)).where(
        CardImportFile.user_id == found.user_id, CardImportFile.storage_key != ""
    )
    freed = replaced.size_bytes if replaced and replaced.storage_key else 0
    if session.exec(staged).one() - freed + size > min(limit, MAX_STAGED_BYTES):
        raise TooLarge(f"Imports can have up to {format_size(min(limit, MAX_STAGED_BYTES))}.")


def add_listing(
    session: Session, user_id: uuid.UUID, import_id: uuid.UUID, files: Sequence[ListedFile]
) -> None:
    """Record files that are on the card and are not sent; names that no card can have are ignored.

    A file that was sent stays.

    Raises:
        NotFound, Conflict: As `store_file`.
        TooLarge: If the import has too many files.
    """
    found = lock_open_import(session, user_id, import_id)
    rows = load_rows(session, found.id)
    new: dict[str, dict[str, Any]] = {}
    for listed in files:
        if not is_possible(listed.path):
            continue
        values = _values(found, listed)
        known = rows.get(values["folded_path"])
        if (known.path if known else new.get(values["folded_path"], values)["path"]) != listed.path:
            raise Conflict(OTHER_CASE, {"path": listed.path})
        if known is None:
            new[values["folded_path"]] = values
        elif not known.storage_key:
            known.size_bytes, known.sha256 = listed.bytes, listed.sha256
            session.add(known)
    if len(rows) + len(new) > MAX_FILES:
        raise TooLarge(f"An import can have up to {MAX_FILES:,} files.")
    session.flush()
    if new:
        session.execute(insert(CardImportFile), list(new.values()))


def is_possible(path: str) -> bool:
    """Return whether a path is one that an import takes."""
    try:
        clean_path(path)
    except ValidationFailed:
        return False
    return True


def finish_import(
    session: Session, user_id: uuid.UUID, import_id: uuid.UUID, folders: Iterable[str] | None = None
) -> ProcessingJob:
    """Queue the job that reads an import, and return it. `folders` chooses among its projects.

    An import whose job failed or was cancelled can be finished again.

    Raises:
        NotFound: If the import does not exist or belongs to another user.
        Conflict: If no file was sent.
    """
    quotas.lock_library(session, user_id)
    found = get_import(session, user_id, import_id, lock=True)
    before = session.get(ProcessingJob, found.job_id) if found.job_id else None
    if before and before.status in (*ACTIVE, JobStatus.DONE):
        return before
    if not any(row.storage_key for row in load_rows(session, found.id).values()):
        raise Conflict("Send the files of the card first.")
    job = ProcessingJob(
        user_id=user_id, kind=JobKind.IMPORT, queue=quotas.get_plan(session, user_id).tier
    )
    session.add(job)
    session.flush()
    found.job_id, found.finished_at = job.id, now()
    found.folders = None if folders is None else list(folders)[:MAX_FOLDERS]
    session.add(found)
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0, slow=True))
    return job


def delete_import(session: Session, row: CardImport) -> None:
    """Delete an import with its files, and sounds that its job stored for nobody."""
    delete_staged_files(session, row)
    session.delete(row)
    session.flush()


def delete_staged_files(session: Session, row: CardImport) -> None:
    """Delete the bytes of an import after the commit; names, sizes and hashes stay."""
    for file in load_rows(session, row.id).values():
        if file.storage_key:
            after_commit(session, partial(storage.delete_object, file.storage_key))
            file.storage_key = ""
            session.add(file)
    for key in row.sample_keys:
        after_commit(session, partial(storage.delete_object, key))
    row.sample_keys = []
    session.add(row)
    session.flush()
