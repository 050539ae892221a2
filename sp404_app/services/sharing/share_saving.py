"""Save sounds of a link to the visitor's own library."""

import datetime as dt
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from sp404_app.audio.io.decode import Header
from sp404_app.errors import AppError, Duplicate, Forbidden, NotFound
from sp404_app.models import Project, Sample, Share, ShareDownload, Waveform
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra import object_deletions, storage
from sp404_app.services.library import samples, stored_files
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.library.stored_files import StoredFile, StoredWaveform
from sp404_app.services.plans import full_storage_advice
from sp404_app.services.projects import history, projects
from sp404_app.services.sharing import share_visits, shared_content

NOT_ALLOWED = "The owner of this link doesn't allow saving its sounds."
REPEATED_WITHIN: Final = dt.timedelta(minutes=1)
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

    `problem_code` is a key of `PROBLEMS`, or empty. `project_id` is the copy of a shared project,
    `copies` are the user's samples by those that they are equal to.
    """

    ids: list[uuid.UUID] = field(default_factory=list)
    duplicates: int = 0
    problem_code: str = ""
    project_id: uuid.UUID | None = None
    copies: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)


def problem_text(code: str) -> str:
    """Return what a person reads about a `problem_code`; empty for an unknown one."""
    text = PROBLEMS.get(code, "")
    return f"{text} {full_storage_advice()}" if code == STORAGE_FULL else text


def list_sources(
    session: Session, share: Share, number: int | None = None, version: str = ""
) -> list[uuid.UUID]:
    """Return the ids of the sounds to save: all of a link, or the one with a number.

    Those of a project are the sounds of its pads, each once; they are saved together.

    Raises:
        NotFound: If there is no sound with this number, or it is another one than `version` now.
    """
    if number is not None:
        return [shared_content.find_sound(session, share, number, version).id]
    return shared_content.sound_ids(session, share) or shared_content.pad_sample_ids(session, share)


def save_sound(
    session: Session, user_id: uuid.UUID, share: Share, source_id: uuid.UUID
) -> uuid.UUID:
    """Copy the original of a shared sound into the user's library; return the new sample's id.

    The link is read again: its owner may have changed or revoked it while others were saved.
    Name and audio are copied, and the name of the link's owner is kept. Tags, notes, rating and
    analysis are the owner's and are not.

    Raises:
        Duplicate: If the library has the same audio; details name the sample.
        Forbidden: If the link does not allow the original to be downloaded.
        NotFound: If the link has ended, the sound is not shared any more, or its file is missing.
        QuotaExceeded: If the storage quota is used up.
    """
    key = storage.new_key()
    object_deletions.announce_object(key, session)
    quotas.lock_library(session, user_id)  # before the link is read: this may wait
    share = _find_open_share(session, share)
    source = _find_source(session, share, source_id)
    samples.ensure_no_duplicate(session, user_id, source.digest)
    quotas.ensure_storage(session, user_id, source.size, "add")
    with storage.local_copy(source.storage_key) as path:
        storage.save(path, key)
        file = StoredFile(_incoming(source, path), key, source.name, _waveform(session, source))
        (sample_id,) = stored_files.add_stored_files(session, user_id, [file])
    object_deletions.keep_object(session, key)
    saved = session.get_one(Sample, sample_id)
    saved.shared_by = shared_content.owner_name(session, share.user_id)
    session.add(saved)
    quotas.publish_quota(session, user_id)
    return sample_id


def save_project(
    session: Session, user_id: uuid.UUID, share: Share, copies: Mapping[uuid.UUID, uuid.UUID]
) -> uuid.UUID:
    """Copy a shared project; return the id of the copy.

    `copies` are the user's samples by those that they were copied from. Pads without one stay
    empty. An equal copy that was made a moment ago, as by a double click, is returned.

    Raises:
        Conflict: If the user has too many projects.
        Forbidden: If the link does not allow it.
        NotFound: If the link has ended, or is not that of a project.
    """
    quotas.lock_library(session, user_id)  # before the link is read: this may wait
    share = _find_open_share(session, share)
    if share.project_id is None:
        raise NotFound(share_visits.GONE)
    kit = history.load_kit(session, history.get_project(session, share.user_id, share.project_id))
    live = set(shared_content.pad_sample_ids(session, share))
    # What a pad was read from belongs to the owner.
    pads = {
        at: replace(pad, sample_id=copies[pad.sample_id], source_id=None)
        for at, pad in kit.pads.items()
        if pad.sample_id and pad.sample_id in live and pad.sample_id in copies
    }
    copy = replace(kit, pads=pads)
    recent = select(Project).where(
        Project.user_id == user_id,
        Project.name == copy.name,
        col(Project.deleted_at).is_(None),
        col(Project.created_at) > now() - REPEATED_WITHIN,
    )
    for project in session.exec(recent):
        if history.load_kit(session, project) == copy:
            return project.id
    projects.ensure_room(session, user_id)
    return projects.insert_project(session, user_id, copy).id


def add_result(saved: SavedSounds, source_id: uuid.UUID, result: uuid.UUID | AppError) -> bool:
    """Note the result of one sound; return whether the next one may be tried."""
    if isinstance(result, uuid.UUID):
        saved.ids.append(result)
        saved.copies[source_id] = result
    elif isinstance(result, Duplicate):
        saved.duplicates += 1
        saved.copies[source_id] = uuid.UUID(result.details["sample_id"])
    elif isinstance(result, NotFound):
        log.info("a shared sound has gone while it was saved")
    else:
        add_problem(saved, result)
        return False
    return True


def add_problem(saved: SavedSounds, error: AppError) -> None:
    """Note why something was not saved."""
    saved.problem_code = error.code if error.code in PROBLEMS else "failed"


def _find_open_share(session: Session, share: Share) -> Share:
    share = share_visits.find_working_share(session, share.id)
    if share.allow_download != ShareDownload.ORIGINAL:
        raise Forbidden(NOT_ALLOWED)
    return share


def _find_source(session: Session, share: Share, source_id: uuid.UUID) -> Sample:
    source = samples.get_sample(session, share.user_id, source_id)
    taken = shared_content.taken_down_samples(session, share.user_id)
    if source_id not in list_sources(session, share) or source_id in taken or source.deleted_at:
        raise NotFound("This sound isn't shared any more.")
    return source


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
