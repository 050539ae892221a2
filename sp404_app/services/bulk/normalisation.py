"""Add a copy of a sample at another level; the original is never changed."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlmodel import Session

from sp404_app.audio.render.edit import Normalise
from sp404_app.audio.render.normalise_file import normalise_file
from sp404_app.errors import AppError, Duplicate, NotFound
from sp404_app.models import ProcessingJob, Sample
from sp404_app.services.billing import quotas
from sp404_app.services.bulk.batches import BatchResult, BulkTask, begin_batch, end_batch
from sp404_app.services.bulk.edits import NormaliseEdit
from sp404_app.services.bulk.undo import CREATED
from sp404_app.services.infra import object_deletions, storage
from sp404_app.services.infra.text import MAX_NAME, clean_name
from sp404_app.services.library import samples
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.library.stored_files import StoredFile, add_stored_files

SUFFIX: Final = " normalised"
KEPT_FIELDS: Final = (
    "tags", "note", "sound_class", "sound_class_source", "bpm", "bpm_source", "bpm_confidence",
    "key", "key_source", "key_confidence", "kind", "kind_source",
)  # fmt: skip
Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class NormalisedFile:
    """The copy of a sample, on disk."""

    source: Sample
    incoming: IncomingFile


def next_position(session: Session, job: ProcessingJob, task: BulkTask) -> int | None:
    """Return how many samples of a task are done; None if this attempt may not go on."""
    row = begin_batch(session, job, task)
    return row.position if row else None


def find_source(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> Sample | None:
    """Return the sample to copy; None if it was permanently deleted."""
    try:
        return samples.get_sample(session, user_id, sample_id)
    except NotFound:
        return None


def make_copy(
    sample: Sample, edit: NormaliseEdit, target: Path, progress: Report
) -> NormalisedFile:
    """Write the copy of a sample to `target`.

    Raises:
        BadAudio: If the sound cannot be decoded.
        NotFound: If its file is missing.
        ValidationFailed: If the copy would be too large for a WAV file.
    """
    wanted = Normalise(edit.to, edit.value)
    seed = hashlib.sha256(f"{sample.digest} {edit.to} {edit.value}".encode()).digest()
    with storage.local_copy(sample.storage_key) as source:
        normalise_file(source, target, wanted, seed, progress)
    filename = f"{_copy_name(sample.name).replace('/', '_')}.wav"
    return NormalisedFile(sample, samples.inspect_file(target, filename, sample.folder))


def save_copy(
    session: Session,
    job: ProcessingJob,
    task: BulkTask,
    position: int,
    copy: NormalisedFile | AppError | None,
) -> bool:
    """Add the copy of the sample at a position of a task; return whether another follows.

    `copy` is None for a sample that is gone, or the error that prevented the copy.
    """
    row = begin_batch(session, job, task)
    if row is None or row.position != position:
        return False
    result = BatchResult()
    try:
        if copy is None:
            raise NotFound("It was permanently deleted.")
        if isinstance(copy, AppError):
            raise copy
        added = _add(session, job, task, copy)
        result.before, result.after = {added: {CREATED: None}}, {added: {CREATED: True}}
    except Duplicate:
        result.skipped += 1  # it has this level, or was normalised before
    except AppError as error:
        result.problems.append(str(error))
    return end_batch(session, job, task, row, result, 1)


def _add(session: Session, job: ProcessingJob, task: BulkTask, copy: NormalisedFile) -> uuid.UUID:
    """Store and insert a copy.

    The key follows from the edit and the sample, so an attempt after a crash replaces the file.
    """
    samples.ensure_no_duplicate(session, job.user_id, copy.incoming.digest)
    quotas.ensure_storage(session, job.user_id, copy.incoming.size, "add")
    name = uuid.uuid5(task.edit_id, str(copy.source.id)).hex
    key = f"{name[:2]}/{name}"
    object_deletions.announce_object(key, session)
    storage.save(copy.incoming.path, key)
    file = StoredFile(copy.incoming, key, _copy_name(copy.source.name))
    (added,) = add_stored_files(session, job.user_id, [file])
    object_deletions.keep_object(session, key)
    sample = session.get_one(Sample, added)
    for field in KEPT_FIELDS:
        setattr(sample, field, getattr(copy.source, field))
    samples.update_search_fields(sample)
    session.add(sample)
    session.flush()
    quotas.publish_quota(session, job.user_id)
    return added


def _copy_name(name: str) -> str:
    return clean_name(name[: MAX_NAME - len(SUFFIX)] + SUFFIX)
