"""Manual collections: adding, removing, moving and sorting samples, alone and in parallel."""

import uuid

import pytest
from sqlmodel import Session

from sp404_app.models import User
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.library import samples
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
