"""What is known of a project's files on its card: recorded when it is read or written."""

import uuid
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlmodel import Session, col, select

from sp404_app.devices.capabilities import BANKS, DeviceKind
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import paths as mk2_paths
from sp404_app.devices.sx import paths as sx_paths
from sp404_app.errors import Conflict
from sp404_app.models import ProjectCard, ProjectExport, ProjectSource
from sp404_app.models.columns import now
from sp404_app.services.cards import export_content, export_plan, exported_audio, imports
from sp404_app.services.cards.card_comparison import (
    CardChange,
    RecordedFile,
    compare_card,
    listed_files,
)
from sp404_app.services.cards.card_paths import clean_path, fold_path
from sp404_app.services.cards.export_content import ExportContent, ExportTarget
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.cards.needed_hashes import mark_needed_hashes
from sp404_app.services.cards.project_reading import RawRecord, find_places
from sp404_app.services.projects import history

EXPORT_FIRST = "Export this project first."


@dataclass(frozen=True, slots=True)
class WantedCard:
    """What an export writes: its files, and the pads that it describes without their sound."""

    files: list[RecordedFile]
    kept: frozenset[tuple[str, int]]


def wanted_card(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, target: ExportTarget
) -> WantedCard:
    """Return what the export of a project as it is now writes.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        Conflict: If it was not exported since its last change, or no pad can be exported.
    """
    project = history.get_project(session, user_id, project_id)
    content = export_content.load_content(session, project, target)
    plan = export_plan.plan_export(content)
    row = session.exec(
        select(ProjectExport).where(
            ProjectExport.user_id == user_id,
            ProjectExport.content_key == plan.content_key(project_id),
            col(ProjectExport.size_bytes).is_not(None),
        )
    ).first()
    if row is None:
        raise Conflict(EXPORT_FIRST)
    return WantedCard(listed_files(row.files), kept_places(content))


def kept_places(content: ExportContent) -> frozenset[tuple[str, int]]:
    """Return the pads whose files stay on the card: the export has no sound for them.

    A pad that was moved has its broken file still where the project was read from.
    """
    places: set[tuple[str, int]] = set()
    origin, device = content.project_source, content.kit.device
    for at in exported_audio.refused_pads(content):
        source = content.source_of(at)
        if source is None:
            continue
        places.add((at.bank_letter, at.pad))
        raw = RawRecord(source.record, source.name, source.chops)
        with suppress(InvalidDeviceFile):  # the job says so
            found = find_places(device.kind, origin.config, raw) if origin else []
            indexes = (divmod(index, device.pads_per_bank) for index in found)
            places |= {(BANKS[bank], pad + 1) for bank, pad in indexes}
    return frozenset(places)


def compare(
    session: Session,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    import_id: uuid.UUID,
    target: ExportTarget,
) -> list[CardChange]:
    """Return what writing the project changes on the card whose files an import lists.

    Raises:
        NotFound: If project or import do not exist or belong to another user.
        Conflict: If the project was not exported since its last change.
    """
    history.get_project(session, user_id, project_id)
    present = imports.list_files(session, user_id, import_id)
    wanted = wanted_card(session, user_id, project_id, target)
    folder = folder_of(target)
    before = _files_before(session, project_id, folder)
    changes = compare_card(before, present, wanted.files, folder, wanted.kept)
    return mark_needed_hashes(changes, before, present, wanted.files)


def _files_before(
    session: Session, project_id: uuid.UUID, folder: str | None
) -> list[RecordedFile]:
    """Return the files of a project as they were last read or written.

    A project may have been read from another place than it is written to: its files are known in
    both. Only a file with the same bytes counts as known, so that this cannot hide another one.
    """
    card = session.get(ProjectCard, project_id)
    files = listed_files(card.files) if card else []
    source = session.get(ProjectSource, project_id)
    if source is None or folder is None:
        return files
    prefix = f"{source.folder}/" if source.folder else ""
    moved = [
        replace(each, path=f"{folder}/{_inner_path(each.path[len(prefix) :], source.device)}")
        for each in files
        if fold_path(each.path[: len(prefix)]) == fold_path(prefix)
    ]
    return [*moved, *files]


def _inner_path(path: str, device: str) -> str:
    """Return the path of a file in its project's folder; SMPL may have been read alone."""
    return f"SMPL/{path}" if device == DeviceKind.SX and "/" not in path else path


def folder_of(target: ExportTarget) -> str | None:
    """Return the project's folder on the card; an import pack has none."""
    if target.device == "sx":
        return sx_paths.FOLDER
    return mk2_paths.project_folder(target.place, target.slot) if target.device == "mk2" else None


def record_card(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, files: Sequence[ListedFile]
) -> None:
    """Record the files of a project on its card, after a write that was verified.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        Conflict: If it is in the trash.
        ValidationFailed: If a path is invalid.
    """
    history.lock_project(session, user_id, project_id)
    for each in files:
        clean_path(each.path)
    row = session.get(ProjectCard, project_id) or ProjectCard(
        project_id=project_id, user_id=user_id
    )
    written = {fold_path(each.path) for each in files}
    folders = set(map(_folder_of, written))
    beside = [each for each in row.files if _is_left_alone(each, written, folders)]
    row.files, row.seen_at = [*(asdict(each) for each in files), *beside], now()
    session.add(row)
    session.flush()


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _is_left_alone(
    file: Mapping[str, Any], written: Container[str], folders: Container[str]
) -> bool:
    """Return whether a file that no pad uses is still there after a write, maybe to another place.

    A write deletes marked files only beside the sounds that it leaves there.
    """
    path = fold_path(file["path"])
    is_deleted = path in written or (file.get("remove") and _folder_of(path) in folders)
    return bool(file.get("unused")) and not is_deleted
