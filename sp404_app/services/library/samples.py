"""Add, read, edit, delete and restore samples.

Deleting moves samples to the trash, which keeps them for `TRASH_DAYS`.
"""

import datetime as dt
import math
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import ARRAY, String, Uuid, any_, literal
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.io import content_hash
from sp404_app.audio.io.decode import Header
from sp404_app.db import after_commit
from sp404_app.errors import AppError, Duplicate, NotFound
from sp404_app.models import Sample, SampleStatus, Source
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, object_deletions, storage
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.text import clean_name, clean_text, file_name, folder_parts, sort_key
from sp404_app.services.library import changed_folders, tags, trash
from sp404_app.services.library.changed_folders import Folder
from sp404_app.services.library.heard_words import sample_tokens
from sp404_app.services.library.key_words import key_search_words
from sp404_app.services.library.sample_update import Change
from sp404_app.services.library.search_terms import search_words
from sp404_app.services.library.trash import TrashResult
from sp404_app.services.processing import jobs

TRASH_DAYS = 30
MAX_BULK_IDS = 20_000
MAX_FOLDER_LENGTH = 1000
MAX_TAGGED_SAMPLES = 500  # for `tags_of_samples`

__all__ = ["Change"]  # re-exported for callers that edit samples


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A decoded and hashed file that can be added as a sample."""

    path: Path
    filename: str
    folder: str
    size: int
    header: Header
    digest: str


def inspect_file(path: Path, filename: str, folder: str = "") -> IncomingFile:
    """Decode a whole file to get its duration and the hash of its audio. Uses no database.

    Raises:
        BadAudio: If no decoder can read it.
    """
    header, content = content_hash.hash_file(path)
    return IncomingFile(
        path=path,
        filename=file_name(filename),
        folder=clean_folder(folder),
        size=path.stat().st_size,
        header=header,
        digest=content.digest,
    )


def clean_folder(folder: str) -> str:
    """Return a folder path as it is stored: text for display, never a path on disk.

    A path that is too long loses its first folders, as the last ones say most about a sample.
    """
    path = "/".join(folder_parts(folder))
    return path if len(path) <= MAX_FOLDER_LENGTH else path[-MAX_FOLDER_LENGTH:].partition("/")[2]


def add_sample(
    session: Session,
    user_id: uuid.UUID,
    incoming: IncomingFile,
    *,
    tag_names: Sequence[str] = (),
    is_demo: bool = False,
) -> uuid.UUID:
    """Store a file, insert its row and enqueue its analysis; return the sample's id.

    The analysis quota is checked by the worker, not here: a sample over it waits for quota.

    Raises:
        Duplicate: If the library has a sample with the same audio; details name it.
        QuotaExceeded: If the storage quota is used up.
    """
    key = storage.new_key()
    object_deletions.announce_object(key, session)
    storage.save(incoming.path, key)
    quotas.lock_library(session, user_id)
    quotas.ensure_storage(session, user_id, incoming.size, "add")
    ensure_no_duplicate(session, user_id, incoming.digest)
    sample = new_sample(
        user_id, incoming, key, tags.get_or_create_tags(session, user_id, tag_names)
    )
    sample.is_demo = is_demo
    session.add(sample)
    session.flush()
    object_deletions.keep_object(session, key)
    jobs.enqueue_analysis(session, user_id, sample.id)
    publish_sample(session, user_id, sample.id)
    quotas.publish_quota(session, user_id)
    return sample.id


def ensure_no_duplicate(session: Session, user_id: uuid.UUID, digest: str) -> None:
    """Check that no sample of the user, outside the trash, has the same decoded audio.

    Raises:
        Duplicate: If there is one, with its `sample_id` and `name` in the details.
    """
    existing = session.exec(
        select(Sample).where(
            Sample.user_id == user_id, Sample.digest == digest, col(Sample.deleted_at).is_(None)
        )
    ).first()
    if existing:
        raise _duplicate_error(existing)


def update_digest(session: Session, sample: Sample, digest: str) -> None:
    """Store the digest that the current decoders compute, unless another sample has it."""
    if sample.digest == digest:
        return
    try:
        with session.begin_nested():
            sample.digest = digest
            session.add(sample)
    except IntegrityError:
        session.refresh(sample, ["digest"])


def get_sample(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, *, lock: bool = False
) -> Sample:
    """Return a user's sample, whether or not it is in the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    owned = select(Sample).where(Sample.id == sample_id, Sample.user_id == user_id)
    sample = session.exec(owned.with_for_update() if lock else owned).first()
    if sample is None:
        raise NotFound("There is no such sample.")
    return sample


def list_live_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[Sample]:
    """Return the user's samples with these ids, in this order; missing and trashed are left out."""
    live = select(Sample).where(_owned_in(user_id, ids), col(Sample.deleted_at).is_(None))
    found = {sample.id: sample for sample in session.exec(live)}
    return [found[sample_id] for sample_id in ids if sample_id in found]


