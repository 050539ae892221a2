"""Samples: add, read, change, throw away and bring back."""

import datetime as dt
import uuid
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
from sp404_app.db import after_commit, if_undone
from sp404_app.errors import AppError, Duplicate, NotFound
from sp404_app.models import Sample, SampleStatus, Source
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import events, storage
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.text import clean_name, clean_text, file_name, folder_parts, sort_key
from sp404_app.services.library import tags, trash
from sp404_app.services.library.sample_update import Change
from sp404_app.services.library.search_terms import key_words, words_of
from sp404_app.services.library.trash import Thrown
from sp404_app.services.processing import jobs

TRASH_DAYS = 30
MAX_BULK = 20_000
MAX_FOLDER = 1000
MAX_TAGGED = 500  # samples whose tags are listed together

__all__ = ["Change"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that has been looked at and may become a sample."""

    path: Path
    filename: str
    folder: str
    size: int
    header: Header
    digest: str


def inspect(path: Path, filename: str, folder: str = "") -> Incoming:
    """Decode a whole file: count its length and hash its sound; touches no database.

    Raises:
        BadAudio: If no decoder opens it.
    """
    header, content = content_hash.read(path)
    return Incoming(
        path=path,
        filename=file_name(filename),
        folder=folder_name(folder),
        size=path.stat().st_size,
        header=header,
        digest=content.digest,
    )


def folder_name(folder: str) -> str:
    """Return the path of a folder as it is kept: a text, never a place on our disk.

    A path that is too long loses its first folders: the last ones say most about a sound.
    """
    path = "/".join(folder_parts(folder))
    return path if len(path) <= MAX_FOLDER else path[-MAX_FOLDER:].partition("/")[2]


def add(
    session: Session,
    user_id: uuid.UUID,
    incoming: Incoming,
    *,
    tag_names: Sequence[str] = (),
    is_demo: bool = False,
) -> uuid.UUID:
    """Keep a file and ask for its analysis; return the id of its row.

    Raises:
        Duplicate: If the library holds the same sound already; details name it.
        QuotaExceeded: If the plan is full.
    """
    key = storage.new_key()
    if_undone(session, partial(storage.delete, key))
    storage.save(incoming.path, key)
    quotas.hold(session, user_id)
    if not is_demo:
        quotas.ensure_room(session, user_id, incoming.size)
    refuse_duplicate(session, user_id, incoming.digest)
    sample = _row(user_id, incoming, key, tags.known(session, user_id, tag_names))
    sample.is_demo = is_demo
    session.add(sample)
    session.flush()
    jobs.add_analysis(session, user_id, sample.id)
    publish_sample(session, user_id, sample.id)
    quotas.publish_quota(session, user_id)
    return sample.id


def refuse_duplicate(session: Session, user_id: uuid.UUID, digest: str) -> None:
    """Raise if a living sample of this person has the same decoded audio.

    Raises:
        Duplicate: With `sample_id` and `name` in its details.
    """
    twin = session.exec(
        select(Sample).where(
            Sample.user_id == user_id, Sample.digest == digest, col(Sample.deleted_at).is_(None)
        )
    ).first()
    if twin:
        raise _duplicate(twin)


def renew_digest(session: Session, sample: Sample, digest: str) -> None:
    """Let the digest of today's decoders count, unless another living sample has it."""
    if sample.digest == digest:
        return
    try:
        with session.begin_nested():
            sample.digest = digest
            session.add(sample)
    except IntegrityError:
        session.refresh(sample, ["digest"])


def get(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, *, lock: bool = False
) -> Sample:
    """Return one of the person's samples, in the trash or not.

    Raises:
        NotFound: If it does not exist or belongs to someone else.
    """
    mine = select(Sample).where(Sample.id == sample_id, Sample.user_id == user_id)
    sample = session.exec(mine.with_for_update() if lock else mine).first()
    if sample is None:
        raise NotFound("There is no such sample.")
    return sample


def some(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Sample]:
    """Return those of the person's samples that are there and not in the trash, in this order."""
    there = select(Sample).where(_mine(user_id, ids), col(Sample.deleted_at).is_(None))
    found = {sample.id: sample for sample in session.exec(there)}
    return [found[sample_id] for sample_id in ids if sample_id in found]


def tags_of_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[str]:
    """Return the tags that any of the first `MAX_TAGGED` samples carries, in natural order.

    Raises:
        NotFound: If one of these does not exist or belongs to another user.
    """
    wanted = set(ids[:MAX_TAGGED])
    found = session.exec(select(Sample.tags).where(_mine(user_id, list(wanted)))).all()
    if len(found) < len(wanted):
        raise NotFound("There is no such sample.")
    return sorted({tag for names in found for tag in names}, key=sort_key)


def change(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID, wanted: Change) -> Sample:
    """Apply a person's values; they are marked as theirs and outlive later analyses.

    Raises:
        NotFound: If it does not exist or belongs to someone else.
    """
    sample = get(session, user_id, sample_id, lock=True)
    for field in ("bpm", "key", "kind"):
        if (value := getattr(wanted, field)) is not None:
            setattr(sample, field, value or None)
            setattr(sample, f"{field}_source", Source.USER)
    if wanted.name is not None:
        sample.name = clean_name(wanted.name)
    if wanted.tags is not None:
        sample.tags = tags.known(session, user_id, wanted.tags)
    for field in ("favourite", "rating"):
        if (value := getattr(wanted, field)) is not None:
            setattr(sample, field, value)
    if wanted.note is not None:
        sample.note = clean_text(wanted.note)
    index(sample)
    session.add(sample)
    session.flush()
    publish_sample(session, user_id, sample_id)
    return sample


def index(sample: Sample) -> None:
    """Refresh what a search finds a sample by, and its place among the names."""
    said = words_of(sample.name, *sample.tags, sample.note, sample.folder)
    sample.search_text = f"{key_words(sample.key)} {said}".strip()
    sample.sort_key = sort_key(sample.name)


def throw_away(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Move samples to the trash, stop work on them, and return which ones there were."""
    return discard(session, user_id, ids).moved


def discard(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Thrown:
    """Move samples to the trash, and delete the oldest in it for good where it is too full.

    Locks are taken in the order of all who take several: the person, jobs, samples, the counter.
    """
    quotas.hold(session, user_id)
    months = jobs.cancel_of_samples(session, user_id, ids)
    there = select(Sample.id).where(_mine(user_id, ids), col(Sample.deleted_at).is_(None))
    # As everybody who locks many does, or two could wait for each other.
    there = there.order_by(col(Sample.id)).with_for_update(key_share=True)
    gone = session.exec(
        update(Sample)
        .where(col(Sample.id).in_(there))
        .values(deleted_at=now())
        .returning(col(Sample.id))
    )
    moved = [row.id for row in gone]
    jobs.give_back(session, user_id, months)
    purged = trash.make_room(session, user_id, moved)
    publish_sample(session, user_id)
    return Thrown(moved, purged)


def restore(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Bring samples back from the trash and return those that could be.

    Raises:
        QuotaExceeded: If none of them fits.
        Duplicate: If the same sound was added meanwhile, and nothing else came back.
    """
    results = restore_each(session, user_id, ids)
    refusals = [refusal for refusal in results.values() if refusal]
    if refusals and len(refusals) == len(results):
        raise refusals[0]
    return [sample_id for sample_id, refusal in results.items() if not refusal]


def restore_each(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, AppError | None]:
    """Bring back what has room and no twin, the newest first; say for each why not."""
    quotas.hold(session, user_id)
    locked = session.exec(
        select(Sample)
        .where(_mine(user_id, ids), col(Sample.deleted_at).is_not(None))
        .order_by(col(Sample.id))  # as everybody who locks many
        .with_for_update()
    ).all()
    found = locked[::-1]
    results = _refusals(session, user_id, found)
    back = [sample for sample in found if not results[sample.id]]
    unfinished = [s for s in back if s.status in {SampleStatus.QUEUED, SampleStatus.ANALYSING}]
    for sample in back:
        sample.deleted_at = None
    for sample in unfinished:
        sample.status = SampleStatus.QUEUED
    session.add_all(back)
    session.flush()
    for sample in unfinished:
        jobs.add_analysis(session, user_id, sample.id)
    publish_sample(session, user_id)
    return results


def _refusals(
    session: Session, user_id: uuid.UUID, wanted: Sequence[Sample]
) -> dict[uuid.UUID, AppError | None]:
    """Say for each sample why it cannot come back, in two questions however many they are."""
    digests = literal([sample.digest for sample in wanted], ARRAY(String))
    living = select(Sample).where(
        Sample.user_id == user_id,
        col(Sample.digest) == any_(digests),
        col(Sample.deleted_at).is_(None),
    )
    twins = {sample.digest: sample for sample in session.exec(living)}
    sizes = {sample.id: 0 if sample.is_demo else sample.size for sample in wanted}
    room, full = _room_for(session, user_id, sum(sizes.values()))
    results: dict[uuid.UUID, AppError | None] = {}
    for sample in wanted:
        if sample.digest in twins:
            results[sample.id] = _duplicate(twins[sample.digest])
        elif sizes[sample.id] > room:
            results[sample.id] = full
        else:
            results[sample.id] = None
            room -= sizes[sample.id]
            twins[sample.digest] = sample
    return results


def _room_for(session: Session, user_id: uuid.UUID, size: int) -> tuple[int, AppError | None]:
    """Return how many of `size` bytes fit, and why no more."""
    try:
        quotas.ensure_room(session, user_id, size)
    except AppError as refusal:
        return refusal.details.get("limit", 0) - refusal.details.get("used", 0), refusal
    return size, None


def _duplicate(twin: Sample) -> Duplicate:
    return Duplicate(
        f"You have this sound already: “{twin.name}”.",
        {"sample_id": str(twin.id), "name": twin.name},
    )


def delete_for_good(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[uuid.UUID]:
    """Delete samples that are in the trash, with their files."""
    return trash.purge(session, _mine(user_id, ids))


def purge_old_trash(session: Session, at: dt.datetime) -> int:
    """Delete what has been in anybody's trash for 30 days; return how many."""
    limit = at - dt.timedelta(days=TRASH_DAYS)
    return len(trash.purge(session, col(Sample.deleted_at) < limit))


def publish_sample(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID | None = None
) -> None:
    """Tell the person's open pages, once the change is visible."""
    one = [Event(Topic.SAMPLE, str(sample_id))]
    news = one if sample_id else [Event(Topic.LIBRARY), Event(Topic.QUOTA)]
    after_commit(session, partial(events.publish, user_id, *news))


def _mine(user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Any:
    return (col(Sample.user_id) == user_id) & among(ids)


def among(ids: Sequence[uuid.UUID]) -> Any:
    """Return the condition that a sample is one of these: one array, however many there are."""
    return col(Sample.id) == any_(literal(list(ids), ARRAY(Uuid)))


def _row(user_id: uuid.UUID, incoming: Incoming, key: str, tag_names: list[str]) -> Sample:
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
    index(sample)
    return sample
