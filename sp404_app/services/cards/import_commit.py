"""Make samples and projects of a card that was read, in one transaction: all of it, or nothing."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session, col, select

from sp404_app.audio.io.header import Header
from sp404_app.db import after_commit
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.errors import NotFound
from sp404_app.models import (
    CardImport,
    CardImportFile,
    JobStatus,
    PadSource,
    ProcessingJob,
    Project,
    ProjectCard,
    ProjectFile,
    ProjectSource,
    Sample,
)
from sp404_app.services.billing import quotas
from sp404_app.services.cards import import_plan, imports, project_files, project_reading
from sp404_app.services.cards.card_comparison import position_of
from sp404_app.services.cards.card_reading import CardProject, ReadCard, Sound
from sp404_app.services.cards.import_files import CardFiles
from sp404_app.services.infra import storage
from sp404_app.services.library import samples, stored_files
from sp404_app.services.library.samples import IncomingFile
from sp404_app.services.library.stored_files import StoredFile, StoredWaveform
from sp404_app.services.processing import jobs
from sp404_app.services.projects import projects
from sp404_app.services.projects.kit import Kit, PadContent

MAX_LISTED: Final = 500  # missing sounds and problems in a job's result


@dataclass(frozen=True, slots=True)
class ImportTask:
    """What a job reads: the import, its files, and the folders to choose."""

    import_id: uuid.UUID
    user_id: uuid.UUID
    rows: list[CardImportFile]
    folders: list[str] | None


@dataclass(frozen=True, slots=True)
class NewSound:
    """A sound that the library lacks: the first file that holds it, its name, project and key."""

    path: str
    name: str
    folder: str
    key: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """The samples of a card by digest: their ids and names, and which of them are new."""

    ids: Mapping[str, uuid.UUID]
    names: Mapping[uuid.UUID, str]
    new: frozenset[str]


def begin_import(session: Session, job: ProcessingJob) -> ImportTask | None:
    """Return what a job reads; None if another attempt reads it, or the import was deleted.

    Sounds that an earlier attempt stored are deleted.
    """
    if not jobs.lock_current_attempt(session, job):
        return None
    query = select(CardImport).where(CardImport.job_id == job.id, CardImport.user_id == job.user_id)
    row = session.exec(query.with_for_update()).first()
    if row is None:
        jobs.finish_job(session, job.id, JobStatus.FAILED, "This import was deleted.")
        return None
    set_sample_keys(session, row, [])
    files = list(imports.load_rows(session, row.id).values())
    return ImportTask(row.id, row.user_id, files, row.folders)


def plan_sounds(
    session: Session, job: ProcessingJob, task: ImportTask, card: ReadCard
) -> dict[str, NewSound] | None:
    """Return the sounds to store, by digest, and record their keys. Checks quota and projects.

    None if the job was cancelled, or if another attempt reads the import meanwhile.

    Raises:
        QuotaExceeded: If the new sounds do not fit, in numbers.
        Conflict: If the user would have too many projects, patterns and pictures.
        NotFound: If the import was deleted.
    """
    _ensure_projects_fit(session, task, card)
    if not jobs.lock_current_attempt(session, job):
        return None
    digests = {sound.digest for sound in card.sounds.values()}
    existing = stored_files.find_by_digests(session, task.user_id, sorted(digests))
    new = _new_sounds(card, digests - set(existing))
    import_plan.ensure_room(session, task.user_id, _size_of(card, new), "try")
    row = imports.get_import(session, task.user_id, task.import_id, lock=True)
    set_sample_keys(session, row, [sound.key for sound in new.values()])
    return new


def _ensure_projects_fit(session: Session, task: ImportTask, card: ReadCard) -> None:
    projects.ensure_room(session, task.user_id, len(card.projects))
    copies = (data for project in card.projects for data in project.copies.values())
    project_files.ensure_room(session, task.user_id, copies)


def _new_sounds(card: ReadCard, digests: set[str]) -> dict[str, NewSound]:
    found: dict[str, NewSound] = {}
    for project in card.projects:
        for index, path in project.paths.items():
            sound = card.sounds.get(path)
            if sound is None or sound.digest not in digests or sound.card is None:
                continue
            if sound.digest not in found:
                name = project_reading.sound_name(project.read, index, path)
                key = storage.new_key()
                found[sound.digest] = NewSound(path, name, project.read.name, key)
    return found


def _size_of(card: ReadCard, new: Mapping[str, NewSound]) -> int:
    return sum(_incoming(card, digest, sound).size for digest, sound in new.items())


def set_sample_keys(session: Session, row: CardImport, keys: list[str]) -> None:
    """Record which objects the job stores now; those recorded before are deleted."""
    for key in row.sample_keys:
        after_commit(session, partial(storage.delete_object, key))
    row.sample_keys = keys
    session.add(row)
    session.flush()


def discard_sounds(session: Session, task: ImportTask, keys: Sequence[str]) -> None:
    """Delete, after the commit, those of the stored sounds that became no samples."""
    used = set(session.exec(select(Sample.storage_key).where(col(Sample.storage_key).in_(keys))))
    for key in keys:
        if key not in used:
            after_commit(session, partial(storage.delete_object, key))
    row = session.get(CardImport, task.import_id, with_for_update=True)
    if row and set(row.sample_keys) == set(keys):
        row.sample_keys = []
        session.add(row)


def commit_import(
    session: Session,
    job: ProcessingJob,
    task: ImportTask,
    card: ReadCard,
    new: Mapping[str, NewSound],
    files: CardFiles,
) -> bool:
    """Insert samples and projects and finish the job; False if it was cancelled meanwhile.

    Raises:
        QuotaExceeded, Conflict: As `plan_sounds`.
        NotFound: If a sound that the card shares with the library was deleted meanwhile.
    """
    quotas.lock_library(session, task.user_id)
    if not jobs.lock_current_attempt(session, job):
        return False
    _ensure_projects_fit(session, task, card)
    placed = _place_sounds(session, task, card, new)
    made = [_insert_project(session, task, card, each, placed, files) for each in card.projects]
    row = imports.get_import(session, task.user_id, task.import_id, lock=True)
    row.sample_keys = []
    imports.delete_staged_files(session, row)
    session.get_one(ProcessingJob, job.id).result = _result(card, made, placed)
    jobs.finish_job(session, job.id, JobStatus.DONE)
    quotas.publish_quota(session, task.user_id)
    return True


def _place_sounds(
    session: Session, task: ImportTask, card: ReadCard, new: Mapping[str, NewSound]
) -> _Placed:
    """Insert the samples that the library still lacks; the files of others are deleted."""
    digests = sorted({sound.digest for sound in card.sounds.values()})
    existing = stored_files.find_by_digests(session, task.user_id, digests)
    added = {digest: sound for digest, sound in new.items() if digest not in existing}
    if set(digests) - set(existing) - set(added):
        raise NotFound("A sound of this card was deleted in the meantime. Start the import again.")
    for digest, sound in new.items():
        if digest in existing:  # uploaded meanwhile
            after_commit(session, partial(storage.delete_object, sound.key))
    import_plan.ensure_room(session, task.user_id, _size_of(card, added), "add")
    stored = [
        StoredFile(_incoming(card, digest, sound), sound.key, sound.name, _waveform(card, sound))
        for digest, sound in added.items()
    ]
    ids = stored_files.add_stored_files(session, task.user_id, stored)
    placed = existing | dict(zip(added, ids, strict=True))
    named = select(Sample.id, Sample.name).where(col(Sample.id).in_(placed.values()))
    return _Placed(placed, dict(session.exec(named).all()), frozenset(added))


def _incoming(card: ReadCard, digest: str, sound: NewSound) -> IncomingFile:
    inspected = card.sounds[sound.path].card
    assert inspected  # only sounds that were read are new
    header: Header = inspected.audio
    file_name = sound.path.rpartition("/")[2]
    stem = (sound.name if inspected.file else file_name.rpartition(".")[0]) or sound.name
    ending = ".wav" if inspected.file else file_name[len(file_name.rpartition(".")[0]) :]
    return IncomingFile(
        path=Path(sound.path),
        filename=samples.file_name(f"{stem.replace('/', '_')}{ending}"),
        folder=samples.clean_folder(sound.folder.replace("/", "_")),
        size=inspected.size,
        header=header,
        digest=digest,
    )


def _waveform(card: ReadCard, sound: NewSound) -> StoredWaveform | None:
    inspected = card.sounds[sound.path].card
    return inspected.waveform if inspected else None


def _insert_project(
    session: Session,
    task: ImportTask,
    card: ReadCard,
    project: CardProject,
    placed: _Placed,
    files: CardFiles,
) -> Project:
    """Insert a project with its pads, and everything that an unchanged export needs."""
    sources = {
        index: _insert_source(session, task.user_id, card, project, index, placed)
        for index in project.read.records
    }
    session.flush()
    pads = {
        project.read.position(index): _pad_content(card, project, index, source, placed)
        for index, source in sources.items()
    }
    read = project.read
    kit = Kit(
        read.kit.device, read.name, read.kit.tempo, read.kit.tempo_source, read.kit.banks, pads
    )
    made = projects.insert_project(session, task.user_id, kit)
    owner: dict[str, Any] = {"project_id": made.id, "user_id": task.user_id}
    session.add(ProjectSource(**owner, device=read.device, config=read.config, folder=read.folder))
    session.add_all(
        ProjectFile(**owner, path=path, data=data) for path, data in project.copies.items()
    )
    session.add(ProjectCard(**owner, files=_files_of_card(project, files)))
    session.flush()
    return made


def _insert_source(
    session: Session,
    user_id: uuid.UUID,
    card: ReadCard,
    project: CardProject,
    index: int,
    placed: _Placed,
) -> PadSource:
    raw = project.read.records[index]
    sound = card.sounds.get(project.paths.get(index, ""))
    source = PadSource(
        user_id=user_id,
        device=project.read.device,
        record=raw.record,
        name=raw.name,
        chops=raw.chops,
        audio_header=sound.header if sound else b"",
        audio_tail=sound.tail if sound else None,
        audio_sha256=sound.sha256 if sound else "",
        sample_id=placed.ids[sound.digest] if sound else None,
    )
    session.add(source)
    return source


def _pad_content(
    card: ReadCard, project: CardProject, index: int, source: PadSource, placed: _Placed
) -> PadContent:
    sound: Sound | None = card.sounds.get(project.paths.get(index, ""))
    if sound is None:
        return project_reading.pad_content(project.read, index, source_id=source.id)
    sample_id = placed.ids[sound.digest]
    content = project_reading.pad_content(
        project.read,
        index,
        channels=sound.channels,
        sample_id=sample_id,
        frames=_frames_at_device_rate(project, sound),
        source_id=source.id,
    )
    if project.read.device is DeviceKind.SX:  # stores no names
        return replace(content, name=placed.names[sample_id])
    return content


def _frames_at_device_rate(project: CardProject, sound: Sound) -> int:
    """Return the length of a pad's audio; a foreign file may have another rate."""
    device_rate = project.read.kit.device.rate
    return (sound.frames * device_rate * 2 + sound.rate) // (sound.rate * 2)


