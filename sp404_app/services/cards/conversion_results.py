"""What a worker needs to convert samples, and how its result is saved."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlmodel import Session

from sp404_app.db import after_commit
from sp404_app.errors import NotFound
from sp404_app.models import JobStatus, ProcessingJob, Sample
from sp404_app.models.columns import now
from sp404_app.services.cards import conversions
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.playlists import Playlist, parse_playlist
from sp404_app.services.infra import conversion_files, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs

MAX_SKIPPED_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sample that could not be converted, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SingleTask:
    """A job for one sample."""

    sample: Sample
    wanted: DownloadFormat
    file: StoredFile


@dataclass(frozen=True, slots=True)
class ArchiveTask:
    """A job for an archive: the ids of its samples and their paths, in the archive's order."""

    wanted: DownloadFormat
    key: str
    files: tuple[tuple[uuid.UUID, str], ...]
    is_tagged: bool = False
    playlist: Playlist | None = None


def begin_conversion(session: Session, job: ProcessingJob) -> SingleTask | ArchiveTask:
    """Return what a job converts.

    Raises:
        NotFound: If its only sample was permanently deleted, or the list of files is gone.
    """
    content = job.result or {}
    wanted = DownloadFormat(content["as"])
    if "sample_id" in content:
        sample = samples.get_sample(session, job.user_id, uuid.UUID(content["sample_id"]))
        return SingleTask(sample, wanted, conversions.describe_file(sample, wanted))
    plan = storage.read_bytes(conversion_files.plan_key(job.user_id, job.id))
    files = tuple((uuid.UUID(sample_id), path) for sample_id, path in json.loads(plan))
    key = conversion_files.archive_key(job.user_id, job.id)
    playlist = _read_playlist(job) if content.get("playlist") else None
    return ArchiveTask(wanted, key, files, bool(content.get("tagged")), playlist)


def _read_playlist(job: ProcessingJob) -> Playlist:
    key = conversion_files.playlist_key(job.user_id, job.id)
    return parse_playlist(storage.read_bytes(key))


def find_sample(session: Session, job: ProcessingJob, sample_id: uuid.UUID) -> Sample | None:
    """Return a sample of an archive, or None if it was permanently deleted meanwhile."""
    try:
        return samples.get_sample(session, job.user_id, sample_id)
    except NotFound:
        return None


def finish_single(session: Session, job: ProcessingJob, task: SingleTask, size: int) -> None:
    """Record a converted sample, unless the job was cancelled or given to another worker."""
    url = f"/api/samples/{task.sample.id}/download?as={task.wanted}"
    _finish(session, job, {"url": url, "bytes": size})


def finish_archive(
    session: Session,
    job: ProcessingJob,
    task: ArchiveTask,
    *,
    size: int,
    sha256: str,
    skipped: Sequence[Skipped],
) -> None:
    """Record a stored archive; delete it if the job was cancelled or given to another worker.

    One that another worker has finished has the same key and the same bytes: it stays.
    """
    listed = [{"name": one.name, "reason": one.reason} for one in skipped[:MAX_SKIPPED_LISTED]]
    done = {
        "url": f"/api/conversions/{job.id}",
        "bytes": size,
        "sha256": sha256,
        "skipped": len(skipped),
        "skipped_files": listed,
    }
    if not _finish(session, job, done):
        row = session.get(ProcessingJob, job.id)
        if row is None or row.status != JobStatus.DONE:
            after_commit(session, partial(storage.delete_object, task.key))
        return
    for name in (conversion_files.plan_key, conversion_files.playlist_key):
        after_commit(session, partial(storage.delete_object, name(job.user_id, job.id)))


def _finish(session: Session, job: ProcessingJob, done: dict[str, object]) -> bool:
    if not jobs.lock_current_attempt(session, job):
        return False
    row = session.get_one(ProcessingJob, job.id)
    expires_at = (now() + conversions.KEPT_FOR).isoformat()
    row.result = {**(row.result or {}), **done, "expires_at": expires_at}
    jobs.finish_job(session, job.id, JobStatus.DONE)
    return True
