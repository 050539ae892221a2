"""Create, list, rename, duplicate, delete and restore projects."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, delete, func, select

from sp404_app.devices.capabilities import BANKS, DEVICES, Device, DeviceKind
from sp404_app.errors import Conflict, ValidationFailed
from sp404_app.models import Project, ProjectPad, Sample
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.infra.colours import BANK_COLOURS
from sp404_app.services.infra.text import clean_name, clean_text
from sp404_app.services.library import samples
from sp404_app.services.projects import conversion, history, pad_sizes, pads
from sp404_app.services.projects.kit import Kit, PadPosition, fill_pads
from sp404_app.services.projects.project_details import apply_details, clamp_tempo, parse_text

TRASH_DAYS = 30
MAX_PROJECTS = 500  # outside the trash
MAX_TRASHED_PROJECTS = 500
MAX_LISTED_SAMPLES = 200
DEFAULT_TEMPO_BPM = 90.0


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project in the list: the pads of each bank that hold something, and their bytes."""

    project: Project
    pads_by_bank: tuple[tuple[int, ...], ...]
    bytes: int

    @property
    def filled_by_bank(self) -> tuple[int, ...]:
        """Return how many pads of each bank hold something."""
        return tuple(len(pads) for pads in self.pads_by_bank)

    @property
    def filled(self) -> int:
        """Return how many pads hold something."""
        return sum(self.filled_by_bank)


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
    ensure_room(session, user_id)
    placed = pads.load_placeable(session, user_id, sample_ids)
    if tempo is None:
        tempo = next((each.bpm for each in placed if each.bpm and each.kind == "loop"), None)
    start_tempo = clamp_tempo(tempo or DEFAULT_TEMPO_BPM)
    kit = Kit(
        device=device,
        name=clean_name(parse_text(name, "name"), "Untitled project"),
        tempo=start_tempo,
        tempo_source="project",
        banks=default_banks(start_tempo),
    )
    contents = [pads.new_content(sample, device) for sample in placed]
    kit, filled = fill_pads(kit, PadPosition(0, 1), contents)
    project = insert_project(session, user_id, kit)
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
    return _ids_by_name(session, user_id, col(Sample.tags).contains([clean_text(tag)]))


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
    return _summaries(session, user_id, found)


