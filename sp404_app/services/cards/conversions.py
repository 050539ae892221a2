"""Downloads of samples in another format: one file, or an archive of many made by a job.

A small sound is converted while the user waits, a large one and an archive by a worker. Archives
and files are kept for two days at most (`conversion_cleanup`).
"""

import datetime as dt
import hashlib
import json
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session, col, select

from sp404_app.db import after_commit, if_undone
from sp404_app.errors import Conflict, NotFound, TooLarge, ValidationFailed
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample
from sp404_app.models.columns import now
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.billing import quotas
from sp404_app.services.cards.convert_file import check_length, convert_sample
from sp404_app.services.cards.converted_names import name_files
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat, converted_key
from sp404_app.services.cards.name_template import NAME_ONLY, Template
from sp404_app.services.cards.named_sounds import (
    estimate_bytes,
    load_samples,
    named_sound,
)
from sp404_app.services.cards.playlists import make_playlist
from sp404_app.services.collections import collections
from sp404_app.services.infra import conversion_files, queue, storage
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs

KEPT_FOR: Final = dt.timedelta(days=2)
# Sounds up to this size are converted while the user waits: it takes a tenth of a second.
SMALL_S: Final = 20.0
SMALL_BYTES: Final = 8 << 20
MAX_ARCHIVE_BYTES: Final = 8 << 30
MAX_ACTIVE_JOBS: Final = 4  # per user
ACTIVE: Final = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to download: its storage key, name and type, and a tag that names its bytes."""

    key: str
    filename: str
    media_type: str
    etag: str


def find_or_convert(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, wanted: DownloadFormat
) -> StoredFile | ProcessingJob:
    """Return a sample in another format, or the job that converts it.

    Raises:
        BadAudio: If the sound cannot be decoded.
        Conflict: If too many conversions of the user are not finished.
        NotFound: If the sample or its file does not exist or belongs to another user.
        ValidationFailed: If it is too long for the device or the format.
    """
    sample = samples.get_sample(session, user_id, sample_id)
    check_length(sample, wanted)
    found = describe_file(sample, wanted)
    if _exists(found.key):
        return found
    if is_small(sample):
        with tempfile.TemporaryDirectory(prefix="sp404-convert-") as folder:
            target = Path(folder) / "converted"
            convert_sample(sample, wanted, target)
            storage.save(target, found.key)
        return found
    content = {"as": wanted.value, "sample_id": str(sample.id), "content_key": found.etag}
    lock_account(session, user_id)  # simultaneous requests create one job
    return _find_active(session, user_id, found.etag) or _queue(session, user_id, content)


def request_archive(  # noqa: PLR0913 - one parameter for each choice of the dialog
    session: Session,
    user_id: uuid.UUID,
    wanted: DownloadFormat,
    template: Template,
    ids: Sequence[uuid.UUID],
    *,
    folders: bool = False,
    tagged: bool = False,
    collection_id: uuid.UUID | None = None,
) -> ProcessingJob:
    """Queue an archive of samples, in this order; return the job of an equal one if there is one.

    With `tagged`, tempo, key and root note are written into the tags of the files. With a
    collection, whose samples they are, the archive has a playlist.

    Raises:
        Conflict: If too many conversions of the user are not finished.
        NotFound: If a sample or the collection does not exist or belongs to another user.
        TooLarge: If the archive would be too large.
        ValidationFailed: If there are no samples.
    """
    found = load_samples(session, user_id, ids)
    if not found:
        raise ValidationFailed("There are no sounds to convert.", {"ids": ["Choose a sound."]})
    size = sum(estimate_bytes(sample, wanted) for sample in found)
    if size > MAX_ARCHIVE_BYTES:
        raise TooLarge(
            f"These sounds would be {format_size(size)}. "
            f"Choose sounds of at most {format_size(MAX_ARCHIVE_BYTES)}."
        )
    sounds = [named_sound(sample) for sample in found]
    paths = list(name_files(sounds, template, wanted, folders=folders))
    named = list(zip(paths, found, strict=True))
    playlist = _playlist(session, user_id, collection_id, named)
    files = sorted(named, key=lambda file: file[0])
    content_key = _archive_content_key(wanted, files, playlist, tagged=tagged)
    lock_account(session, user_id)  # simultaneous requests create one job
    if job := _find_finished(session, user_id, content_key) or _find_active(
        session, user_id, content_key
    ):
        return job
    content = {
        "as": wanted.value,
        "files": len(files),
        "content_key": content_key,
        "tagged": tagged,
        "playlist": bool(playlist),
    }
    job = _queue(session, user_id, content)
    for key_of in (conversion_files.plan_key, conversion_files.playlist_key):
        if_undone(session, partial(storage.delete_object, key_of(user_id, job.id)))
    plan = json.dumps([[str(sample.id), path] for path, sample in files]).encode()
    storage.save_bytes(plan, conversion_files.plan_key(user_id, job.id))
    if playlist:
        storage.save_bytes(playlist, conversion_files.playlist_key(user_id, job.id))
    return job


def _playlist(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID | None,
    files: Sequence[tuple[str, Sample]],
) -> bytes:
    if collection_id is None:
        return b""
    title = collections.get_collection(session, user_id, collection_id).name
    return make_playlist(title, files).to_json()


def find_archive(session: Session, user_id: uuid.UUID, job_id: uuid.UUID) -> StoredFile:
    """Return the archive that a job has made.

    Raises:
        NotFound: If it does not exist, is not finished, is no longer kept, or is another user's.
    """
    job = jobs.get_job(session, user_id, job_id)
    result = job.result or {}
    if job.kind != JobKind.CONVERT or not _is_kept(job) or "sha256" not in result:
        raise NotFound("This download is no longer available. Request it again.")
    title = FORMATS[DownloadFormat(result["as"])].title.replace("/", "-")
    return StoredFile(
        conversion_files.archive_key(user_id, job.id),
        f"Crate 404 {title}.zip",
        "application/zip",
        result["sha256"],
    )


def is_small(sample: Sample) -> bool:
    """Return whether a sound is converted while the user waits."""
    return sample.duration is not None and sample.duration <= SMALL_S and sample.size <= SMALL_BYTES


def describe_file(sample: Sample, wanted: DownloadFormat) -> StoredFile:
    """Return where a converted sample is stored, whether or not it exists."""
    details = FORMATS[wanted]
    name = converted_key(sample.digest, sample.format, wanted)
    key = conversion_files.converted_file_key(sample.user_id, name, details.extension)
    return StoredFile(key, file_name(sample, wanted), details.media_type, name)


def file_name(sample: Sample, wanted: DownloadFormat) -> str:
    """Return the name of a converted sound that is downloaded alone."""
    return next(name_files([named_sound(sample)], NAME_ONLY, wanted))


def _exists(key: str) -> bool:
    try:
        storage.object_size(key)
    except NotFound:
        return False
    return True


def _archive_content_key(
    wanted: DownloadFormat, files: Sequence[tuple[str, Sample]], playlist: bytes, *, tagged: bool
) -> str:
    """Return the SHA-256, in hex, over everything that determines the bytes of an archive."""
    named = [[path, converted_key(each.digest, each.format, wanted)] for path, each in files]
    values = [[each.bpm, each.key, each.root_note, each.kind] for _, each in files if tagged]
    described = json.dumps([wanted.value, named, values, playlist.decode()])
    return hashlib.sha256(described.encode()).hexdigest()


def _find_active(session: Session, user_id: uuid.UUID, content_key: str) -> ProcessingJob | None:
    """Return the job that is making this content; check how many others are active.

    Raises:
        Conflict: If there is none, and too many others.
    """
    active = session.exec(
        select(ProcessingJob).where(_is_mine(user_id), col(ProcessingJob.status).in_(ACTIVE))
    ).all()
    for job in active:
        if (job.result or {}).get("content_key") == content_key:
            return job
    if len(active) >= MAX_ACTIVE_JOBS:
        raise Conflict("Other downloads are being prepared. Wait until one of them is done.")
    return None


def _find_finished(session: Session, user_id: uuid.UUID, content_key: str) -> ProcessingJob | None:
    """Return the newest job whose archive of this content is still kept."""
    newest_first = col(ProcessingJob.id).desc()
    done = select(ProcessingJob).where(
        _is_mine(user_id),
        ProcessingJob.status == JobStatus.DONE,
        col(ProcessingJob.finished_at) > now() - KEPT_FOR,
        col(ProcessingJob.result)["content_key"].astext == content_key,
    )
    job = session.exec(done.order_by(newest_first)).first()
    is_kept = job and _exists(conversion_files.archive_key(user_id, job.id))
    return job if is_kept else None


def _queue(session: Session, user_id: uuid.UUID, content: dict[str, Any]) -> ProcessingJob:
    tier = quotas.get_plan(session, user_id).tier
    job = ProcessingJob(user_id=user_id, kind=JobKind.CONVERT, queue=tier, result=content)
    session.add(job)
    session.flush()
    after_commit(session, partial(queue.enqueue_job, job.id, job.queue, 0, slow=True))
    return job


def _is_mine(user_id: uuid.UUID) -> Any:
    return (col(ProcessingJob.user_id) == user_id) & (col(ProcessingJob.kind) == JobKind.CONVERT)


def _is_kept(job: ProcessingJob) -> bool:
    return job.status == JobStatus.DONE and now() - (job.finished_at or now()) < KEPT_FOR
