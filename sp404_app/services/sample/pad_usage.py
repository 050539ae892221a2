"""Where samples are used: the pads of the user's projects."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from sp404_app.devices.capabilities import BANKS
from sp404_app.models import Project, ProjectPad, Sample
from sp404_app.services.library import samples
from sp404_app.services.library.trash import TrashResult

MAX_NAMED_PADS = 3


@dataclass(frozen=True, slots=True)
class PadUse:
    """A pad that uses a sample; `name` is the pad's name, `colour` that of its bank."""

    sample_id: uuid.UUID
    project_id: uuid.UUID
    project: str
    bank: str
    pad: int
    name: str
    colour: str
    is_trashed: bool  # the project is in the trash


def pads_of_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[PadUse]:
    """Return the pads that use one of these samples, by project."""
    rows = session.exec(
        select(ProjectPad, Project)
        .join(Project, col(ProjectPad.project_id) == col(Project.id))
        .join(Sample, col(ProjectPad.sample_id) == col(Sample.id))
        .where(Project.user_id == user_id, samples.has_id_in(ids))
        .order_by(col(Project.name), col(Project.id), col(ProjectPad.bank), col(ProjectPad.pad))
    ).all()
    return [_pad_use(row, project) for row, project in rows]


def _pad_use(row: ProjectPad, project: Project) -> PadUse:
    assert row.sample_id is not None  # the condition of the query
    return PadUse(
        sample_id=row.sample_id,
        project_id=project.id,
        project=project.name,
        bank=BANKS[row.bank],
        pad=row.pad,
        name=row.name,
        colour=bank_colour(project, row.bank),
        is_trashed=project.deleted_at is not None,
    )


def bank_colour(project: Project, bank: int) -> str:
    """Return the colour of a bank, 0 to 9; empty if the project has none."""
    banks = list(project.banks)
    return str(banks[bank].get("colour", "")) if bank < len(banks) else ""


def trash_samples(
    session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> tuple[TrashResult, list[PadUse]]:
    """Move samples to the trash; also return the pads of projects in use that they stay on."""
    result = samples.move_to_trash(session, user_id, ids)
    uses = pads_of_samples(session, user_id, result.moved)
    return result, [use for use in uses if not use.is_trashed]


def describe_pads(uses: Sequence[PadUse]) -> str:
    """Return where samples are used: "pad A1 of Night set", or "12 pads of 3 projects"."""
    by_project: dict[uuid.UUID, list[PadUse]] = {}
    for use in uses:
        by_project.setdefault(use.project_id, []).append(use)
    if len(uses) <= MAX_NAMED_PADS:
        return " and ".join(_describe_pads_of_project(pads) for pads in by_project.values())
    where = f"{len(by_project)} projects"
    if len(by_project) == 1:
        where = _describe_project(uses[0])
    return f"{len(uses):,} pads of {where}"


def _describe_pads_of_project(pads: Sequence[PadUse]) -> str:
    *first, last = [f"{pad.bank}{pad.pad}" for pad in pads]
    listed = f"pads {', '.join(first)} and {last}" if first else f"pad {last}"
    return f"{listed} of {_describe_project(pads[0])}"


def _describe_project(use: PadUse) -> str:
    name = use.project[:60]
    return f"{name} (in the trash)" if use.is_trashed else name
