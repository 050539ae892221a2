"""JSON views of projects and pads, for the API."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Uuid, any_, literal
from sqlmodel import Session, col, select

from sp404_app.devices.capabilities import BANKS
from sp404_app.models import Project, ProjectPad, Sample
from sp404_app.services.projects import history, renders
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pad_sizes import pad_bytes
from sp404_app.services.projects.projects import ProjectSummary, device_of


@dataclass(frozen=True, slots=True)
class PadView:
    """A pad that holds something. Positions and lengths are frames at the project's rate.

    `device_name` is the name as the device shows it. `bytes` is the size of its 16-bit audio, and
    `audio_version` the `v` of its address, with which it may be cached; None without a sample.
    """

    bank: str
    pad: int
    revision: int
    sample_id: uuid.UUID | None
    sample_status: str  # "ready", "trashed" or "missing"
    name: str
    device_name: str
    settings: dict[str, Any]
    chops: list[int]
    edit: dict[str, Any] | None
    frames: int | None
    bytes: int | None
    audio_version: str | None


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project without its pads; `bytes` is the size of their 16-bit audio."""

    id: uuid.UUID
    name: str
    device: str
    rate: int
    tempo: float
    tempo_source: str
    revision: int
    pad_count: int
    bytes: int
    banks: list[dict[str, Any]]
    deleted_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ProjectDetails(ProjectView):
    """A project with its pads, and what undo and redo would do next."""

    pads: list[PadView]
    undo: str
    redo: str


def project_view(summary: ProjectSummary) -> ProjectView:
    """Return the view of a project in the list."""
    return ProjectView(
        **_project_fields(summary.project), pad_count=summary.filled, bytes=summary.bytes
    )


def project_details(session: Session, project: Project) -> ProjectDetails:
    """Return the view of a project with its pads."""
    rows = history.load_pads(session, project.id)
    samples = samples_of_pads(session, rows)
    pads = [pad_view(project, row, samples) for row in rows.values()]
    undo, redo = history.next_labels(session, project)
    return ProjectDetails(
        **_project_fields(project),
        pad_count=len(pads),
        bytes=sum(pad.bytes or 0 for pad in pads),
        pads=pads,
        undo=undo,
        redo=redo,
    )


def pad_details(session: Session, project: Project, at: PadPosition) -> PadView | None:
    """Return the view of one pad, or None if it is empty."""
    row = session.get(ProjectPad, (project.id, at.bank, at.pad))
    if row is None:
        return None
    return pad_view(project, row, samples_of_pads(session, {at: row}))


def samples_of_pads(
    session: Session, rows: Mapping[PadPosition, ProjectPad]
) -> dict[uuid.UUID, Sample]:
    """Return the samples of pads by their ids, also those in the trash."""
    ids = sorted({row.sample_id for row in rows.values() if row.sample_id})
    found = session.exec(select(Sample).where(col(Sample.id) == any_(literal(ids, ARRAY(Uuid)))))
    return {sample.id: sample for sample in found}


def pad_view(project: Project, row: ProjectPad, samples: Mapping[uuid.UUID, Sample]) -> PadView:
    """Return the view of a pad."""
    sample = samples.get(row.sample_id) if row.sample_id else None
    return PadView(
        bank=BANKS[row.bank],
        pad=row.pad,
        revision=row.revision,
        sample_id=row.sample_id,
        sample_status=sample_status(sample),
        name=row.name,
        device_name=device_name(row.name),
        settings=row.settings,
        chops=row.chops,
        edit=row.edit,
        frames=row.frames,
        bytes=pad_bytes(row, sample),
        audio_version=renders.request_of(project, row, sample).key if sample else None,
    )


def sample_status(sample: Sample | None) -> str:
    """Return "ready", "trashed", or "missing" for a sample that was permanently deleted."""
    if sample is None:
        return "missing"
    return "trashed" if sample.deleted_at else "ready"


def _project_fields(project: Project) -> dict[str, Any]:
    return {
        "id": project.id,
        "name": project.name,
        "device": project.device,
        "rate": device_of(project).rate,
        "tempo": project.tempo,
        "tempo_source": project.tempo_source,
        "revision": project.revision,
        "banks": project.banks,
        "deleted_at": project.deleted_at,
        "created_at": project.created_at,
        "updated_at": project.updated_at,
    }
