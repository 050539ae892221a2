"""Manual collections: adding, removing, moving and sorting samples, alone and in parallel."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from sqlmodel import Session, select

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import Collection, CollectionSample, User
from sp404_app.services.account import deletion
from sp404_app.services.collections import collection_rows, collection_samples, collections
from sp404_app.services.library import samples
from tests.services.bulk.conftest import insert_sounds
from tests.services.collections.conftest import Add

Made = tuple[uuid.UUID, list[uuid.UUID]]


@pytest.fixture
def made(session: Session, user: User, add: Add) -> Made:
    """A committed manual collection of five samples, A to E, and their ids."""
    ids = [add(letter) for letter in "ABCDE"]
    made = collections.create_collection(session, user.id, name="Five", sample_ids=ids)
    session.commit()
    return made.id, ids


def order(session: Session, user: User, collection_id: uuid.UUID) -> str:
    """Return the names of a collection's samples, in its order."""
    ids = collection_samples.list_sample_ids(session, user.id, collection_id)
    return "".join(row.name for row in samples.list_live_samples(session, user.id, ids))


def test_samples_are_in_the_order_in_which_they_were_added(
    session: Session, user: User, made: Made, add: Add
) -> None:
    collection_id, ids = made
    late = add("F")
    added = collection_samples.add_samples(
        session, user.id, collection_id, [ids[2], late, late, ids[0]]
    )
    assert (added.added, added.already) == ([late], [ids[2], ids[0]])
    assert order(session, user, collection_id) == "ABCDEF"


@pytest.mark.parametrize(
    ("moved", "before", "expected"),
    [
        ("E", "A", "EABCD"),
        ("A", None, "BCDEA"),
        ("EA", "C", "BEACD"),
        ("BC", "B", "ABCDE"),
        ("CB", "B", "ACBDE"),
        ("ABCDE", "C", "ABCDE"),
        ("EDCBA", None, "EDCBA"),
        ("DD", "B", "ADBCE"),
        ("", "B", "ABCDE"),
    ],
)
def test_samples_move_before_another_one(
    session: Session, user: User, made: Made, moved: str, before: str | None, expected: str
) -> None:
    collection_id, ids = made
    by_name = dict(zip("ABCDE", ids, strict=True))
    target = by_name[before] if before else None
    collection_samples.move_samples(
        session, user.id, collection_id, [by_name[each] for each in moved], target
    )
    assert order(session, user, collection_id) == expected


def test_many_moves_to_one_place_keep_the_order_exact(
    session: Session, user: User, made: Made
) -> None:
    collection_id, ids = made
    expected = list(ids)
    for number in range(60):  # the gap of 2 ** 20 halves with each, so positions are rewritten
        moved = expected.pop(0 if number % 2 else 4)
        at = 2
        collection_samples.move_samples(session, user.id, collection_id, [moved], expected[at])
        expected.insert(at, moved)
        assert collection_samples.list_sample_ids(session, user.id, collection_id) == expected


def test_a_collection_of_thousands_can_be_added_to_and_reordered(
    session: Session, user: User
) -> None:
    """The positions of 2,048 samples and more exceed an `integer`."""
    ids = insert_sounds(user.id, 2060)
    made = collections.create_collection(session, user.id, name="All", sample_ids=ids[:2055])
    collection_samples.add_samples(session, user.id, made.id, ids[2055:])
    collection_samples.move_samples(session, user.id, made.id, ids[:1], None)
    collection_samples.move_samples(session, user.id, made.id, ids[1:2], ids[-1])
    order = [*ids[2:-1], ids[1], ids[-1], ids[0]]
    assert collection_samples.list_sample_ids(session, user.id, made.id) == order


def test_what_was_removed_can_be_put_back_in_its_place(
    session: Session, user: User, made: Made
) -> None:
    collection_id, ids = made
    removed = collection_samples.remove_samples(
        session, user.id, collection_id, [ids[3], ids[0], uuid.uuid4()]
    )
    assert {each.sample_id for each in removed} == {ids[3], ids[0]}
    assert order(session, user, collection_id) == "BCE"
    for expected in (2, 0):  # twice does no harm
        back = collection_samples.put_back_samples(session, user.id, collection_id, removed)
        assert len(back) == expected
        assert order(session, user, collection_id) == "ABCDE"


def test_samples_that_were_deleted_meanwhile_are_not_put_back(
    session: Session, user: User, made: Made
) -> None:
    collection_id, ids = made
    removed = collection_samples.remove_samples(session, user.id, collection_id, ids[:2])
    samples.delete_samples(session, user.id, [ids[0]])
    back = collection_samples.put_back_samples(session, user.id, collection_id, removed)
    assert back == [ids[1]]
    assert order(session, user, collection_id) == "BCDE"


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("name", "ABCD"),
        ("-name", "DCBA"),
        ("tempo", "CADB"),
        ("-tempo", "DACB"),
        ("key", "BADC"),
        ("length", "DABC"),
        ("class", "CABD"),
        ("added", "DCBA"),
        ("-added", "ABCD"),
    ],
)
def test_a_sorted_collection_has_missing_values_last(
    session: Session, user: User, add: Add, by: str, expected: str
) -> None:
    ids = [
        add("A", bpm=90.0, key="C major", duration=2.0, sound_class="snare"),
        add("B", key="A minor", duration=3.0),
        add("C", bpm=80.0, sound_class="kick"),
        add("D", bpm=95.0, key="D minor", duration=1.0),
    ]
    made = collections.create_collection(session, user.id, name="Set")
    for sample_id in reversed(ids):
        collection_samples.add_samples(session, user.id, made.id, [sample_id])
    collection_samples.sort_collection(session, user.id, made.id, by)
    assert order(session, user, made.id) == expected