def _files_of_card(project: CardProject, files: CardFiles) -> list[dict[str, Any]]:
    """Return the files of a project as they are on the card, in the order of their paths."""
    sizes, used = files.sizes(), set(project.paths.values())
    return [
        {"path": path, "bytes": sizes[path], "sha256": files.sha256(path)}
        | ({"unused": True} if position_of(path) and path not in used else {})
        for path in sorted(project.files)
    ]


def _result(card: ReadCard, made: Sequence[Project], placed: _Placed) -> dict[str, Any]:
    """Return what a job tells: the projects, counts of samples, and what is missing or broken."""
    used = {sound.digest for sound in card.sounds.values()}
    missing = [
        _missing_name(project, index)
        for project in card.projects
        for index in sorted(project.read.records)
        if project.paths.get(index, "") not in card.sounds
    ]
    return {
        "project_ids": [str(each.id) for each in made],
        "projects": [
            {"id": str(each.id), "name": each.name, "device": each.device} for each in made
        ],
        "samples": len(placed.new),
        "duplicates": len(used) - len(placed.new),
        "files": sum(len(project.files) for project in card.projects),
        "missing": missing[:MAX_LISTED],
        "problems": [asdict(each) for each in card.problems[:MAX_LISTED]],
    }


def _missing_name(project: CardProject, index: int) -> str:
    """Return a pad whose sound is missing as users read it: "Beats, A1 Kick"."""
    name = project_reading.pad_content(project.read, index).name
    return f"{project.read.name}, {project.read.position(index)} {name}".strip()
