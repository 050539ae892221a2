"""Export of all personal data: every table as JSON, and every original file, in one zip."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import LargeBinary, Table
from sqlmodel import Session, SQLModel, col, select, update

from sp404_app.db import after_commit
from sp404_app.errors import NotFound
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import avatars
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.infra import audit_log, queue, storage, zip_names
from sp404_app.services.infra.client_info import Client
from sp404_app.services.processing import jobs

FOLDER = "exports"
EXPORT_LIFETIME = dt.timedelta(days=7)
# Internal columns, not personal data. Binary columns (hashes, peaks) are omitted too.
OMITTED_COLUMNS = {
    "password_hash",
    "storage_key",
    "preview_key",
    "search",
    "search_text",
    "usage_period_start",
}
# JSON fields keep the name they had before their columns were renamed.
JSON_NAMES = {"duplicate_group_id": "copy_group", "is_secondary": "surplus"}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A stored file and its path in the zip."""

    key: str
    name: str


def request_export(session: Session, user_id: uuid.UUID, client: Client) -> ProcessingJob:
    """Queue an export; if one is queued or running, return that one.

    Raises:
        Unauthenticated: If the account is gone.
    """
    lock_account(session, user_id)  # concurrent requests create one job
    open_one = select(ProcessingJob).where(
        ProcessingJob.user_id == user_id,
        ProcessingJob.kind == JobKind.ACCOUNT_EXPORT,
        col(ProcessingJob.status).in_([JobStatus.QUEUED, JobStatus.RUNNING]),
    )
    if job := session.exec(open_one).first():
        return job
    tier = quotas.get_plan(session, user_id).tier
    job = ProcessingJob(user_id=user_id, kind=JobKind.ACCOUNT_EXPORT, queue=tier)
    session.add(job)
    session.flush()
    audit_log.record_audit_event(session, user_id, "export_asked", client, job_id=str(job.id))
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0, slow=True))
    return job


def latest_export(session: Session, user_id: uuid.UUID) -> ProcessingJob | None:
    """Return the user's newest export job, unless it finished more than a week ago."""
    query = (
        select(ProcessingJob)
        .where(ProcessingJob.user_id == user_id, ProcessingJob.kind == JobKind.ACCOUNT_EXPORT)
        .order_by(col(ProcessingJob.id).desc())
    )
    job = session.exec(query).first()
    return (
        job
        if job and (job.finished_at is None or now() - job.finished_at < EXPORT_LIFETIME)
        else None
    )


def find_export_key(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> str:
    """Return the storage key of the user's own export.

    Raises:
        NotFound: If it is not theirs, not finished, or older than a week.
    """
    job = jobs.get_job(session, user_id, job_id)
    if not _is_downloadable(job):
        raise NotFound("This export is no longer available. Request a new one.")
    return export_key(job.id)


def export_key(job_id: uuid.UUID) -> str:
    """Return the storage key of an export."""
    return f"{FOLDER}/{job_id.hex}.zip"


def _is_downloadable(job: ProcessingJob) -> bool:
    done = job.kind == JobKind.ACCOUNT_EXPORT and job.status == JobStatus.DONE
    return done and bool(job.result) and now() - (job.finished_at or now()) < EXPORT_LIFETIME


def export_tables(
    session: Session, user_id: uuid.UUID
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield each table that has rows of the user, with these rows as JSON values.

    Tables are found by their `user_id` column, so a new table cannot be forgotten.
    """
    for table in SQLModel.metadata.sorted_tables:
        owner = table.c.get("id" if table.name == "users" else "user_id")
        if owner is None:
            continue
        columns = [
            column.label(JSON_NAMES.get(column.name, column.name))
            for column in table.c
            if not _is_omitted(table, column.name)
        ]
        rows = session.connection().execute(
            select(*columns).where(owner == user_id)  # type: ignore[call-overload]
        )
        yield (
            table.name,
            [{name: _json_value(row[name]) for name in row} for row in rows.mappings()],
        )


def _json_value(value: object) -> object:
    """Convert dates and UUIDs to strings, as JSON has neither."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, list):
        return [_json_value(each) for each in value]
    return str(value) if isinstance(value, uuid.UUID) else value


def _is_omitted(table: Table, name: str) -> bool:
    return name in OMITTED_COLUMNS or isinstance(table.c[name].type, LargeBinary)


def list_original_files(session: Session, user_id: uuid.UUID) -> list[ExportedFile]:
    """List the user's files, including trashed ones, under names valid on any system."""
    mine = select(Sample).where(Sample.user_id == user_id).order_by(col(Sample.id))
    samples = session.exec(mine).all()
    paths = zip_names.unique_paths([_zip_entry(sample) for sample in samples])
    sounds = [ExportedFile(one.storage_key, path) for one, path in zip(samples, paths, strict=True)]
    user = session.get_one(User, user_id)
    return sounds + [ExportedFile(key, "picture.webp") for key in avatars.avatar_keys(user)]


def _zip_entry(sample: Sample) -> zip_names.NamedFile:
    place = "trash" if sample.deleted_at else "sounds"
    return zip_names.NamedFile(f"{place}/{sample.folder}", sample.filename, sample.id)


def purge_old_exports(session: Session, at: dt.datetime) -> int:
    """Delete zips older than a week, and those of killed workers; return how many."""
    old = (
        select(ProcessingJob)
        .where(
            ProcessingJob.kind == JobKind.ACCOUNT_EXPORT,
            ProcessingJob.status == JobStatus.DONE,
            col(ProcessingJob.finished_at) < at - EXPORT_LIFETIME,
            col(ProcessingJob.result)["size"].is_not(None),
        )
        .with_for_update(skip_locked=True)
    )
    gone = session.exec(old).all()
    for job in gone:
        job.result = None
        session.add(job)
    # All of them, so that a zip whose deletion failed, or that no row names, goes, too.
    old_files = [
        stored.key
        for stored in storage.list_folder(FOLDER)
        if stored.modified < at - EXPORT_LIFETIME
    ]
    keys = {*(export_key(job.id) for job in gone), *old_files}
    for key in keys:
        after_commit(session, partial(storage.delete_object, key))
    return len(keys)


def update_export_progress(session: Session, job: ProcessingJob, fraction: float) -> bool:
    """Store the progress of an export; return False if the job was cancelled or restarted."""
    mine = (
        col(ProcessingJob.id) == job.id,
        col(ProcessingJob.status) == JobStatus.RUNNING,
        col(ProcessingJob.attempts) == job.attempts,
    )
    touched = session.exec(update(ProcessingJob).where(*mine).values(progress=fraction))
    if touched.rowcount:
        jobs.publish_job(session, job)
    return touched.rowcount == 1
