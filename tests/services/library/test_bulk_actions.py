"""Bulk actions: a result for each sample, and never samples of another user."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlmodel import Session

from sp404_app import db
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Sample, SampleStatus, User
from sp404_app.services.library import bulk_actions, samples, search, tags
from sp404_app.services.library.bulk_actions import Action
from tests.sounds import Keep


@contextmanager
def sql_statements() -> Iterator[list[str]]:
    """Collect the SQL statements that are executed in the block."""
    sent: list[str] = []

    def collect(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(db.engine(), "before_cursor_execute", collect)
    try:
        yield sent
    finally:
        event.remove(db.engine(), "before_cursor_execute", collect)


def test_samples_of_another_user_are_reported_as_not_found(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, theirs, unknown = keep(), keep(owner=person().id), uuid.uuid4()
    for action in Action:
        results = bulk_actions.run_bulk_action(
            session, user.id, action, [theirs, unknown], None, ["x"]
        )
        assert results == {theirs: "not_found", unknown: "not_found"}, action
    other = session.get_one(Sample, theirs)
    assert (other.tags, other.favourite, other.deleted_at) == ([], False, None)
    assert bulk_actions.run_bulk_action(session, user.id, Action.DELETE, [mine, mine], None) == {
        mine: "ok"
    }


def test_tags_are_added_removed_and_searchable(session: Session, user: User, keep: Keep) -> None:
    ids = [keep(), keep()]
    assert bulk_actions.run_bulk_action(
        session, user.id, Action.TAG, ids, None, ["Dusty", "lo-fi"]
    ) == dict.fromkeys(ids, "ok")
    assert (
        search.search_ids(session, user.id, search.SampleQuery(q="dusty", tags=("lo-fi",)))
        == ids[::-1]
    )
    bulk_actions.run_bulk_action(session, user.id, Action.UNTAG, ids[:1], None, ["DUSTY"])
    assert session.get_one(Sample, ids[0]).tags == ["lo-fi"]
    assert search.search_ids(session, user.id, search.SampleQuery(q="dusty")) == ids[1:]


def test_the_tag_limit_is_enforced_per_sample(session: Session, user: User, keep: Keep) -> None:
    sample_id = keep()
    many = [f"t{number}" for number in range(tags.MAX_TAGS)]
    assert bulk_actions.run_bulk_action(session, user.id, Action.TAG, [sample_id], None, many) == {
        sample_id: "ok"
    }
    results = bulk_actions.run_bulk_action(
        session, user.id, Action.TAG, [sample_id], None, ["one more"]
    )
    assert results == {sample_id: "too_many_tags"}


def test_a_filter_selects_the_samples(session: Session, user: User, keep: Keep) -> None:
    kick, snare = keep("Kick.wav"), keep("Snare.wav")
    query = bulk_actions.parse_filter({"q": "kick"})
    assert bulk_actions.run_bulk_action(session, user.id, Action.FAVOURITE, None, query) == {
        kick: "ok"
    }
    assert not session.get_one(Sample, snare).favourite
    bulk_actions.run_bulk_action(session, user.id, Action.UNFAVOURITE, [kick], None)
    assert not session.get_one(Sample, kick).favourite


def test_samples_are_trashed_restored_and_permanently_deleted(
    session: Session, user: User, keep: Keep
) -> None:
    ids = [keep(), keep()]
    bulk_actions.run_bulk_action(session, user.id, Action.DELETE, ids, None)
    trash = search.SampleQuery(trash=True)
    assert bulk_actions.run_bulk_action(
        session, user.id, Action.RESTORE, None, trash
    ) == dict.fromkeys(ids, "ok")
    bulk_actions.run_bulk_action(session, user.id, Action.DELETE, ids[:1], None)
    results = bulk_actions.run_bulk_action(session, user.id, Action.DELETE_FOR_GOOD, ids, None)
    assert results == {ids[0]: "ok", ids[1]: "not_found"}


def test_an_error_is_reported_only_for_its_sample(session: Session, user: User, keep: Keep) -> None:
    here, gone = keep(), keep()
    samples.delete_samples(session, user.id, [gone])
    results = bulk_actions.run_bulk_action(session, user.id, Action.ANALYSE, [here, gone], None)
    assert results == {here: "ok", gone: "conflict"}
    assert session.get_one(Sample, here).status == SampleStatus.QUEUED


@pytest.mark.parametrize(
    ("ids", "query", "action"),
    [
        (None, None, Action.DELETE),
        ([], search.SampleQuery(), Action.DELETE),
        ([], None, Action.TAG),
        ([], None, Action.UNTAG),
    ],
)
def test_a_request_without_target_or_tags_is_rejected(
    session: Session,
    user: User,
    ids: list[uuid.UUID] | None,
    query: search.SampleQuery,
    action: Action,
) -> None:
    with pytest.raises(ValidationFailed):
        bulk_actions.run_bulk_action(session, user.id, action, ids, query)


@pytest.mark.parametrize(
    "values",
    [
        {"user_id": "x"},
        {"q": 5},
        {"bpm_min": "fast"},
        {"bpm_min": float("nan")},
        {"tags": "dusty"},
        {"tags": [1]},
        {"sort": "digest"},
        {"favourite": "perhaps"},
        {"q": {"a": 1}},
    ],
)
def test_an_invalid_filter_is_rejected_with_its_field(values: dict[str, object]) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        bulk_actions.parse_filter(values)
    assert next(iter(refusal.value.details)).split(".")[0] == next(iter(values))


def test_twenty_thousand_ids_are_accepted(session: Session, user: User, keep: Keep) -> None:
    mine = keep()
    ids = [mine, *(uuid.uuid4() for _ in range(19_999))]
    for action in (Action.TAG, Action.DELETE, Action.RESTORE):
        results = bulk_actions.run_bulk_action(session, user.id, action, ids, None, ["x"])
        assert [i for i, result in results.items() if result == "ok"] == [mine]


def test_a_rating_is_set_on_the_users_samples_only(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, theirs = keep(), keep(owner=person().id)
    assert bulk_actions.rate_samples(session, user.id, [mine, theirs], 4) == 1
    session.expire_all()
    assert session.get_one(Sample, mine).rating == 4
    assert session.get_one(Sample, theirs).rating == 0
    with pytest.raises(ValidationFailed):
        bulk_actions.rate_samples(session, user.id, [mine], 6)


def favourites(session: Session, ids: list[uuid.UUID]) -> list[bool]:
    session.expire_all()
    return [session.get_one(Sample, sample_id).favourite for sample_id in ids]


def test_toggling_favourites_marks_all_unless_all_are_marked(
    session: Session, user: User, keep: Keep
) -> None:
    ids = [keep() for _ in range(3)]
    bulk_actions.toggle_favourite(session, user.id, ids[:1])
    assert favourites(session, ids) == [True, False, False]
    changed_at = session.get_one(Sample, ids[0]).updated_at
    changed, favourite = bulk_actions.toggle_favourite(session, user.id, ids)
    assert (set(changed), favourite) == (set(ids[1:]), True)
    assert favourites(session, ids) == [True, True, True]
    assert session.get_one(Sample, ids[0]).updated_at == changed_at
    bulk_actions.toggle_favourite(session, user.id, ids[1:])
    assert favourites(session, ids) == [True, False, False]


def test_toggling_favourites_of_another_user_changes_nothing(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, theirs = keep(), keep(owner=person().id)
    for ids in ([theirs], [theirs, mine], [uuid.uuid4()]):
        with pytest.raises(NotFound):
            bulk_actions.toggle_favourite(session, user.id, ids)
    bulk_actions.toggle_favourite(session, user.id, [mine, theirs])
    assert favourites(session, [mine, theirs]) == [True, False]


def test_a_favourite_mark_is_set_for_samples_of_the_user_only(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    mine, theirs = keep(), keep(owner=person().id)
    bulk_actions.set_favourite(session, user.id, [mine, theirs, uuid.uuid4()], favourite=True)
    assert favourites(session, [mine, theirs]) == [True, False]
    bulk_actions.set_favourite(session, user.id, [], favourite=False)
    assert favourites(session, [mine]) == [True]


def test_tags_of_a_selection_are_listed_once_in_natural_order(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    ids = [keep(), keep(), keep()]
    bulk_actions.run_bulk_action(session, user.id, Action.TAG, ids[:2], None, ["kit 10", "kit 2"])
    bulk_actions.run_bulk_action(session, user.id, Action.TAG, ids[1:2], None, ["Ärger"])
    counted = [("Ärger", 1), ("kit 2", 2), ("kit 10", 2)]
    assert samples.tags_of_samples(session, user.id, ids) == counted
    assert samples.tags_of_samples(session, user.id, ids[2:]) == []
    assert samples.tags_of_samples(session, user.id, []) == []
    with pytest.raises(NotFound):
        samples.tags_of_samples(session, user.id, [*ids, keep(owner=person().id)])


def test_a_large_selection_costs_no_more_statements_than_a_small_one(
    session: Session, user: User, keep: Keep
) -> None:
    ids = [keep() for _ in range(12)]
    bulk_actions.run_bulk_action(session, user.id, Action.TAG, ids, None, ["dusty"])
    session.commit()
    with sql_statements() as sent:
        assert samples.tags_of_samples(session, user.id, ids) == [("dusty", len(ids))]
    assert len(sent) == 1
    with sql_statements() as sent:
        bulk_actions.toggle_favourite(session, user.id, ids)
    assert len(sent) == 2
    assert favourites(session, ids) == [True] * 12
