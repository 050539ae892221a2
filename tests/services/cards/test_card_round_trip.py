"""A card that is taken in and exported unchanged gives back the same bytes."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, PadSource, ProcessingJob, User
from sp404_app.services.cards import project_reading
from sp404_app.services.cards.project_reading import RawRecord
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.devices.real_files import needs_real_files, real_file, real_padconfs
from tests.services.cards import cards
from tests.services.cards.exported import contents_of, export

pytestmark = pytest.mark.usefixtures("services")

EXPORT_FOLDER = "EXPORT/PROJECT/PROJECT_01"
TakeIn = Callable[[uuid.UUID, Mapping[str, bytes]], dict[str, object]]


def project_of(user: User, result: Mapping[str, object]) -> Target:
    (project_id,) = result["project_ids"]  # type: ignore[misc]
    return Target(user.id, uuid.UUID(project_id))


def analyse_all() -> None:
    with transaction() as session:
        waiting = select(ProcessingJob.id).where(
            ProcessingJob.kind == JobKind.ANALYSE, ProcessingJob.status == JobStatus.QUEUED
        )
        ids = session.exec(waiting).all()
    for each in ids:
        runner.run(str(each))


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
def test_a_mk2_project_comes_back_byte_for_byte(user: User, take_in: TakeIn) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    result = take_in(user.id, card)
    assert (result["missing"], result["problems"]) == ([], [])
    assert (result["samples"], result["duplicates"]) == (3, 0)
    target = project_of(user, result)
    analyse_all()
    assert contents_of(target, export(target, "mk2", "export", 1)) == card


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
def test_an_sx_card_comes_back_byte_for_byte_without_the_devices_state(
    user: User, take_in: TakeIn
) -> None:
    card = cards.sx_card()
    result = take_in(user.id, card)
    target = project_of(user, result)
    state = "ROLAND/SP-404SX/SMPL/STPINFO.BIN"
    expected = {path: data for path, data in card.items() if path != state}
    assert contents_of(target, export(target, "sx")) == expected


def test_a_changed_pad_changes_its_own_bytes_only(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    target = project_of(user, cards.take_in(user.id, card))
    with transaction() as session:
        pads.set_pad(session, target, PadPosition(0, 1), PadChange(settings={"level": 99}))
    found = contents_of(target, export(target, "mk2", "export", 1))
    config = f"{EXPORT_FOLDER}/PADCONF.BIN"
    differing = [at for at in range(52_000) if found[config][at] != card[config][at]]
    assert differing == [0xA0 + 0x0C + 3]
    assert {path for path in card if found[path] != card[path]} == {config}


@needs_real_files
@pytest.mark.parametrize("path", real_padconfs() or ["absent"])
def test_a_real_padconf_comes_back(user: User, path: str) -> None:
    config = real_file(path)
    card = {f"{EXPORT_FOLDER}/PADCONF.BIN": config, **sounds_for(config)}
    result = cards.take_in(user.id, card)
    target = project_of(user, result)
    assert result["missing"] == []
    assert contents_of(target, export(target, "mk2", "export", 1)) == card


def sounds_for(config: bytes) -> dict[str, bytes]:
    """Return short sounds of the sizes in a PADCONF's records."""
    found = {}
    for index in range(160):
        size = int.from_bytes(config[0xA0 + index * 172 :][:4], "big")
        if size:
            bank, pad = divmod(index, 16)
            samples = cards.pcm(index, (size - 512) // 4)
            found[f"{EXPORT_FOLDER}/SMPL/BANK{bank + 1}-{pad + 1:02}.SMP"] = cards.smp(samples)
    return found


@needs_real_files
@pytest.mark.parametrize("path", [*real_padconfs(), "sx/PAD_INFO.BIN"])
def test_the_stored_pads_of_a_real_project_give_its_records_back(user: User, path: str) -> None:
    folder = "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN" if "sx" in path else "IMPORT/P/PADCONF.BIN"
    result = cards.take_in(user.id, {folder: real_file(path)})
    assert result["samples"] == 0
    with transaction() as session:
        project = history.get_project(session, user.id, project_of(user, result).project_id)
        rows = history.load_pads(session, project.id)
        sources: dict[uuid.UUID | None, PadSource] = {
            row.id: row for row in session.exec(select(PadSource))
        }
    assert len(rows) == len(result["missing"]) > 0
    for row in rows.values():
        source = sources[row.source_id]
        device = DeviceKind(source.device)
        raw = RawRecord(source.record, source.name, source.chops)
        read = project_reading.read_record(device, raw, channels=2)
        name = row.name if device is DeviceKind.MK2 else ""
        stored = replace(read, name=name, settings=row.settings, chops=tuple(row.chops))
        assert project_reading.write_record(device, stored, raw) == raw
        assert stored.settings == read.settings