def get_summary(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> ProjectSummary:
    """Return a project as it is in the list.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    project = history.get_project(session, user_id, project_id)
    return _summaries(session, user_id, [project])[0]


def _summaries(
    session: Session, user_id: uuid.UUID, found: Sequence[Project]
) -> list[ProjectSummary]:
    columns = (
        ProjectPad.project_id,
        ProjectPad.bank,
        func.array_agg(col(ProjectPad.pad)),
        pad_sizes.total_bytes(),
    )
    counted = select(*columns).join(
        Sample, col(Sample.id) == col(ProjectPad.sample_id), isouter=True
    )
    ids = literal([project.id for project in found], ARRAY(Uuid))
    of_projects = counted.where(
        ProjectPad.user_id == user_id, col(ProjectPad.project_id) == any_(ids)
    )
    rows = session.exec(
        of_projects.group_by(col(ProjectPad.project_id), col(ProjectPad.bank))
    ).all()
    pads = {(project_id, bank): tuple(sorted(found)) for project_id, bank, found, _ in rows}
    sizes: Counter[uuid.UUID] = Counter()
    for project_id, _, _, size in rows:
        sizes[project_id] += int(size)
    summaries: list[ProjectSummary] = []
    for project in found:
        banks = tuple(pads.get((project.id, bank), ()) for bank in range(len(BANKS)))
        summaries.append(ProjectSummary(project, banks, sizes[project.id]))
    return summaries


def change_details(session: Session, target: history.Target, changes: Mapping[str, Any]) -> Project:
    """Change name, tempo, tempo source and banks of a project, as `apply_details` describes.

    Raises:
        ValidationFailed: If a value is invalid; details name the field.
        NotFound, ChangedMeanwhile, Conflict: As `history.change_project`.
    """
    label = "Rename project" if set(changes) == {"name"} else "Change project"
    return history.change_project(session, target, label, lambda kit: apply_details(kit, changes))


def duplicate_project(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID, device: Device | None = None
) -> tuple[Project, list[conversion.Difference]]:
    """Copy a project; to another device, convert it and report what does not fit.

    Raises:
        NotFound: If the project does not exist or belongs to another user.
        Conflict: If the user has `MAX_PROJECTS` projects.
    """
    original = history.get_project(session, user_id, project_id)
    ensure_room(session, user_id)
    kit = history.load_kit(session, original)
    report: list[conversion.Difference] = []
    name = f"{original.name[:180]} copy"
    if device and device != kit.device:
        kit, report = conversion.convert_kit(kit, device, _samples_of(session, user_id, kit))
        name = f"{original.name[:180]} ({device.title})"
    return insert_project(session, user_id, replace(kit, name=name)), report


def delete_project(
    session: Session,
    user_id: uuid.UUID,
    project_id: uuid.UUID,
    revision: int | None = history.ANY_REVISION,
) -> None:
    """Move a project to the trash, or delete it permanently if it is there already.

    The move is a new revision: a request that is repeated with the old one deletes nothing more.
    The trash holds `MAX_TRASHED_PROJECTS`; the oldest beyond that are permanently deleted.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        ChangedMeanwhile: If the revision is old.
    """
    target = history.Target(user_id, project_id, revision)
    project = history.lock_revision(session, target)
    if project.deleted_at is None:
        _set_trashed(session, project, now())
        _purge_beyond_limit(session, user_id)
    else:
        session.delete(project)
        history.publish_project(session, user_id, project_id)


def restore_project(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> Project:
    """Restore a project from the trash. Trashed samples on its pads count as storage again.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If the user has `MAX_PROJECTS` projects.
    """
    history.get_project(session, user_id, project_id)
    quotas.lock_library(session, user_id)  # everywhere the user is locked before projects
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        ensure_room(session, user_id)
        _set_trashed(session, project, None)
    return project


def _set_trashed(session: Session, project: Project, at: dt.datetime | None) -> None:
    project.deleted_at = at
    project.revision += 1
    session.add(project)
    session.flush()
    history.publish_project(session, project.user_id, project.id)
    quotas.publish_quota(session, project.user_id)


def _purge_beyond_limit(session: Session, user_id: uuid.UUID) -> None:
    trashed = select(Project.id).where(
        Project.user_id == user_id, col(Project.deleted_at).is_not(None)
    )
    newest_first = trashed.order_by(col(Project.deleted_at).desc(), col(Project.id).desc())
    _purge(session, col(Project.id).in_(newest_first.offset(MAX_TRASHED_PROJECTS)))


def purge_old_projects(session: Session, at: dt.datetime) -> int:
    """Permanently delete projects that any user trashed over 30 days ago; return their number."""
    return _purge(session, col(Project.deleted_at) < at - dt.timedelta(days=TRASH_DAYS))


def _purge(session: Session, condition: Any) -> int:
    """Permanently delete projects; those that another transaction holds are left for the next."""
    locked = session.exec(select(Project.id).where(condition).with_for_update(skip_locked=True))
    ids = list(locked)
    return session.exec(delete(Project).where(col(Project.id).in_(ids))).rowcount if ids else 0


def _samples_of(session: Session, user_id: uuid.UUID, kit: Kit) -> dict[uuid.UUID, Sample]:
    ids = [pad.sample_id for pad in kit.pads.values() if pad.sample_id]
    owned = select(Sample).where(Sample.user_id == user_id, samples.has_id_in(ids))
    return {sample.id: sample for sample in session.exec(owned)}


def insert_project(session: Session, user_id: uuid.UUID, kit: Kit) -> Project:
    """Insert a project with its pads, outside of its history."""
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


def ensure_room(session: Session, user_id: uuid.UUID, new: int = 1) -> None:
    """Lock the library and check the number of projects.

    Raises:
        Conflict: If the user would have more than `MAX_PROJECTS` projects.
    """
    quotas.lock_library(session, user_id)  # two requests at once cannot exceed the limit
    count = select(func.count()).where(
        Project.user_id == user_id, col(Project.deleted_at).is_(None)
    )
    if session.exec(count).one() + new > MAX_PROJECTS:
        raise Conflict(f"You can have up to {MAX_PROJECTS} projects. Delete one first.")