@pytest.mark.parametrize("by", ["", "size", None, [], "--name", "position"])
def test_an_unknown_order_is_refused(session: Session, user: User, made: Made, by: object) -> None:
    with pytest.raises(ValidationFailed):
        collection_samples.sort_collection(session, user.id, made[0], by)


def test_a_collection_takes_only_so_many_samples(
    session: Session, user: User, made: Made, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_rows, "MAX_SAMPLES", 6)
    collection_id, ids = made
    late = [add("F"), add("G")]
    for attempt in (late, [*ids, *late]):
        with pytest.raises(Conflict, match="up to 6"):
            collection_samples.add_samples(session, user.id, collection_id, attempt)
    assert order(session, user, collection_id) == "ABCDE"
    collection_samples.add_samples(session, user.id, collection_id, late[:1])
    assert order(session, user, collection_id) == "ABCDEF"


def test_nothing_is_added_if_one_sample_is_unknown_or_trashed(
    session: Session, user: User, made: Made, add: Add, person: Callable[..., User]
) -> None:
    collection_id, _ = made
    good, thrown = add("F"), add("T")
    samples.delete_samples(session, user.id, [thrown])
    for bad in (uuid.uuid4(), thrown, add("X", owner=person().id)):
        with pytest.raises(NotFound):
            collection_samples.add_samples(session, user.id, collection_id, [good, bad])
    assert order(session, user, collection_id) == "ABCDE"


def test_a_smart_or_trashed_collection_takes_no_samples(
    session: Session, user: User, made: Made, add: Add
) -> None:
    rules = {"match": "all", "terms": [{"field": "favourite", "op": "is", "value": True}]}
    smart = collections.create_collection(session, user.id, name="Smart", rules=rules)
    collections.delete_collection(session, user.id, made[0])
    late = add("F")
    for collection_id in (smart.id, made[0]):
        with pytest.raises(Conflict):
            collection_samples.add_samples(session, user.id, collection_id, [late])
        with pytest.raises(Conflict):
            collection_samples.move_samples(session, user.id, collection_id, [late], None)
        with pytest.raises(Conflict):
            collection_samples.sort_collection(session, user.id, collection_id, "name")


def test_a_sample_can_be_in_several_collections(session: Session, user: User, made: Made) -> None:
    collection_id, ids = made
    second = collections.create_collection(session, user.id, name="Two", sample_ids=ids[3:])
    counts = collection_samples.count_memberships(session, user.id, ids[2:])
    assert counts == {collection_id: 3, second.id: 2}


def test_no_change_made_at_the_same_time_is_lost(
    user: User, session: Session, made: Made, add: Add
) -> None:
    collection_id, ids = made
    late = [add(f"Late {number}") for number in range(12)]
    session.commit()

    def change(number: int) -> None:
        with transaction() as own:
            collection_samples.add_samples(own, user.id, collection_id, [late[number]])
        with transaction() as own:
            # Always one place before the first of the five.
            collection_samples.move_samples(own, user.id, collection_id, [late[number]], ids[0])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(12)))
    found = collection_samples.list_sample_ids(session, user.id, collection_id)
    assert sorted(found[:12]) == sorted(late)
    assert found[12:] == ids


def test_changes_and_permanent_deletions_at_the_same_time_do_not_deadlock(
    user: User, session: Session, add: Add
) -> None:
    ids = [add(f"Hit {number}") for number in range(120)]
    made = [
        collections.create_collection(session, user.id, name=f"Set {number}", sample_ids=ids)
        for number in range(2)
    ]
    session.commit()
    thrown = ids[::2]
    with transaction() as own:
        samples.delete_samples(own, user.id, thrown)

    def shuffle(number: int) -> None:
        for turn in range(8):
            with transaction() as own:
                by = ("name", "-name", "-added")[turn % 3]
                collection_samples.sort_collection(own, user.id, made[number].id, by)

    def purge() -> None:
        for at in range(0, len(thrown), 6):
            with transaction() as own:
                samples.delete_for_good(own, user.id, thrown[at : at + 6])

    def remove() -> None:
        for sample_id in reversed(ids[1::2][:20]):
            with transaction() as own:
                collection_samples.remove_samples(own, user.id, made[0].id, [sample_id])

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(shuffle, 0), pool.submit(shuffle, 1), pool.submit(purge)]
        for each in (*work, pool.submit(remove)):
            each.result(60)
    assert len(session.exec(select(CollectionSample.sample_id)).all()) == 40 + 60


def test_an_account_deletion_and_changes_at_the_same_time_do_not_deadlock(
    user: User, session: Session, add: Add
) -> None:
    ids = [add(f"Hit {number}") for number in range(60)]
    made = collections.create_collection(session, user.id, name="Set", sample_ids=ids[:30])
    session.commit()
    start = Barrier(3)

    def change() -> None:
        start.wait(10)
        for sample_id in ids[30:]:
            with suppress(NotFound), transaction() as own:
                collection_samples.add_samples(own, user.id, made.id, [sample_id])
                collection_samples.move_samples(own, user.id, made.id, [sample_id], ids[0])

    def end() -> None:
        start.wait(10)
        with transaction() as own:
            deletion.erase_account(own, user.id)

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(change), pool.submit(change), pool.submit(end)]:
            each.result(60)
    with transaction() as own:
        assert own.exec(select(Collection)).all() == []
        assert own.exec(select(CollectionSample)).all() == []
