"""Exports of projects with the job's own function: bytes, failures, changes meanwhile."""

import hashlib
import io
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.jobs import runner
from sp404_app.models import ProcessingJob, User
from sp404_app.services.library import samples
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.services.cards.exported import archive_of, contents_of, export
from tests.sounds import write

pytestmark = pytest.mark.usefixtures("services")

A1 = PadPosition(0, 1)
Add = Callable[..., uuid.UUID]


@pytest.fixture
def add(user: User, tmp_path: Path) -> Add:
    """Return a function that adds an analysed sample of noise."""
    rng = np.random.default_rng(7)

    def add_one(
        name: str = "Kick.wav",
        *,
        seconds: float = 0.5,
        rate: int = 48_000,
        channels: int = 2,
        subtype: str = "PCM_16",
    ) -> uuid.UUID:
        noise = rng.uniform(-0.9, 0.9, (round(seconds * rate), channels))
        path = write(tmp_path / f"{uuid.uuid4().hex}.wav", noise, rate, subtype=subtype)
        with transaction() as session:
            incoming = samples.inspect_file(path, name)
            sample_id = samples.add_sample(session, user.id, incoming)
        with transaction() as session:
            job = session.exec(
                select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)
            ).one()
        runner.run(str(job.id))
        return sample_id

    return add_one


def project(user: User, *ids: uuid.UUID, device: Device = MK2, name: str = "Kit") -> Target:
    with transaction() as session:
        made = projects.create_project(session, user.id, name, device, ids)
        return Target(user.id, made.project.id)


def change(target: Target, at: PadPosition = A1, **values: object) -> None:
    with transaction() as session:
        pads.set_pad(session, target, at, PadChange(**values))  # type: ignore[arg-type]


def test_an_import_pack_has_plain_wav_files_in_the_order_of_the_pads(user: User, add: Add) -> None:
    target = project(user, add("Snare.wav"), add("Kick.wav", rate=44_100, subtype="PCM_24"))
    files = contents_of(target, export(target, "import"))
    assert list(files) == ["IMPORT/Kit/A/01 Snare.wav", "IMPORT/Kit/A/02 Kick.wav"]
    for content in files.values():
        assert content[36:40] == b"data"
        info = soundfile.info(io.BytesIO(content))
        assert (info.samplerate, info.subtype, info.frames) == (48_000, "PCM_16", 24_000)


def test_an_mk2_project(user: User, add: Add) -> None:
    target = project(user, add("Snare.wav"), add("Kick.wav", channels=1))
    result = export(target, "mk2", "export", 7)
    files = contents_of(target, result)
    root = "EXPORT/PROJECT/PROJECT_07"
    assert len(files[f"{root}/PADCONF.BIN"]) == 52_000
    assert files[f"{root}/SMPL/BANK1-01.SMP"][:4] == b"RFWV"
    assert hashlib.sha256(archive_of(target, result)).hexdigest() == result["sha256"]


def test_an_sx_card(user: User, add: Add) -> None:
    target = project(user, add("Snare.wav"), add("Kick.wav", channels=1), device=SX)
    files = contents_of(target, export(target, "sx"))
    assert list(files) == [
        "ROLAND/SP-404SX/SMPL/A0000001.WAV",
        "ROLAND/SP-404SX/SMPL/A0000002.WAV",
        "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN",
    ]
