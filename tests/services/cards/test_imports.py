"""Uploads of cards: resumable, bounded, private, planned, and deleted after a day."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlmodel import Session, select

from sp404_app.audio.features.survey import survey_file
from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, QuotaExceeded, TooLarge, ValidationFailed
from sp404_app.models import CardImport, JobStatus, ProcessingJob, Project, Sample, User, Waveform
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.billing import quotas
from sp404_app.services.cards import card_reading, import_cleanup, import_plan, imports
from sp404_app.services.cards.import_plan import ImportPlan
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.infra import storage
from sp404_app.services.infra.import_files import FOLDER
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from tests.ids import UNKNOWN_ID
from tests.services.cards import cards

pytestmark = pytest.mark.usefixtures("services")


def stored_keys() -> list[str]:
    return [each.key for each in storage.list_folder("")]


def staged_keys() -> list[str]:
    return [each.key for each in storage.list_folder(FOLDER)]


def plan(user: User, import_id: uuid.UUID, card: Mapping[str, bytes]) -> ImportPlan:
    files = [ListedFile(path, len(data)) for path, data in card.items()]
    with transaction() as session:
        return import_plan.plan_import(session, user.id, import_id, files)


def new_import(user: User) -> uuid.UUID:
    with transaction() as session:
        return imports.create_import(session, user.id).id


def test_a_plan_asks_for_settings_then_for_what_pads_use(user: User) -> None:
    card = cards.mk2_project() | {"EXPORT/PROJECT/PROJECT_01/SMPL/BANK9-09.SMP": b"unused"}
    config = "EXPORT/PROJECT/PROJECT_01/PADCONF.BIN"
    import_id = new_import(user)
    first = plan(user, import_id, card)
    assert (first.send, first.projects[0].pads) == ([config], None)
    cards.send(user.id, {config: card[config]}, import_id)
    second = plan(user, import_id, card)
    assert (second.projects[0].name, second.projects[0].pads) == ("BEATS", 3)
    assert set(second.send) == set(cards.mk2_project()) - {config}
    assert second.bytes == sum(len(card[path]) for path in second.send)
    path = second.send[-1]
    cards.send(user.id, {path: card[path]}, import_id)
    assert set(plan(user, import_id, card).send) == set(second.send) - {path}


def test_sounds_of_the_library_need_not_travel(user: User) -> None:
    card = cards.mk2_project()
    cards.take_in(user.id, card)
    sounds = {path: data for path, data in card.items() if path.endswith(".SMP")}
    import_id = cards.send(user.id, {p: d for p, d in card.items() if p not in sounds})
    listed = [
        ListedFile(path, len(data), hashlib.sha256(data).hexdigest())
        for path, data in sounds.items()
    ]
    with transaction() as session:
        imports.add_listing(session, user.id, import_id, listed)
    assert plan(user, import_id, card).send == []
    job = cards.finish(user.id, import_id)
    assert job.result
    assert (job.result["samples"], job.result["duplicates"]) == (0, 3)
    assert (job.result["missing"], job.result["problems"]) == ([], [])


def test_room_is_told_in_numbers_before_anything_is_sent(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = cards.mk2_project()
    config = "EXPORT/PROJECT/PROJECT_01/PADCONF.BIN"
    import_id = cards.send(user.id, {config: card[config]})
    assert plan(user, import_id, card).room.ok
    monkeypatch.setattr(quotas, "stored_bytes", lambda *_: 100 << 20)
    room = plan(user, import_id, card).room
    assert not room.ok
    assert "These sounds need" in room.message
    assert "0 MB of your storage are free" in room.message


def test_a_full_storage_refuses_everything_and_charges_nothing(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = cards.send(user.id, cards.mk2_project())
    before = set(stored_keys())
    with monkeypatch.context() as patch:
        patch.setattr(quotas, "stored_bytes", lambda *_: 100 << 20)
        job = cards.finish(user.id, import_id)
    assert (job.status, job.result) == (JobStatus.FAILED, None)
    assert "These sounds need" in job.error
    with transaction() as session:
        assert session.exec(select(Sample)).all() == []
        assert session.exec(select(Project)).all() == []
    assert set(stored_keys()) == before
    assert cards.finish(user.id, import_id).status == JobStatus.DONE
    assert staged_keys() == []


def test_an_import_whose_job_failed_takes_files_again(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = cards.mk2_project()
    path = next(each for each in card if each.endswith(".SMP"))
    missing = {each: data for each, data in card.items() if each != path}
    import_id = cards.send(user.id, missing)
    with monkeypatch.context() as patch:
        patch.setattr(quotas, "stored_bytes", lambda *_: 100 << 20)
        assert cards.finish(user.id, import_id).status == JobStatus.FAILED
    kept = len(staged_keys())
    assert kept == len(missing)  # only what is missing has to be sent
    cards.send(user.id, {path: card[path]}, import_id)
    assert cards.finish(user.id, import_id).status == JobStatus.DONE
    with pytest.raises(Conflict):
        cards.send(user.id, {path: card[path]}, import_id)


def test_a_file_is_replaced_and_another_case_of_its_name_refused(user: User) -> None:
    import_id = cards.send(user.id, {"A/PADCONF.BIN": b"1"})
    cards.send(user.id, {"A/PADCONF.BIN": b"22"}, import_id)
    with transaction() as session:
        (file,) = imports.list_files(session, user.id, import_id)
    assert (file.bytes, file.sha256) == (2, hashlib.sha256(b"22").hexdigest())
    assert len(staged_keys()) == 1
    for path in ("a/padconf.bin", "A/padconf.bin"):
        with pytest.raises(Conflict):
            cards.send(user.id, {path: b"3"}, import_id)
        with pytest.raises(Conflict), transaction() as session:
            imports.add_listing(session, user.id, import_id, [ListedFile(path, 1)])
    assert len(staged_keys()) == 1


def test_an_import_of_another_user_is_unknown(user: User, session: Session) -> None:
    import_id = cards.send(user.id, {"PADCONF.BIN": b"1"})
    stranger = uuid.uuid4()
    for owner, wanted in ((stranger, import_id), (user.id, uuid.UUID(str(UNKNOWN_ID)))):
        for act in (
            lambda o, i: imports.list_files(session, o, i),
            lambda o, i: imports.ensure_takes_file(session, o, i, "x"),
            lambda o, i: imports.add_listing(session, o, i, []),
            lambda o, i: import_plan.plan_import(session, o, i, []),
            lambda o, i: imports.lock_open_import(session, o, i),
        ):
            with pytest.raises(NotFound):
                act(owner, wanted)


def test_an_import_takes_no_files_while_it_is_read_and_finishes_once(user: User) -> None:
    import_id = new_import(user)
    with pytest.raises(Conflict), transaction() as session:
        imports.finish_import(session, user.id, import_id)
    cards.send(user.id, {"PADCONF.BIN": b"1"}, import_id)
    with transaction() as session:
        first = imports.finish_import(session, user.id, import_id)
        assert imports.finish_import(session, user.id, import_id).id == first.id
    with pytest.raises(Conflict):
        cards.send(user.id, {"x": b"1"}, import_id)


def test_files_and_bytes_are_bounded(
    user: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(imports, "MAX_FILES", 2)
    import_id = cards.send(user.id, {"a": b"1", "b": b"1"})
    with pytest.raises(TooLarge):
        cards.send(user.id, {"c": b"1"}, import_id)
    with pytest.raises(TooLarge), transaction() as session:
        imports.add_listing(session, user.id, import_id, [ListedFile("c", 1)])
    monkeypatch.setattr(imports, "MAX_STAGED_BYTES", 5)
    with pytest.raises(TooLarge, match="up to 1 kB"):
        cards.send(user.id, {"a": b"12345"})
    assert len(staged_keys()) == 2
    with pytest.raises(ValidationFailed), transaction() as session:
        imports.create_import(session, user.id, "mpc")


def test_files_of_two_imports_at_once_keep_to_the_limit_of_bytes(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_STAGED_BYTES", 10)
    both, ids = Barrier(2), [new_import(user), new_import(user)]

    def send(import_id: uuid.UUID) -> bool:
        both.wait(10)
        try:
            cards.send(user.id, {"PADCONF.BIN": b"123456"}, import_id)
        except TooLarge:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, ids)) == [False, True]
    assert len(staged_keys()) == 1


def test_a_file_is_replaced_where_there_is_no_room_for_another(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_STAGED_BYTES", 10)
    monkeypatch.setattr(imports, "MAX_FILES", 1)
    import_id = cards.send(user.id, {"PADCONF.BIN": b"1234567"})
    cards.send(user.id, {"PADCONF.BIN": b"abcdefgh"}, import_id)
    with pytest.raises(TooLarge):
        cards.send(user.id, {"OTHER.BIN": b"1"}, import_id)
    with pytest.raises(TooLarge):
        cards.send(user.id, {"PADCONF.BIN": b"12345678901"}, import_id)


def test_the_oldest_idle_import_makes_room_for_a_new_one(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_IMPORTS", 2)
    active = cards.send(user.id, {"PADCONF.BIN": b"1"})
    with transaction() as session:
        imports.finish_import(session, user.id, active)
    oldest, newest = cards.send(user.id, {"x": b"1"}), new_import(user)
    with transaction() as session:
        ids = set(session.exec(select(CardImport.id)))
    assert ids == {active, newest}
    assert oldest not in ids
    assert len(staged_keys()) == 1


def test_an_import_with_files_outlives_empty_ones(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_IMPORTS", 2)
    half_sent = cards.send(user.id, {"x": b"1"})
    new_import(user)
    newest = new_import(user)
    with transaction() as session:
        assert set(session.exec(select(CardImport.id))) == {half_sent, newest}
    assert len(staged_keys()) == 1


def test_old_imports_and_files_without_a_row_are_deleted(user: User) -> None:
    import_id = cards.send(user.id, {"x": b"1"})
    storage.save_bytes(b"lost", f"{FOLDER}/{user.id.hex}/{import_id.hex}/{uuid.uuid4().hex}")
    with transaction() as session:
        assert import_cleanup.clean_up_imports(session, now()) == 0
    with transaction() as session:
        assert import_cleanup.clean_up_imports(session, now() + dt.timedelta(hours=3)) == 1
    assert len(staged_keys()) == 1
    with transaction() as session:
        assert import_cleanup.clean_up_imports(session, now() + dt.timedelta(days=2)) == 1
    assert staged_keys() == []


def test_sounds_of_a_job_that_was_given_up_are_deleted(user: User) -> None:
    import_id = cards.send(user.id, {"x": b"1"})
    key = storage.new_key()
    storage.save_bytes(b"sound", key)
    with transaction() as session:
        job = imports.finish_import(session, user.id, import_id)
        session.get_one(CardImport, import_id).sample_keys = [key]
    with transaction() as session:
        import_cleanup.clean_up_imports(session, now())
    assert key in stored_keys()
    with transaction() as session:
        jobs.cancel_job(session, user.id, job.id)
    with transaction() as session:
        import_cleanup.clean_up_imports(session, now())
    assert key not in stored_keys()


def test_an_account_is_deleted_with_its_imports(user: User) -> None:
    import_id = cards.send(user.id, {"x": b"1"})
    key = storage.new_key()
    storage.save_bytes(b"sound", key)
    with transaction() as session:
        session.get_one(CardImport, import_id).sample_keys = [key]
    with transaction() as session:
        deletion.erase_account(session, user.id)
    assert stored_keys() == []


def test_chosen_folders_only_are_read(user: User) -> None:
    both = cards.mk2_project("A") | cards.mk2_project("B", seed=5)
    job = cards.finish(user.id, cards.send(user.id, both), ["b"])
    assert job.result
    assert len(job.result["project_ids"]) == 1
    with transaction() as session:
        assert len(session.exec(select(Sample)).all()) == 3


def test_a_card_that_shares_sounds_stores_them_once(user: User) -> None:
    both = cards.mk2_project("A") | cards.mk2_project("B")
    result = cards.take_in(user.id, both)
    assert (result["samples"], result["duplicates"], len(result["project_ids"])) == (3, 0, 2)
    again = cards.take_in(user.id, cards.mk2_project("C"))
    assert (again["samples"], again["duplicates"]) == (0, 3)


def test_samples_are_named_after_pads_in_a_folder_of_the_project(user: User) -> None:
    cards.take_in(user.id, cards.mk2_project())
    with transaction() as session:
        rows = session.exec(select(Sample).order_by(Sample.name)).all()
        queued = session.exec(select(ProcessingJob).where(ProcessingJob.kind == "analyse")).all()
    assert [(row.name, row.folder) for row in rows] == [
        ("BANK2-02", "BEATS"),
        ("Kick drum", "BEATS"),
        ("Rev", "BEATS"),
    ]
    assert {row.format for row in rows} == {"WAV 16-bit"}
    assert {job.sample_id for job in queued} == {row.id for row in rows}
    with transaction() as session:
        drawn = {row.sample_id: row.peaks for row in session.exec(select(Waveform))}
    with storage.local_copy(rows[0].storage_key) as path:
        surveyed = survey_file(path)
    assert drawn[rows[0].id] == surveyed.peaks.to_bytes()
    assert rows[0].thumbnail == surveyed.peaks.thumbnail()
    with storage.local_copy(rows[0].storage_key) as path:
        assert samples.inspect_file(path, "x").digest == rows[0].digest
        assert path.stat().st_size == rows[0].size


def test_waveforms_beyond_the_memory_for_them_are_left_to_the_analysis(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_reading, "MAX_WAVEFORM_BYTES", 1)
    cards.take_in(user.id, cards.mk2_project())
    with transaction() as session:
        assert len(session.exec(select(Waveform)).all()) == 1
        assert len(session.exec(select(Sample)).all()) == 3


def test_the_quota_error_carries_what_is_needed_and_free(
    user: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "stored_bytes", lambda *_: 99 << 20)
    with pytest.raises(QuotaExceeded) as refused:
        import_plan.ensure_room(session, user.id, 3 << 20)
    assert (refused.value.details["needed"], refused.value.details["free"]) == (3 << 20, 1 << 20)
