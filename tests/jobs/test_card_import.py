"""Imports by workers: killed, cancelled, deleted meanwhile; never half a project."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.jobs import card_import, runner
from sp404_app.models import (
    CardImport,
    JobKind,
    JobStatus,
    PadSource,
    ProcessingJob,
    Project,
    ProjectFile,
    ProjectPad,
    Sample,
    SampleStatus,
    User,
)
from sp404_app.services.account import deletion
from sp404_app.services.billing import quotas
from sp404_app.services.cards import imports, project_files
from sp404_app.services.infra import storage
from sp404_app.services.infra.import_files import FOLDER
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from tests.jobs.test_worker import Start, kill, requeue_lost, start_worker, until
from tests.services.cards import cards

__all__ = ["start_worker"]
pytestmark = pytest.mark.usefixtures("services")


def start(user: User) -> ProcessingJob:
    import_id = cards.send(user.id, cards.mk2_project())
    with transaction() as session:
        return imports.finish_import(session, user.id, import_id)


def sound_keys() -> set[str]:
    return {each.key for each in storage.list_folder("") if not each.key.startswith(FOLDER)}


def nothing_is_made(user: User) -> bool:
    with transaction() as session:
        tables = (Sample, Project, PadSource, ProjectFile)
        rows = [row for table in tables for row in session.exec(select(table)).all()]
        return not rows and quotas.stored_bytes(session, user.id) == 0


def status_of(job: ProcessingJob) -> str:
    with transaction() as session:
        return session.get_one(ProcessingJob, job.id).status


def before_commit(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change something after the sounds are stored, before anything is committed."""
    original = card_import.import_commit.commit_import

    def change_then_commit(*arguments: Any) -> bool:
        change()
        return original(*arguments)

    monkeypatch.setattr(card_import.import_commit, "commit_import", change_then_commit)


