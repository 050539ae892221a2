"""Create, list, rename, duplicate, delete and restore projects."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session, col, delete, func, select

from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.errors import Conflict, ValidationFailed
from sp404_app.models import Project, ProjectPad, Sample
from sp404_app.models.columns import now
from sp404_app.services.infra.text import clean_name
from sp404_app.services.library import samples
from sp404_app.services.projects import conversion, history, pads
from sp404_app.services.projects.kit import Kit, PadPosition, fill_pads

TRASH_DAYS = 30
MAX_PROJECTS = 500  # outside the trash
MAX_LISTED_SAMPLES = 200
DEFAULT_TEMPO = 90.0
TEMPO_RANGE = (40.0, 200.0)
# One hue per bank, readable on dark and on light surfaces; pages show them as lit pads.
BANK_COLOURS = (
    "#ff6b3d", "#ffb020", "#e8d52c", "#7ed957", "#2fd6a3",
    "#36c5f0", "#5b8cff", "#9b72ff", "#e667d8", "#ff5c8a",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project in the list, and the numbers of the pads that hold something, by bank."""

    project: Project
    pads_by_bank: tuple[tuple[int, ...], ...]

    @property
    def filled(self) -> int:
        """Return the number of pads that hold something."""
        return sum(len(pads) for pads in self.pads_by_bank)


@dataclass(frozen=True, slots=True)
class NewProject:
    """A created project, and the ids of samples that did not fit on its pads."""

    project: Project
    not_placed: list[uuid.UUID]


def parse_device(value: object) -> Device:
    """Return the device of a name.

    Raises:
        ValidationFailed: If it is neither "mk2" nor "sx".
    """
    if not isinstance(value, str) or value not in set(DeviceKind):
        message = "Choose mk2 or sx."
        raise ValidationFailed(message, {"device": [message]})
    return DEVICES[DeviceKind(value)]


def device_of(project: Project) -> Device:
    """Return the device that a project is made for."""
    return DEVICES[DeviceKind(project.device)]


def create_project(
    session: Session,
    user_id: uuid.UUID,
    name: str,
    device: Device,
    sample_ids: Sequence[uuid.UUID] = (),
    tempo: float | None = None,
) -> NewProject:
    """Create a project, with samples on its pads from A1 on, in this order.

    Without a `tempo`, it is that of the first loop among the samples.

    Raises:
        NotFound: If a sample does not exist, is in the trash or belongs to another user.
        Conflict: If the user has `MAX_PROJECTS` projects.
    """
    _ensure_room(session, user_id)
    placed = pads.load_placeable(session, user_id, sample_ids)
    if tempo is None:
        tempo = next((each.bpm for each in placed if each.bpm and each.kind == "loop"), None)
    kit = Kit(
        device=device,
        name=clean_name(name, "Untitled project"),
        tempo=_clamp_tempo(tempo),
        tempo_source="project",
        banks=default_banks(_clamp_tempo(tempo)),
    )
    contents = [pads.new_content(sample, device) for sample in placed]
    kit, filled = fill_pads(kit, PadPosition(0, 1), contents)
    project = _insert_project(session, user_id, kit)
    return NewProject(project, [sample.id for sample in placed[len(filled) :]])


def default_banks(tempo: float) -> tuple[dict[str, Any], ...]:
    """Return ten banks with their colours and one tempo."""
    return tuple(
        {
            "bank": letter,
            "name": "",
            "colour": colour,
            "tempo": tempo,
            "volume": 127,
            "protect": False,
        }
        for letter, colour in zip(BANKS, BANK_COLOURS, strict=True)
    )


def samples_in_folder(session: Session, user_id: uuid.UUID, folder: str) -> list[uuid.UUID]:
    """Return the ids of the samples in a folder of the library and its subfolders, by name."""
    path = samples.clean_folder(folder)
    inside = (col(Sample.folder) == path) | col(Sample.folder).startswith(
        f"{path}/", autoescape=True
    )
    return _ids_by_name(session, user_id, inside)


def samples_with_tag(session: Session, user_id: uuid.UUID, tag: str) -> list[uuid.UUID]:
    """Return the ids of the samples with a tag, by name."""
    return _ids_by_name(session, user_id, col(Sample.tags).contains([tag]))


def _ids_by_name(session: Session, user_id: uuid.UUID, condition: Any) -> list[uuid.UUID]:
    query = select(Sample.id).where(
        Sample.user_id == user_id, col(Sample.deleted_at).is_(None), condition
    )
    ordered = query.order_by(col(Sample.sort_key), col(Sample.id)).limit(MAX_LISTED_SAMPLES)
    return list(session.exec(ordered))


