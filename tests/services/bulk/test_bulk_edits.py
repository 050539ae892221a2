"""Bulk edits by a job: what they change, refuse and undo."""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlmodel import select, text, update

from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, TooLarge, ValidationFailed
from sp404_app.models import BulkEdit, BulkEditItem, JobStatus, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.billing import quotas
from sp404_app.services.bulk import batches, bulk_edits
from sp404_app.services.bulk.edits import (
    CleanEdit,
    RenameEdit,
    ReplaceEdit,
    RestoreEdit,
    SetEdit,
    TrashEdit,
    parse_edit,
)
from sp404_app.services.library import samples
from sp404_app.services.library.sample_update import Change
from sp404_app.services.processing import jobs
from sp404_app.services.sample import analysis_results
from sp404_app.state.bulk.bulk_progress import edit_message
from tests.services.bulk.conftest import (
    AddSounds,
    RunEdit,
    dump_samples,
    edit_id,
    insert_sounds,
    load,
    run_job,
)

pytestmark = pytest.mark.usefixtures("services")
RENAME = RenameEdit(template="{name} {bpm} {n:03}")


def result(job: ProcessingJob) -> dict[str, int]:
    assert job.status == JobStatus.DONE, job.error
    return {k: v for k, v in (job.result or {}).items() if k in {"changed", "skipped", "failed"}}


def names(ids: list[uuid.UUID]) -> list[str]:
    return [sample.name for sample in load(ids)]