def test_a_cancelled_import_leaves_nothing(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = start(user)

    def cancel() -> None:
        assert len(sound_keys()) == 3
        with transaction() as session:
            jobs.cancel_job(session, user.id, job.id)

    before_commit(monkeypatch, cancel)
    runner.run(str(job.id))
    assert status_of(job) == JobStatus.CANCELLED
    assert nothing_is_made(user)
    assert sound_keys() == set()


def test_an_import_is_cancelled_while_it_reads(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_import, "PROGRESS_INTERVAL_S", 0.0)
    job = start(user)
    original = card_import.card_reading.read_projects

    def cancel_then_read(*arguments: Any) -> Any:
        with transaction() as session:
            jobs.cancel_job(session, user.id, job.id)
        return original(*arguments)

    monkeypatch.setattr(card_import.card_reading, "read_projects", cancel_then_read)
    runner.run(str(job.id))
    assert nothing_is_made(user)
    assert sound_keys() == set()


def test_an_error_at_the_end_leaves_nothing(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = start(user)

    def fail() -> None:
        raise RuntimeError("at the end")

    before_commit(monkeypatch, fail)
    runner.run(str(job.id))
    with transaction() as session:
        row = session.get_one(ProcessingJob, job.id)
    assert row.error == "Something went wrong on our side while reading this card."
    assert nothing_is_made(user)
    assert sound_keys() == set()


@pytest.mark.parametrize("late", ["begin_import", "plan_sounds"])
def test_an_attempt_that_comes_too_late_deletes_no_sound_of_the_next_one(
    user: User, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    job = start(user)
    original = getattr(card_import.import_commit, late)
    stored: list[set[str]] = []

    def take_over(*arguments: Any) -> object:
        """Let another attempt run; the first one goes on when that one has stored its sounds."""

        def go_on() -> None:
            stored.append(sound_keys())
            with transaction() as session:
                assert original(session, *arguments[1:]) is None
            stored.append(sound_keys())

        monkeypatch.undo()
        with transaction() as session:
            session.get_one(ProcessingJob, job.id).status = JobStatus.QUEUED
        before_commit(monkeypatch, go_on)
        runner.run(str(job.id))
        return None

    monkeypatch.setattr(card_import.import_commit, late, take_over)
    runner.run(str(job.id))
    assert [len(keys) for keys in stored] == [3, 3]
    assert status_of(job) == JobStatus.DONE
    with transaction() as session:
        assert set(session.exec(select(Sample.storage_key))) == sound_keys() == stored[0]


def test_patterns_and_pictures_of_a_user_are_bounded(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards.take_in(user.id, cards.mk2_project())
    came = sum(map(len, (data for path, data in cards.mk2_project().items() if is_copy(path))))
    monkeypatch.setattr(project_files, "MAX_USER_BYTES", 2 * came - 1)
    job = start(user)
    runner.run(str(job.id))
    with transaction() as session:
        row = session.get_one(ProcessingJob, job.id)
        assert len(session.exec(select(Project)).all()) == 1
    assert row.status == JobStatus.FAILED
    assert "patterns and pictures" in row.error


def is_copy(path: str) -> bool:
    return "/PTN/" in path or "/PICTURE/" in path


def test_a_sound_that_was_uploaded_meanwhile_is_used(
    user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    job = start(user)
    path = tmp_path / "kick.smp"
    path.write_bytes(cards.mk2_project()["EXPORT/PROJECT/PROJECT_01/SMPL/BANK1-01.SMP"])

    def upload() -> None:
        with transaction() as session:
            samples.add_sample(session, user.id, samples.inspect_file(path, "mine.smp"))

    before_commit(monkeypatch, upload)
    runner.run(str(job.id))
    with transaction() as session:
        result = session.get_one(ProcessingJob, job.id).result
        names = set(session.exec(select(Sample.name)))
        used = set(session.exec(select(Sample.storage_key)))
    assert result
    assert (result["samples"], result["duplicates"]) == (2, 1)
    assert "mine" in names
    assert sound_keys() == used


def test_pads_of_an_sx_card_have_the_names_that_their_sounds_have_now(user: User) -> None:
    cards.take_in(user.id, cards.sx_card())
    with transaction() as session:
        (one,) = session.exec(select(Sample).where(Sample.name == "A0000001"))
        one.name = "Dusty Break"
    again = cards.take_in(user.id, cards.sx_card())
    with transaction() as session:
        made = select(ProjectPad).where(ProjectPad.project_id == uuid.UUID(again["project_ids"][0]))
        names = {pad.name for pad in session.exec(made)}
    assert names == {"Dusty Break", "B0000002"}


def test_an_import_whose_files_were_deleted_fails_in_words(user: User) -> None:
    job = start(user)
    with transaction() as session:
        imports.delete_import(session, session.exec(select(CardImport)).one())
    runner.run(str(job.id))
    with transaction() as session:
        row = session.get_one(ProcessingJob, job.id)
    assert (row.status, row.error) == (JobStatus.FAILED, "This import was deleted.")


def test_an_account_that_is_deleted_meanwhile_keeps_no_file(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start(user)

    def erase() -> None:
        with transaction() as session:
            deletion.erase_account(session, user.id)

    before_commit(monkeypatch, erase)
    runner.run(str(job.id))
    assert storage.list_folder("") == []


async def test_a_killed_workers_import_is_made_once_by_the_next(
    user: User, start_worker: Start
) -> None:
    big = cards.mk2_project()
    folder = "EXPORT/PROJECT/PROJECT_01"
    big[f"{folder}/SMPL/BANK1-01.SMP"] = cards.smp(cards.pcm(1, 6_000_000))
    import_id = cards.send(user.id, big)
    with transaction() as session:
        job = imports.finish_import(session, user.id, import_id)
    first = start_worker()
    await until(user, lambda: status_of(job) == JobStatus.RUNNING)
    kill(first)
    assert nothing_is_made(user) or status_of(job) == JobStatus.DONE
    await requeue_lost()
    start_worker()

    def all_is_analysed() -> bool:
        with transaction() as session:
            rows = session.exec(select(Sample)).all()
        return len(rows) == 3 and all(row.status == SampleStatus.READY for row in rows)

    await until(user, all_is_analysed)
    with transaction() as session:
        assert len(session.exec(select(Project)).all()) == 1
        assert set(session.exec(select(Sample.storage_key))) <= sound_keys()
        imported = session.exec(
            select(ProcessingJob).where(ProcessingJob.kind == JobKind.IMPORT)
        ).one()
    assert imported.result
    assert uuid.UUID(imported.result["project_ids"][0])
    assert list(storage.list_folder(FOLDER)) == []
