"""Many sounds are added to a collection by a job: in order, in batches, and undone."""

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound
from sp404_app.models import JobStatus, ProcessingJob, User
from sp404_app.services.bulk import bulk_edits
from sp404_app.services.bulk.edits import CollectEdit
from sp404_app.services.collections import collection_rows, collection_samples, collections
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.state.bulk import bulk_progress
from tests.services.bulk.conftest import AddSounds, RunEdit, edit_id, run_job

pytestmark = pytest.mark.usefixtures("services")
RULES = {"match": "all", "terms": [{"field": "favourite", "op": "is", "value": True}]}


def make(user: User, *ids: uuid.UUID, rules: Any = None) -> uuid.UUID:
    with transaction() as session:
        return collections.create_collection(
            session, user.id, name="Deep", sample_ids=ids, rules=rules
        ).id


def members(user: User, collection_id: uuid.UUID) -> Sequence[uuid.UUID]:
    with transaction() as session:
        return collection_samples.list_sample_ids(session, user.id, collection_id)


def counts(job: ProcessingJob) -> tuple[int, int, int]:
    result = job.result or {}
    return result["changed"], result["skipped"], result["failed"]


def test_sounds_are_appended_in_the_order_of_the_list(
    user: User, sounds: AddSounds, run_edit: RunEdit
) -> None:
    ids = sounds(2300)
    wanted = [*ids[1150:], *ids[:1150]]  # not in the order of the ids, over several batches
    deep = make(user, ids[0])
    job = run_edit(CollectEdit(collection=deep), wanted)
    assert (job.status, job.progress, counts(job)) == (JobStatus.DONE, 1.0, (2299, 1, 0))
    assert members(user, deep) == [ids[0], *(each for each in wanted if each != ids[0])]
    with transaction() as session:
        (listed,) = bulk_edits.list_edits(session, user.id)
    assert (listed.title, listed.can_undo) == ("Add to “Deep”", True)


def test_undo_removes_what_was_added_and_leaves_the_rest(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: RunEdit
) -> None:
    first, second, third = sounds(3)
    deep = make(user, first)
    job = run_edit(CollectEdit(collection=deep), [first, second, third])
    with transaction() as session:
        collection_samples.remove_samples(session, user.id, deep, [second])
    undone = run_undo(job)
    assert undone.status == JobStatus.DONE
    assert members(user, deep) == [first]
    with transaction() as session, pytest.raises(Conflict, match="nothing left"):
        bulk_edits.request_undo(session, user.id, edit_id(job))


def test_undo_leaves_what_was_added_again(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: RunEdit
) -> None:
    first, second = sounds(2)
    deep = make(user)
    job = run_edit(CollectEdit(collection=deep), [first, second])
    with transaction() as session:
        collection_samples.remove_samples(session, user.id, deep, [second])
    with transaction() as session:
        collection_samples.add_samples(session, user.id, deep, [second])
    undone = run_undo(job)
    assert members(user, deep) == [second]
    assert ((undone.result or {})["restored"], (undone.result or {})["changed_since"]) == (1, 1)


def test_sounds_that_were_deleted_meanwhile_are_counted_and_the_others_added(
    user: User, sounds: AddSounds
) -> None:
    ids = sounds(3)
    deep = make(user)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, CollectEdit(collection=deep), ids)
    with transaction() as session:
        samples.move_to_trash(session, user.id, ids[:1])
    done = run_job(job.id)
    assert (done.status, counts(done)) == (JobStatus.DONE, (2, 0, 1))
    assert members(user, deep) == ids[1:]


def test_a_collection_that_is_smart_full_or_not_the_users_is_refused_before_the_job(
    user: User,
    person: Any,
    sounds: AddSounds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = sounds(3)
    monkeypatch.setattr(collection_rows, "MAX_SAMPLES", 2)
    for chosen, error in (
        (make(user, rules=RULES), Conflict),
        (make(user), Conflict),
        (make(person()), NotFound),
        (uuid.uuid4(), NotFound),
    ):
        with transaction() as session, pytest.raises(error):
            bulk_edits.request_edit(session, user.id, CollectEdit(collection=chosen), ids)
    with transaction() as session:
        assert bulk_edits.list_edits(session, user.id) == []


def test_a_collection_that_is_deleted_meanwhile_ends_the_job_with_the_reason(
    user: User, sounds: AddSounds, run_edit: RunEdit, run_undo: RunEdit
) -> None:
    ids = sounds(2)
    deep = make(user)
    done = run_edit(CollectEdit(collection=deep), ids[:1])
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, CollectEdit(collection=deep), ids[1:])
        collections.delete_collection(session, user.id, deep)
    failed = run_job(job.id)
    assert (failed.status, failed.error) == (
        JobStatus.FAILED,
        "This collection is in the trash. Restore it to change it.",
    )
    with transaction() as session:
        assert "in the trash" in bulk_edits.list_edits(session, user.id)[0].problem
    undone = run_undo(done)
    assert (undone.status, "in the trash" in bulk_progress.undo_message(undone)) == (
        JobStatus.FAILED,
        True,
    )
    with transaction() as session:
        collections.delete_collection(session, user.id, deep)  # for good, as it is in the trash
    assert run_undo(done).status == JobStatus.DONE


def test_a_cancelled_job_adds_nothing_more(user: User, sounds: AddSounds) -> None:
    ids = sounds(2)
    deep = make(user)
    with transaction() as session:
        job = bulk_edits.request_edit(session, user.id, CollectEdit(collection=deep), ids)
        jobs.cancel_job(session, user.id, job.id)
    assert run_job(job.id).status == JobStatus.CANCELLED
    assert members(user, deep) == []
