"""Save sounds of a link to the visitor's own library."""

import logging
import uuid
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from sp404_app.audio.io.decode import Header
from sp404_app.db import if_undone
from sp404_app.errors import AppError, Duplicate, Forbidden, NotFound
from sp404_app.models import Sample, Share, ShareDownload, Waveform
from sp404_app.services.billing import quotas
from sp404_app.services.infra import storage
from sp404_app.services.library import samples, stored_files
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.library.stored_files import StoredFile, StoredWaveform
from sp404_app.services.plans import full_storage_advice
from sp404_app.services.projects import history, projects
from sp404_app.services.sharing import share_visits, shared_content

NOT_ALLOWED = "The owner of this link doesn't allow saving its sounds."
STORAGE_FULL = "storage_quota_exceeded"
PROBLEMS = {
    STORAGE_FULL: "Your storage is full.",
    "subscription_restricted": "Your subscription is past due. Pay the open invoice first.",
    "not_allowed": NOT_ALLOWED,
    "conflict": "You have too many projects. Delete one first.",
    "failed": "The sound could not be saved. Try again.",
}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class SavedSounds:
    """What became of the sounds: ids of new samples, how many were there already, and an error.

    `problem_code` is a key of `PROBLEMS`, or empty. `project_id` is the copy of a shared project.
    """

    ids: list[uuid.UUID] = field(default_factory=list)
    duplicates: int = 0
    problem_code: str = ""
    project_id: uuid.UUID | None = None


def problem_text(code: str) -> str:
    """Return what a person reads about a `problem_code`; empty for an unknown one."""
    text = PROBLEMS.get(code, "")
    return f"{text} {full_storage_advice()}" if code == STORAGE_FULL else text


def save_sound(
    session: Session, user_id: uuid.UUID, share: Share, number: int, version: str = ""
) -> uuid.UUID:
    """Copy the original of a shared sound into the user's library; return the new sample's id.

    The sounds of a project are those of its pads, each once.

    The link is read again: its owner may have changed or revoked it while others were saved.
    Name and audio are copied, and the name of the link's owner is kept. Tags, notes, rating and
    analysis are the owner's and are not.

    Raises:
        Duplicate: If the library has the same audio; details name the sample.
        Forbidden: If the link does not allow the original to be downloaded.
        NotFound: If the link has ended, the sound is not shared any more, or its file is missing.
        QuotaExceeded: If the storage quota is used up.
    """
    share = _find_open_share(session, share)
    if share.project_id:
        source = _find_pad_sound(session, share, number)
    else:
        source = shared_content.find_sound(session, share, number, version)
    quotas.lock_library(session, user_id)
    quotas.ensure_storage(session, user_id, source.size)
    samples.ensure_no_duplicate(session, user_id, source.digest)
    key = storage.new_key()
    if_undone(session, partial(storage.delete_object, key))
    with storage.local_copy(source.storage_key) as path:
        storage.save(path, key)
        file = StoredFile(_incoming(source, path), key, source.name, _waveform(session, source))
        (sample_id,) = stored_files.add_stored_files(session, user_id, [file])
    saved = session.get_one(Sample, sample_id)
    saved.shared_by = shared_content.owner_name(session, share.user_id)
    session.add(saved)
    quotas.publish_quota(session, user_id)
    return sample_id


def save_project(session: Session, user_id: uuid.UUID, share: Share) -> uuid.UUID:
    """Copy a shared project, whose sounds were saved before; return the new project's id.

    Pads whose sounds are not in the user's library, or in its trash, stay empty.

    Raises:
        Conflict: If the user has too many projects.
        Forbidden: If the link does not allow it.
        NotFound: If the link has ended, or is not that of a project.
    """
    share = _find_open_share(session, share)
    if share.project_id is None:
        raise NotFound(share_visits.GONE)
    projects.ensure_room(session, user_id)
    project = history.get_project(session, share.user_id, share.project_id)
    kit = history.load_kit(session, project)
    mine, theirs = aliased(Sample), aliased(Sample)
    copies = dict(
        session.exec(
            select(theirs.id, mine.id)
            .join(mine, col(mine.digest) == col(theirs.digest))
            .where(
                col(theirs.id).in_(shared_content.pad_sample_ids(session, share)),
                mine.user_id == user_id,
                col(mine.deleted_at).is_(None),
            )
        ).all()
    )
    # What a pad was read from belongs to the owner.
    pads = {
        at: replace(pad, sample_id=copies[pad.sample_id], source_id=None)
        for at, pad in kit.pads.items()
        if pad.sample_id and pad.sample_id in copies
    }
    return projects.insert_project(session, user_id, replace(kit, pads=pads)).id


def list_numbers(session: Session, share: Share) -> list[int]:
    """Return the numbers of all sounds of a link."""
    ids = shared_content.sound_ids(session, share) or shared_content.pad_sample_ids(session, share)
    return list(range(1, len(ids) + 1))


def add_result(saved: SavedSounds, result: uuid.UUID | AppError) -> bool:
    """Note the result of one sound; return whether the next one may be tried."""
    if isinstance(result, uuid.UUID):
        saved.ids.append(result)
    elif isinstance(result, Duplicate):
        saved.duplicates += 1
    elif isinstance(result, NotFound):
        log.info("a shared sound has gone while it was saved")
    else:
        saved.problem_code = result.code if result.code in PROBLEMS else "failed"
        return False
    return True


def _find_open_share(session: Session, share: Share) -> Share:
    share = share_visits.find_working_share(session, share.id)
    if share.allow_download != ShareDownload.ORIGINAL:
        raise Forbidden(NOT_ALLOWED)
    return share


def _find_pad_sound(session: Session, share: Share, number: int) -> Sample:
    ids = shared_content.pad_sample_ids(session, share)
    if not 1 <= number <= len(ids):
        raise NotFound("This sound isn't shared any more.")
    return samples.get_sample(session, share.user_id, ids[number - 1])


def _incoming(source: Sample, path: Path) -> IncomingFile:
    header = Header(
        duration=source.duration or 0.0,
        frames=0,
        sample_rate=source.sample_rate or 0,
        channels=source.channels or 0,
        format=source.format,
    )
    return IncomingFile(path, source.filename, "", source.size, header, source.digest)


def _waveform(session: Session, source: Sample) -> StoredWaveform | None:
    peaks = session.exec(select(Waveform.peaks).where(Waveform.sample_id == source.id)).first()
    return StoredWaveform(peaks, source.thumbnail) if peaks else None
