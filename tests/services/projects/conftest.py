"""Projects in the database, and functions that add files, analysed samples and pads."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, Device
from sp404_app.models import Analysis, Project, Sample, SampleStatus, User
from sp404_app.services.infra.text import sort_key
from sp404_app.services.projects import history, pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from tests.services.conftest import keep

__all__ = ["keep"]

AddSample = Callable[..., Sample]
MakeProject = Callable[..., Target]


@pytest.fixture
def project(user: User) -> Target:
    """An empty MKII project, to be changed whatever its revision."""
    with transaction() as session:
        made = projects.create_project(session, user.id, "Night set", MK2)
        return Target(user.id, made.project.id)


@pytest.fixture
def add_sample(session: Session, user: User) -> AddSample:
    """Add a sample with measured values, without a file; `content` is that of its analysis."""

    def add(name: str, owner: User = user, content: dict | None = None, **fields: object) -> Sample:
        key = uuid.uuid4().hex
        given = {"status": SampleStatus.READY, "duration": 1.0, "sample_rate": 48_000} | fields
        sample = Sample(
            user_id=owner.id, name=name, filename=f"{name}.wav", storage_key=key, digest=key,
            size=1, format="WAV", sort_key=sort_key(name), **given,
        )  # fmt: skip
        session.add(sample)
        session.flush()
        if content is not None:
            ids = {"user_id": owner.id, "sample_id": sample.id}
            session.add(
                Analysis(**ids, engine_version="1", status=SampleStatus.READY, content=content)
            )
            session.flush()
        return sample

    return add


@pytest.fixture
def make_project(session: Session, user: User) -> MakeProject:
    """Make a project with samples on pads of bank A: `{1: sample, …}`."""

    def make(on_pads: dict[int, Sample], device: Device = MK2, tempo: float = 90.0) -> Target:
        made = projects.create_project(session, user.id, "Kit", device, tempo=tempo).project
        target = Target(user.id, made.id)
        for number, sample in on_pads.items():
            pads.set_pad(
                session, target, PadPosition(0, number), pads.PadChange(sample_id=sample.id)
            )
        return target

    return make


def names_on_pads(session: Session, target: Target, bank: int = 0) -> dict[int, str]:
    """Return the names of a bank's pads by pad number."""
    project = history.get_project(session, target.user_id, target.project_id)
    rows = history.load_pads(session, project.id)
    return {at.pad: row.name for at, row in rows.items() if at.bank == bank}


def project_of(session: Session, target: Target) -> Project:
    """Return the project of a target."""
    return history.get_project(session, target.user_id, target.project_id)