def test_a_template_names_sounds_in_the_order_of_the_list(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = sounds(3, bpm=92.5)[::-1]
    assert result(run_edit(RENAME, ids)) == {"changed": 3, "skipped": 0, "failed": 0}
    assert names(ids) == ["Kick 3 92.5 001", "Kick 2 92.5 002", "Kick 1 92.5 003"]


def test_renamed_sounds_are_found_and_sorted_by_the_new_name(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = sounds(2, tags=["dusty"], note="tape", key="F# minor")
    run_edit(ReplaceEdit(find="Kick", replacement="Snare"), ids)
    for sample in load(ids):
        expected = Sample.model_validate(sample.model_dump())
        samples.update_search_fields(expected)
        assert (sample.search_text, sample.sort_key) == (expected.search_text, expected.sort_key)
        assert "snare" in sample.search_text


def test_a_name_that_would_be_empty_is_refused_and_the_others_are_changed(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = [*sounds(1), *sounds(1, bpm=120.0)]
    job = run_edit(RenameEdit(template="{bpm}"), ids)
    assert result(job) == {"changed": 1, "skipped": 0, "failed": 1}
    assert names(ids) == ["Kick 1", "120"]
    with transaction() as session:
        (row,) = bulk_edits.list_edits(session, user.id)
    assert row.problem == "“Kick 1”: The new name would be empty."


def test_values_that_are_set_are_the_users(sounds: AddSounds, run_edit: RunEdit) -> None:
    ids = sounds(2)
    edit = SetEdit(bpm=93.0, key="A minor", kind="loop", sound_class="kick", rating=4, note="Hi")
    assert result(run_edit(edit, ids))["changed"] == 2
    for sample in load(ids):
        assert (sample.bpm, sample.bpm_source) == (93.0, "user")
        assert (sample.key, sample.key_source) == ("A minor", "user")
        assert (sample.kind, sample.kind_source) == ("loop", "user")
        assert (sample.sound_class, sample.sound_class_source) == ("kick", "user")
        assert (sample.rating, sample.note, sample.favourite) == (4, "Hi", False)
    assert result(run_edit(edit, ids)) == {"changed": 0, "skipped": 2, "failed": 0}


def test_empty_values_clear_tempo_and_key(sounds: AddSounds, run_edit: RunEdit) -> None:
    ids = sounds(1, bpm=93.0, key="A minor")
    run_edit(SetEdit(bpm=0.0, key="", sound_class=""), ids)
    (sample,) = load(ids)
    assert (sample.bpm, sample.key, sample.sound_class) == (None, None, None)
    assert (sample.bpm_source, sample.key_source) == ("user", "user")


def test_a_tempo_is_doubled_unless_it_is_unknown_or_becomes_impossible(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = [*sounds(1, bpm=92.55), *sounds(1), *sounds(1, bpm=600.0)]
    assert result(run_edit(SetEdit(bpm_factor=2.0), ids)) == {
        "changed": 1,
        "skipped": 0,
        "failed": 2,
    }
    assert [sample.bpm for sample in load(ids)] == [185.1, None, 600.0]


def test_a_sound_without_a_tempo_to_double_gets_the_other_values(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = [*sounds(1), *sounds(1, bpm=90.0)]
    edit = SetEdit(bpm_factor=2.0, rating=4, add_tags=("drums",))
    assert result(run_edit(edit, ids)) == {"changed": 2, "skipped": 0, "failed": 0}
    assert [(each.bpm, each.rating, each.tags) for each in load(ids)] == [
        (None, 4, ["drums"]),
        (180.0, 4, ["drums"]),
    ]


def test_tags_are_added_in_their_stored_spelling_and_removed_whatever_the_case(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = [*sounds(1, tags=["Dusty", "old"]), *sounds(1)]
    run_edit(SetEdit(add_tags=("Vinyl",)), ids)
    run_edit(SetEdit(add_tags=("vinyl", "808"), remove_tags=("OLD",)), ids)
    assert [sample.tags for sample in load(ids)] == [["808", "Dusty", "Vinyl"], ["808", "Vinyl"]]


def test_a_tag_is_added_while_another_request_adds_it_to_the_same_sound(
    user: User, sounds: AddSounds
) -> None:
    ids = sounds(1)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, SetEdit(add_tags=("dusty",)), ids)
    with ThreadPoolExecutor() as pool:
        with transaction() as session:
            samples.get_sample(session, user.id, ids[0], lock=True)
            edited = pool.submit(run_job, job.id)
            wait_for_lock()
            samples.change_sample(session, user.id, ids[0], Change(tags=["dusty", "loud"]))
        assert result(edited.result()) == {"changed": 0, "skipped": 1, "failed": 0}
    assert [sample.tags for sample in load(ids)] == [["dusty", "loud"]]


def wait_for_lock() -> None:
    """Wait until a transaction of another connection waits for a lock."""
    waiting = text(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and wait_event_type = 'Lock'"
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with transaction() as session:
            if session.scalar(waiting):
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits for a lock")


def test_a_sound_with_too_many_tags_is_refused(sounds: AddSounds, run_edit: RunEdit) -> None:
    full = [f"tag {number}" for number in range(30)]
    ids = [*sounds(1, tags=full), *sounds(1)]
    assert result(run_edit(SetEdit(add_tags=("one more",)), ids))["failed"] == 1
    assert [len(sample.tags) for sample in load(ids)] == [30, 1]


def test_an_edit_is_undone_to_the_last_byte(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: Callable[..., ProcessingJob]
) -> None:
    ids = sounds(5, tags=["Dusty"], bpm=90.1234567, key="C minor", note="a \U0001f600 \\ \" '")
    before = dump_samples(user.id)
    first = run_edit(SetEdit(bpm_factor=2.0, add_tags=("new",), key="D minor", rating=5), ids)
    second = run_edit(RENAME, ids)
    assert dump_samples(user.id) != before
    for edited in (second, first):
        undone = run_undo(edited)
        assert (undone.result or {})["restored"] == 5
    assert dump_samples(user.id) == before


def test_undo_leaves_what_was_changed_since_and_says_how_many(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: Callable[..., ProcessingJob]
) -> None:
    ids = sounds(3, bpm=90.0)
    job = run_edit(SetEdit(bpm=100.0, rating=3), ids)
    with transaction() as session:
        samples.change_sample(session, user.id, ids[0], Change(bpm=101.0))
    undone = run_undo(job)
    assert {k: v for k, v in (undone.result or {}).items() if isinstance(v, int)} == {
        "is_undo": True,
        "total": 3,
        "restored": 2,
        "changed_since": 1,
        "failed": 0,
    }
    assert [(sample.bpm, sample.rating) for sample in load(ids)] == [
        (101.0, 0),
        (90.0, 0),
        (90.0, 0),
    ]


@pytest.mark.parametrize("before", [90.0, 100.0])
def test_undo_leaves_a_tempo_that_a_person_has_changed_since_as_the_persons(
    user: User,
    sounds: AddSounds,
    run_edit: RunEdit,
    run_undo: Callable[..., ProcessingJob],
    before: float,
) -> None:
    ids = sounds(1, bpm=before, bpm_source="analysis")
    job = run_edit(SetEdit(bpm=100.0), ids)
    with transaction() as session:
        samples.change_sample(session, user.id, ids[0], Change(bpm=101.0))
    assert (run_undo(job).result or {})["changed_since"] == 1
    assert [(sample.bpm, sample.bpm_source) for sample in load(ids)] == [(101.0, "user")]


def test_two_edits_of_a_tempo_undo_value_and_source_together_in_either_order(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: Callable[..., ProcessingJob]
) -> None:
    ids = sounds(1, bpm=90.0, bpm_source="analysis")
    before = dump_samples(user.id)
    first, second = (run_edit(SetEdit(bpm_factor=2.0), ids) for _ in range(2))
    run_undo(first)
    assert [(sample.bpm, sample.bpm_source) for sample in load(ids)] == [(360.0, "user")]
    run_undo(second)
    run_undo(first)
    assert dump_samples(user.id) == before
    first, second = (run_edit(SetEdit(bpm_factor=2.0), ids) for _ in range(2))
    run_undo(second)
    run_undo(first)
    assert dump_samples(user.id) == before


def test_two_edits_of_the_same_sounds_undo_what_is_still_their_own(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: Callable[..., ProcessingJob]
) -> None:
    ids = sounds(2)
    before = dump_samples(user.id)
    first = run_edit(ReplaceEdit(find="Kick", replacement="Snare"), ids)
    second = run_edit(ReplaceEdit(find="Snare", replacement="Hat"), ids[:1])
    assert (run_undo(first).result or {})["changed_since"] == 1
    assert names(ids) == ["Hat 1", "Kick 2"]
    assert (run_undo(second).result or {})["restored"] == 1
    assert names(ids) == ["Snare 1", "Kick 2"]
    assert (run_undo(first).result or {})["restored"] == 1  # now it is its own again
    assert dump_samples(user.id) == before
    with pytest.raises(Conflict, match="nothing left"):
        run_undo(first)


def test_a_deletion_and_a_restoration_are_undone_with_their_times(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: Callable[..., ProcessingJob]
) -> None:
    ids = sounds(4)
    at = now()
    with transaction() as session:
        session.exec(update(Sample).where(Sample.id == ids[0]).values(deleted_at=at))
    before = dump_samples(user.id)
    trashed = run_edit(TrashEdit(), ids)
    assert result(trashed) == {"changed": 3, "skipped": 1, "failed": 0}
    assert all(sample.deleted_at for sample in load(ids))
    run_undo(trashed)
    assert dump_samples(user.id) == before
    restored = run_edit(RestoreEdit(), ids)
    assert result(restored) == {"changed": 1, "skipped": 3, "failed": 0}
    run_undo(restored)
    assert dump_samples(user.id) == before


def test_a_deletion_says_how_many_older_sounds_it_deleted_for_good(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    with transaction() as session:
        limit = quotas.get_plan(session, user.id).storage_bytes or 0
    sounds(2, size=limit // 2, deleted_at=now())
    done = run_edit(TrashEdit(), sounds(3, size=limit // 4))
    assert (done.result or {})["purged"] == 2
    assert "2 older sounds in it were permanently deleted" in edit_message(done)
    assert "purged" not in (run_edit(TrashEdit(), sounds(1)).result or {})


def test_an_undone_restoration_deletes_nothing_for_good(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: RunEdit
) -> None:
    with transaction() as session:
        limit = quotas.get_plan(session, user.id).storage_bytes or 0
    ids = sounds(1100, size=limit // 1200, deleted_at=now())  # more than one batch
    restored = run_edit(RestoreEdit(), ids)
    sounds(500, size=limit // 1000, deleted_at=now())
    assert (run_undo(restored).result or {})["restored"] == 1100
    assert len(dump_samples(user.id)) == 1600


def test_a_sound_whose_audio_was_added_again_is_not_restored(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = [*sounds(1, digest="a" * 64, deleted_at=now()), *sounds(1, digest="a" * 64)]
    assert result(run_edit(RestoreEdit(), ids[:1])) == {"changed": 0, "skipped": 0, "failed": 1}


def test_clean_names_are_the_suggestions(sounds: AddSounds, run_edit: RunEdit) -> None:
    ids = sounds(1, name="KSHMR_Kick_04_(128)_Cm-FINAL2") + sounds(1)
    assert result(run_edit(CleanEdit(), ids)) == {"changed": 1, "skipped": 1, "failed": 0}
    assert names(ids) == ["KSHMR Kick 04", "Kick 1"]


def test_sounds_that_are_deleted_before_the_job_runs_count_as_failed(
    user: User, sounds: AddSounds
) -> None:
    ids = sounds(2)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, RENAME, ids)
        session.delete(session.get_one(Sample, ids[0]))
    assert result(run_job(job.id)) == {"changed": 1, "skipped": 0, "failed": 1}


def test_a_cancelled_edit_stops_between_batches_and_is_undone(
    user: User,
    sounds: AddSounds,
    run_undo: Callable[..., ProcessingJob],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "BATCH_SOUNDS", 2)
    ids = sounds(6)
    before = dump_samples(user.id)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, RENAME, ids)
    original, seen = batches.run_next_batch, []

    def cancel_after_the_first(*arguments: object) -> bool:
        if seen:
            with transaction() as session:
                jobs.cancel_job(session, user.id, job.id)
        seen.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(batches, "run_next_batch", cancel_after_the_first)
    cancelled = run_job(job.id)
    assert (cancelled.status, len(seen)) == (JobStatus.CANCELLED, 2)
    assert sum(sample.name != f"Kick {n}" for n, sample in enumerate(load(ids), 1)) == 2
    run_undo(cancelled)
    assert dump_samples(user.id) == before


def test_undo_in_batches_continues_where_it_was(
    user: User,
    sounds: AddSounds,
    run_edit: RunEdit,
    run_undo: Callable[..., ProcessingJob],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sp404_app.services.bulk.undo.BATCH_SOUNDS", 2)
    ids = sounds(5)
    before = dump_samples(user.id)
    assert (run_undo(run_edit(RENAME, ids)).result or {})["restored"] == 5
    assert dump_samples(user.id) == before
    with transaction() as session:
        assert session.exec(select(BulkEditItem)).all() == []


def test_undo_is_asked_for_once(user: User, sounds: AddSounds, run_edit: RunEdit) -> None:
    job = run_edit(RENAME, sounds(1))
    with transaction() as session:
        first = bulk_edits.request_undo(session, user.id, edit_id(job))
    with transaction() as session:
        assert bulk_edits.request_undo(session, user.id, edit_id(job)).id == first.id


def test_an_edit_that_is_undone_before_it_begins_is_cancelled(
    user: User, sounds: AddSounds
) -> None:
    ids = sounds(1)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, RENAME, ids)
    with transaction() as session:
        undone = bulk_edits.request_undo(session, user.id, edit_id(job))
        assert (undone.id, undone.status) == (job.id, JobStatus.CANCELLED)
    assert run_job(job.id).status == JobStatus.CANCELLED
    assert names(ids) == ["Kick 1"]
    with transaction() as session, pytest.raises(Conflict, match="nothing left"):
        bulk_edits.request_undo(session, user.id, edit_id(job))


def test_other_peoples_sounds_and_edits_are_not_found(
    user: User, person: Callable[..., User], sounds: AddSounds, run_edit: RunEdit
) -> None:
    other = person()
    foreign = insert_sounds(other.id, 1)
    with transaction() as session, pytest.raises(NotFound):
        bulk_edits.request_edit(session, user.id, RENAME, [*sounds(1), *foreign])
    job = run_edit(RENAME, sounds(1))
    with transaction() as session, pytest.raises(NotFound):
        bulk_edits.request_undo(session, other.id, edit_id(job))
    with transaction() as session:
        assert bulk_edits.list_edits(session, other.id) == []
    assert names(foreign) == ["Kick 1"]


def test_no_sounds_too_many_sounds_and_too_many_edits_are_refused(
    user: User, sounds: AddSounds
) -> None:
    with transaction() as session, pytest.raises(ValidationFailed):
        bulk_edits.request_edit(session, user.id, RENAME, [])
    many = [uuid.UUID(int=number) for number in range(bulk_edits.MAX_SOUNDS + 1)]
    with transaction() as session, pytest.raises(TooLarge):
        bulk_edits.request_edit(session, user.id, RENAME, many)
    ids = sounds(1)
    for _ in range(bulk_edits.MAX_ACTIVE_EDITS):
        with transaction() as session:
            bulk_edits.request_edit(session, user.id, RENAME, ids)
    with transaction() as session, pytest.raises(Conflict):
        bulk_edits.request_edit(session, user.id, RENAME, ids)


def test_old_edits_are_deleted_unless_they_are_active(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    run_edit(RENAME, sounds(1))
    with transaction() as session:
        active = bulk_edits.request_edit(session, user.id, RENAME, sounds(1))
    with transaction() as session:
        assert bulk_edits.purge_old_edits(session, now()) == 0
        assert bulk_edits.purge_old_edits(session, now() + bulk_edits.KEPT_FOR * 2) == 1
        assert session.exec(select(BulkEdit.job_id)).all() == [active.id]


def test_an_edit_of_an_earlier_version_is_still_listed(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    run_edit(RENAME, sounds(1))
    with transaction() as session:
        session.exec(update(BulkEdit).values(parameters={"action": "rename", "gone": 1}))
    with transaction() as session:
        (row,) = bulk_edits.list_edits(session, user.id)
    assert (row.title, row.can_undo) == ("Rename", True)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"action": "explode"},
        {"action": "rename"},
        {"action": "rename", "template": "{unknown}"},
        {"action": "rename", "template": "x" * 10_000},
        {"action": "rename", "template": 5},
        {"action": "rename", "template": "{name}", "more": 1},
        {"action": "replace", "find": ""},
        {"action": "edit"},
        {"action": "edit", "bpm": 5},
        {"action": "edit", "bpm": float("nan")},
        {"action": "edit", "bpm": 100, "bpm_factor": 2},
        {"action": "edit", "bpm_factor": 3},
        {"action": "edit", "key": "H minor"},
        {"action": "edit", "kind": "beat"},
        {"action": "edit", "sound_class": "noise floor"},
        {"action": "edit", "rating": 6},
        {"action": "edit", "note": "x" * 4001},
        {"action": "edit", "add_tags": ["x" * 61]},
        {"action": "edit", "add_tags": ["x"] * 31},
        {"action": "normalise", "to": "rms"},
        {"action": "normalise", "value": 3},
        {"action": "normalise", "value": float("nan")},
    ],
)
def test_an_edit_that_is_not_valid_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed):
        parse_edit(values)


def test_an_analysis_keeps_the_class_that_a_user_has_set(
    sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = sounds(1)
    run_edit(SetEdit(sound_class="snare"), ids)
    (sample,) = load(ids)
    found: Any = SimpleNamespace(
        bpm=None, bpm_confidence=None, bpm_source="analysis", key=None, key_confidence=None,
        key_source="analysis", kind="one_shot", sound_class="kick", root_note=36,
        brightness=200.0, noisiness=0.01, attack=0.001, decay=0.1,
        likeness=np.zeros(DIMENSIONS, np.float32),
    )  # fmt: skip
    analysis_results._apply_to_sample(sample, found)
    assert (sample.sound_class, sample.root_note) == ("snare", 36)