def tags_of_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[tuple[str, int]]:
    """Return the tags of the first `MAX_TAGGED_SAMPLES` samples, and how many of these have each.

    Each tag is there once, in natural order.

    Raises:
        NotFound: If one of these does not exist or belongs to another user.
    """
    wanted = set(ids[:MAX_TAGGED_SAMPLES])
    found = session.exec(select(Sample.tags).where(_owned_in(user_id, list(wanted)))).all()
    if len(found) < len(wanted):
        raise NotFound("There is no such sample.")
    counts = Counter(tag for names in found for tag in names)
    return sorted(counts.items(), key=lambda counted: sort_key(counted[0]))


def change_sample(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, changes: Change
) -> Sample:
    """Apply a user's changes. Tempo, key and kind are marked so that no analysis overwrites them.

    Raises:
        NotFound: If the sample does not exist or belongs to another user.
    """
    sample = get_sample(session, user_id, sample_id, lock=True)
    for field in ("bpm", "key", "kind"):
        if (value := getattr(changes, field)) is not None:
            setattr(sample, field, value or None)
            setattr(sample, f"{field}_source", Source.USER)
            changed_folders.mark_changed(session, [Folder(user_id, sample.folder)])
    if changes.name is not None:
        sample.name = clean_name(changes.name)
    if changes.tags is not None:
        sample.tags = tags.get_or_create_tags(session, user_id, changes.tags)
    for field in ("favourite", "rating"):
        if (value := getattr(changes, field)) is not None:
            setattr(sample, field, value)
    if changes.note is not None:
        sample.note = clean_text(changes.note)
    update_search_fields(sample)
    session.add(sample)
    session.flush()
    publish_sample(session, user_id, sample_id)
    return sample


def update_search_fields(sample: Sample) -> None:
    """Set the search text and sort key of a sample; call it after any change to its fields."""
    tokens = sample_tokens(sample.sound_words, sample.sound_class, sample.kind)
    sample.search_text = build_search_text(
        sample.name, sample.tags, sample.note, sample.folder, sample.key, tokens
    )
    sample.sort_key = sort_key(sample.name)


def build_search_text(
    name: str,
    tag_names: Sequence[str],
    note: str,
    folder: str,
    key: str | None,
    tokens: str = "",
) -> str:
    """Return the words by which a sample with these values is found.

    `tokens` are those of `heard_words.sample_tokens`.
    """
    text = search_words(name, *tag_names, note, folder)
    return " ".join(filter(None, (key_search_words(key), tokens, text)))


def delete_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Move samples to the trash and cancel their jobs; return the ids of those moved."""
    return move_to_trash(session, user_id, ids).moved


def move_to_trash(
    session: Session,
    user_id: uuid.UUID,
    ids: Sequence[uuid.UUID],
    *,
    kept: Sequence[uuid.UUID] = (),
    purge: bool = True,
) -> TrashResult:
    """Move samples to the trash; permanently delete the oldest ones in it if it is too full.

    Samples in `kept`, which the same action moved before, stay like those that it moves now. With
    `purge=False` all stay until the next deletion: an undo must lose nothing.
    Locks are taken in the order used everywhere: user, jobs, samples, usage counter.
    """
    quotas.lock_library(session, user_id)
    usage_periods = jobs.cancel_jobs_of_samples(session, user_id, ids)
    live = select(Sample.id).where(_owned_in(user_id, ids), col(Sample.deleted_at).is_(None))
    # Rows are always locked in the order of their ids, to prevent deadlocks.
    live = live.order_by(col(Sample.id)).with_for_update(key_share=True)
    trashed = session.exec(
        update(Sample)
        .where(col(Sample.id).in_(live))
        .values(deleted_at=now())
        .returning(col(Sample.id), col(Sample.folder))
    ).all()
    moved = [row.id for row in trashed]
    changed_folders.mark_changed(session, {Folder(user_id, row.folder) for row in trashed})
    jobs.refund_analyses(session, user_id, usage_periods)
    just_moved = [*kept, *moved] if moved and purge else []
    purged = trash.purge_beyond_limit(session, user_id, just_moved)
    publish_sample(session, user_id)
    return TrashResult(moved, purged)


def restore_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Restore samples from the trash; return the ids of those restored.

    Raises:
        QuotaExceeded: If none could be restored, the first for lack of storage.
        Duplicate: If none could be restored, the first because its audio was added again.
    """
    results = restore_each_sample(session, user_id, ids)
    refusals = [refusal for refusal in results.values() if refusal]
    if refusals and len(refusals) == len(results):
        raise refusals[0]
    return [sample_id for sample_id, refusal in results.items() if not refusal]


