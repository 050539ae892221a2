"""Where samples are used: the pads of the user's projects."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from sp404_app.devices.capabilities import BANKS
from sp404_app.models import Project, ProjectPad


@dataclass(frozen=True, slots=True)
class PadUse:
    """A pad that uses a sample."""

    project_id: uuid.UUID
    project: str
    bank: str
    pad: int
    is_trashed: bool  # the project is in the trash


def pads_of_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[PadUse]:
    """Return the pads that use one of these samples, by project."""
    rows = session.exec(
        select(Project.id, Project.name, ProjectPad.bank, ProjectPad.pad, Project.deleted_at)  # type: ignore[call-overload]
        .join(ProjectPad, col(ProjectPad.project_id) == col(Project.id))
        .where(Project.user_id == user_id, col(ProjectPad.sample_id).in_(ids))
        .order_by(col(Project.name), col(Project.id), col(ProjectPad.bank), col(ProjectPad.pad))
    ).all()
    return [
        PadUse(i, name, BANKS[bank], pad, gone is not None) for i, name, bank, pad, gone in rows
    ]
