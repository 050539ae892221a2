"""What a client has to send of a card, from the names of its files, and whether it fits."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.errors import AppError, QuotaExceeded
from sp404_app.models import CardImportFile
from sp404_app.services.billing import quotas
from sp404_app.services.cards import imports, project_reading
from sp404_app.services.cards.card_paths import fold_path
from sp404_app.services.cards.card_tree import CardTree, FoundProject, read_tree
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.cards.known_sounds import KnownSound, find_known_sounds
from sp404_app.services.infra import storage
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.plans import full_storage_advice

MAX_PROJECTS: Final = 500
TOO_LARGE_CONFIG = "This file is too large for the settings of a project."


@dataclass(frozen=True, slots=True)
class PlannedProject:
    """A project on the card. `pads` and `bytes` of its sounds are None until its settings are sent.

    `why` says why it cannot be read, or is "".
    """

    folder: str
    device: str
    name: str
    pads: int | None = None
    bytes: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """Whether new sounds fit; `free` is None if the storage has no limit. Sizes in bytes."""

    ok: bool
    needed: int
    free: int | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a card is, its projects, and the paths to send with their bytes in all."""

    tree: CardTree
    projects: list[PlannedProject]
    send: list[str]
    bytes: int
    room: Room


@dataclass(slots=True)
class _Needs:
    """What is needed of one project."""

    planned: PlannedProject
    audio: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def plan_import(
    session: Session,
    user_id: uuid.UUID,
    import_id: uuid.UUID,
    files: Sequence[ListedFile],
    folders: Sequence[str] | None = None,
) -> ImportPlan:
    """Return what to send of a card whose files have these names; sizes may be 0.

    First the settings of its projects, and after these were sent what their pads use. Files that
    were sent, and sounds of the library whose hash was listed, need not be sent.

    Raises:
        NotFound: If the import does not exist or belongs to another user.
    """
    found = imports.get_import(session, user_id, import_id)
    rows = imports.load_rows(session, found.id)
    sizes = {row.path: row.size_bytes for row in rows.values()}
    sizes |= {each.path: each.bytes for each in files if imports.is_possible(each.path)}
    tree = read_tree(sorted(sizes))
    chosen = set(map(fold_path, folders)) if folders is not None else None
    needs = [
        _needs_of(project, rows, sizes)
        for project in tree.projects[:MAX_PROJECTS]
        if chosen is None or fold_path(project.folder) in chosen
    ]
    known = find_known_sounds(session, user_id, (row.sha256 for row in rows.values()))
    here = {row.path for row in rows.values() if row.storage_key or _is_known(row, known)}
    audio = _unique(path for each in needs for path in each.audio if path not in here)
    others = _unique(path for each in needs for path in each.others if path not in here)
    staged = [rows[fold].size_bytes for fold in _staged_audio(needs, rows)]
    return ImportPlan(
        tree=tree,
        projects=[each.planned for each in needs],
        send=others + audio,
        bytes=sum(sizes[path] for path in others + audio),
        room=room_for(session, user_id, sum(sizes[path] for path in audio) + sum(staged)),
    )


def _is_known(row: CardImportFile, known: Mapping[str, KnownSound]) -> bool:
    sound = known.get(row.sha256)
    return sound is not None and not sound.may_lack_bytes(row.size_bytes)


def _unique(paths: object) -> list[str]:
    return list(dict.fromkeys(paths))  # type: ignore[call-overload]


def _staged_audio(needs: list[_Needs], rows: Mapping[str, CardImportFile]) -> list[str]:
    """Return the folded paths of sounds that are here already."""
    folded = {fold_path(path) for each in needs for path in each.audio}
    return [path for path in sorted(folded) if path in rows and rows[path].storage_key]


def _needs_of(
    project: FoundProject, rows: Mapping[str, CardImportFile], sizes: Mapping[str, int]
) -> _Needs:
    row = rows.get(fold_path(project.config))
    name = project_reading.folder_name(project.folder)
    plan = PlannedProject(project.folder, project.device, name)
    if row is None or not row.storage_key:
        return _Needs(plan, others=[project.config])
    try:
        read = project_reading.read_project(project, read_config(row))
    except (InvalidDeviceFile, AppError) as error:
        return _Needs(PlannedProject(project.folder, project.device, name, why=str(error)))
    samples = project.samples()
    audio = [path for index in sorted(read.records) for path in samples.get(index, [])]
    total = sum(sizes[path] for path in audio)
    planned = PlannedProject(project.folder, project.device, read.name, len(read.records), total)
    return _Needs(planned, audio, [each.path for each in project.copies()])


def read_config(row: CardImportFile) -> bytes:
    """Return the bytes of a project's file of settings.

    Raises:
        InvalidDeviceFile: If it is too large.
    """
    if row.size_bytes > project_reading.MAX_CONFIG_BYTES:
        raise InvalidDeviceFile(TOO_LARGE_CONFIG)
    return b"".join(storage.stream_object(row.storage_key, 0, row.size_bytes))


def room_for(session: Session, user_id: uuid.UUID, needed: int) -> Room:
    """Return whether sounds of `needed` bytes fit into the user's storage."""
    usage = quotas.get_quota_usage(session, user_id)
    free = None if usage.storage_limit is None else usage.storage_limit - usage.storage_used
    try:
        ensure_room(session, user_id, needed)
    except QuotaExceeded as refusal:
        return Room(False, needed, free, str(refusal))
    return Room(True, needed, free)


def ensure_room(
    session: Session, user_id: uuid.UUID, needed: int, purpose: quotas.Purpose = "ask"
) -> None:
    """Check that sounds of `needed` bytes fit; details of the error carry `needed` and `free`.

    `purpose` is that of `quotas.ensure_storage`.

    Raises:
        QuotaExceeded: If they do not fit, in numbers.
        SubscriptionRestricted: If a payment is missing.
    """
    if not needed:
        return
    try:
        quotas.ensure_storage(session, user_id, needed, purpose)
    except QuotaExceeded as refusal:
        if refusal.status != QuotaExceeded.status:  # a payment is missing
            raise
        free = max(0, refusal.details["limit"] - refusal.details["used"])
        message = (
            f"These sounds need {format_size(needed)}, and {format_size(free)} of your storage "
            f"are free. {full_storage_advice()}"
        )
        raise QuotaExceeded(message, refusal.details | {"needed": needed, "free": free}) from None