def list_projects(
    session: Session, user_id: uuid.UUID, *, trash: bool = False
) -> list[ProjectSummary]:
    """Return a user's projects, newest change first: those in use, or those in the trash."""
    deleted_at = col(Project.deleted_at)
    wanted = deleted_at.is_not(None) if trash else deleted_at.is_(None)
    query = select(Project).where(Project.user_id == user_id, wanted)
    found = session.exec(query.order_by(col(Project.updated_at).desc(), col(Project.id))).all()
    filled = session.exec(
        select(ProjectPad.project_id, ProjectPad.bank, func.array_agg(col(ProjectPad.pad)))
        .where(ProjectPad.user_id == user_id)
        .group_by(col(ProjectPad.project_id), col(ProjectPad.bank))
    ).all()
    pads = {(project_id, bank): tuple(sorted(numbers)) for project_id, bank, numbers in filled}
    return [
        ProjectSummary(project, tuple(pads.get((project.id, n), ()) for n in range(len(BANKS))))
        for project in found
    ]


def count_trash(session: Session, user_id: uuid.UUID) -> int:
    """Return how many projects are in a user's trash."""
    trashed = select(func.count()).where(
        Project.user_id == user_id, col(Project.deleted_at).is_not(None)
    )
    return session.exec(trashed).one()


def change_details(session: Session, target: history.Target, changes: Mapping[str, Any]) -> Project:
    """Change name, tempo, tempo source and banks of a project; what is not named stays.

    `banks` are `{"bank": "A", …}` with what changes of name, colour, tempo, volume and protect.

    Raises:
        ValidationFailed: If a value is invalid; details name the field.
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    label = "Rename project" if set(changes) == {"name"} else "Change project"

    def mutate(kit: Kit) -> Kit:
        fields: dict[str, Any] = {}
        if "name" in changes:
            fields["name"] = clean_name(changes["name"], kit.name)
        if "tempo" in changes:
            fields["tempo"] = _parse_tempo(changes["tempo"], "tempo")
        if "tempo_source" in changes:
            fields["tempo_source"] = changes["tempo_source"]
        banks = list(kit.banks)
        for change in changes.get("banks", ()):
            index = BANKS.index(change["bank"])
            banks[index] = {**banks[index], **change}
        return replace(kit, **fields, banks=tuple(banks))

    return history.change_project(session, target, label, mutate)


def duplicate_project(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, device: Device | None = None
) -> tuple[Project, list[conversion.Difference]]:
    """Copy a project; to another device, convert it and report what does not fit.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        Conflict: If the user has `MAX_PROJECTS` projects.
    """
    original = history.get_project(session, user_id, project_id)
    _ensure_room(session, user_id)
    kit = history.load_kit(session, original)
    report: list[conversion.Difference] = []
    name = f"{original.name[:180]} copy"
    if device and device != kit.device:
        kit, report = conversion.convert_kit(kit, device)
        name = f"{original.name[:180]} ({device.title})"
    return _insert_project(session, user_id, replace(kit, name=name)), report


def delete_project(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
    """Move a project to the trash, or delete it permanently if it is there already.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    if not move_to_trash(session, user_id, project_id):
        delete_for_good(session, user_id, project_id)


def move_to_trash(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> bool:
    """Move a project to the trash; return False if it is there already.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        return False
    project.deleted_at = now()
    session.add(project)
    session.flush()
    history.publish_project(session, user_id, project_id)
    return True


def delete_for_good(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
    """Permanently delete a project that is in the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If it is not in the trash.
    """
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is None:
        raise Conflict("This project isn’t in the trash.")
    session.delete(project)
    history.publish_project(session, user_id, project_id)


def restore_project(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Restore a project from the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If the user has `MAX_PROJECTS` projects.
    """
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        _ensure_room(session, user_id)
        project.deleted_at = None
        session.add(project)
        session.flush()
        history.publish_project(session, user_id, project_id)
    return project


def purge_old_projects(session: Session, at: dt.datetime) -> int:
    """Permanently delete projects that any user trashed over 30 days ago; return their number."""
    limit = at - dt.timedelta(days=TRASH_DAYS)
    return session.exec(delete(Project).where(col(Project.deleted_at) < limit)).rowcount


def _insert_project(session: Session, user_id: uuid.UUID, kit: Kit) -> Project:
    project = Project(
        user_id=user_id,
        name=kit.name,
        device=kit.device.kind,
        tempo=kit.tempo,
        tempo_source=kit.tempo_source,
        banks=[dict(bank) for bank in kit.banks],
    )
    session.add(project)
    session.flush()
    history.insert_pads(session, project, kit)
    history.publish_project(session, user_id, project.id)
    return project


def _ensure_room(session: Session, user_id: uuid.UUID) -> None:
    count = select(func.count()).where(
        Project.user_id == user_id, col(Project.deleted_at).is_(None)
    )
    if session.exec(count).one() >= MAX_PROJECTS:
        raise Conflict(f"You can have up to {MAX_PROJECTS} projects. Delete one first.")


def _clamp_tempo(tempo: float | None) -> float:
    low, high = TEMPO_RANGE
    return round(min(max(tempo or DEFAULT_TEMPO, low), high), 2)


def _parse_tempo(value: float, field: str) -> float:
    low, high = TEMPO_RANGE
    if not low <= value <= high:
        message = f"Choose a tempo from {low:g} to {high:g} BPM."
        raise ValidationFailed(message, {field: [message]})
    return round(value, 2)