def restore_each_sample(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, AppError | None]:
    """Restore samples, newest first; return for each the error, or None if it was restored."""
    quotas.lock_library(session, user_id)
    locked = session.exec(
        select(Sample)
        .where(_owned_in(user_id, ids), col(Sample.deleted_at).is_not(None))
        .order_by(col(Sample.id))  # the lock order that prevents deadlocks
        .with_for_update()
    ).all()
    found = locked[::-1]
    results = _restore_refusals(session, user_id, found)
    restored = [sample for sample in found if not results[sample.id]]
    unfinished = [s for s in restored if s.status in {SampleStatus.QUEUED, SampleStatus.ANALYSING}]
    for sample in restored:
        sample.deleted_at = None
    for sample in unfinished:
        sample.status = SampleStatus.QUEUED
    session.add_all(restored)
    session.flush()
    changed_folders.mark_changed(session, {Folder(user_id, each.folder) for each in restored})
    for sample in unfinished:
        jobs.enqueue_analysis(session, user_id, sample.id)
    publish_sample(session, user_id)
    return results


def _restore_refusals(
    session: Session, user_id: uuid.UUID, samples: Sequence[Sample]
) -> dict[uuid.UUID, AppError | None]:
    """Return for each sample why it cannot be restored, None if it can. Runs three queries."""
    digests = literal([sample.digest for sample in samples], ARRAY(String))
    live = select(Sample).where(
        Sample.user_id == user_id,
        col(Sample.digest) == any_(digests),
        col(Sample.deleted_at).is_(None),
    )
    by_digest = {sample.digest: sample for sample in session.exec(live)}
    on_pads = select(Sample.id).where(
        _owned_in(user_id, [sample.id for sample in samples]), quotas.counts_as_storage(user_id)
    )
    counted = set(session.exec(on_pads))  # a trashed sample that a pad uses needs no more room
    sizes = {s.id: 0 if s.id in counted else s.size for s in samples}
    room, quota_error = _storage_room(session, user_id, sum(sizes.values()))
    results: dict[uuid.UUID, AppError | None] = {}
    for sample in samples:
        if sample.digest in by_digest:
            results[sample.id] = _duplicate_error(by_digest[sample.digest])
        elif sizes[sample.id] > max(0, room):
            results[sample.id] = quota_error
        else:
            results[sample.id] = None
            room -= sizes[sample.id]
            by_digest[sample.digest] = sample
    return results


def _storage_room(session: Session, user_id: uuid.UUID, size: int) -> tuple[int, AppError | None]:
    """Return how many of `size` bytes fit in the storage quota, and the error if not all do."""
    try:
        quotas.ensure_storage(session, user_id, size, "add")
    except AppError as refusal:
        return refusal.details.get("limit", 0) - refusal.details.get("used", 0), refusal
    return size, None


def _duplicate_error(existing: Sample) -> Duplicate:
    return Duplicate(
        f"You already have this sound: “{existing.name}”.",
        {"sample_id": str(existing.id), "name": existing.name},
    )


def delete_for_good(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Permanently delete samples that are in the trash, with their files; return their ids."""
    return trash.purge_samples(session, _owned_in(user_id, ids))


def purge_old_trash(session: Session, at: dt.datetime) -> int:
    """Permanently delete samples that any user trashed over 30 days ago; return their number."""
    limit = at - dt.timedelta(days=TRASH_DAYS)
    return len(trash.purge_samples(session, col(Sample.deleted_at) < limit))


def days_in_trash(deleted_at: dt.datetime, at: dt.datetime) -> int:
    """Return for how many days the trash still keeps a sample, at least 1."""
    left = deleted_at + dt.timedelta(days=TRASH_DAYS) - at
    return max(1, math.ceil(left / dt.timedelta(days=1)))


def publish_sample(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID | None = None
) -> None:
    """Publish, after the commit, that one sample changed, or without an id the whole library."""
    one = [Event(Topic.SAMPLE, str(sample_id))]
    changes = one if sample_id else [Event(Topic.LIBRARY), Event(Topic.QUOTA)]
    after_commit(session, partial(events.publish, user_id, *changes))


def _owned_in(user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Any:
    return (col(Sample.user_id) == user_id) & has_id_in(ids)


def has_id_in(ids: Sequence[uuid.UUID]) -> Any:
    """Return the SQL condition that a sample has one of these ids, passed as one array."""
    return col(Sample.id) == any_(literal(list(ids), ARRAY(Uuid)))


def new_sample(
    user_id: uuid.UUID, incoming: IncomingFile, key: str, tag_names: list[str]
) -> Sample:
    """Return the row of a file that is stored under a key; it is not inserted."""
    header = incoming.header
    sample = Sample(
        user_id=user_id,
        name=clean_name(split_extension(incoming.filename)[0]),
        filename=incoming.filename,
        folder=incoming.folder,
        storage_key=key,
        size=incoming.size,
        digest=incoming.digest,
        format=header.format,
        sample_rate=header.sample_rate,
        channels=header.channels,
        duration=header.duration,
        tags=tag_names,
    )
    update_search_fields(sample)
    return sample
