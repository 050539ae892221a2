"""Collections: limits, values, the trash, copies and events."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from sp404_app.db import transaction
from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import Collection, User
from sp404_app.models.columns import now
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Event, Topic
from tests.services.collections.conftest import Add

BEST = {"match": "all", "terms": [{"field": "favourite", "op": "is", "value": True}]}


def names(session: Session, user: User, **options: Any) -> list[str]:
    return [each.name for each in collections.list_collections(session, user.id, **options)]


def test_collections_are_found_by_the_words_of_their_names(
    session: Session, user: User, person: Callable[..., User]
) -> None:
    for name in ("Dusty Drums", "Drum breaks 100%", "Keys"):
        collections.create_collection(session, user.id, name=name)
    collections.create_collection(session, person().id, name="Drums of others")
    assert names(session, user, text="drum") == ["Drum breaks 100%", "Dusty Drums"]
    assert names(session, user, text=" DRUM dust ") == ["Dusty Drums"]
    assert names(session, user, text="100%") == ["Drum breaks 100%"]
    assert names(session, user, text="_") == []
    assert names(session, user, text="\x00 keys") == ["Keys"]
    assert len(names(session, user, text="")) == 3
    assert collections.count_collections(session, user.id, text="drum") == 2


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": 1}, "name"),
        ({"name": None}, "name"),
        ({"name": "x", "note": "x" * 4001}, "note"),
        ({"name": "x", "note": []}, "note"),
        ({"name": "x", "colour": "red"}, "colour"),
        ({"name": "x", "colour": {}}, "colour"),
        ({"name": "x", "colour": "#FF6B3D\n"}, "colour"),
        ({"name": "x", "rules": "all"}, "rules"),
        ({"name": "x", "rules": BEST, "sample_ids": [uuid.UUID(int=1)]}, "sample_ids"),
    ],
    ids=str,
)
def test_an_invalid_value_is_refused_with_its_field(
    session: Session, user: User, fields: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        collections.create_collection(session, user.id, **fields)
    assert list(refusal.value.details) == [place]


def test_names_are_one_line_and_never_empty(session: Session, user: User) -> None:
    for given in ("", "\x00\u202e", " \n"):
        made = collections.create_collection(session, user.id, name=given)
        assert made.name == "Untitled collection"
    made = collections.create_collection(session, user.id, name="x" * 300)
    assert made.name == "x" * 200
    copy = collections.duplicate_collection(session, user.id, made.id)
    assert copy.name == "x" * 190 + " copy"


def test_the_number_of_collections_is_limited_also_in_parallel(
    user: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "MAX_COLLECTIONS", 3)

    def create(number: int) -> bool:
        try:
            with transaction() as own:
                collections.create_collection(own, user.id, name=str(number))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(create, range(6))) == 3
    first = session.exec(select(Collection.id)).all()[0]
    for refused in (
        lambda: collections.duplicate_collection(session, user.id, first),
        lambda: collections.merge_collections(session, user.id, [first], "x"),
    ):
        with pytest.raises(Conflict, match="up to 3"):
            refused()
    collections.delete_collection(session, user.id, first)
    collections.create_collection(session, user.id, name="New")
    with pytest.raises(Conflict, match="up to 3"):
        collections.restore_collection(session, user.id, first)


def test_the_trash_keeps_the_newest_collections_for_30_days(
    session: Session, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "MAX_TRASHED_COLLECTIONS", 2)
    made = [collections.create_collection(session, user.id, name=name) for name in "ABC"]
    for each in made:
        collections.delete_collection(session, user.id, each.id)
        session.flush()
    assert names(session, user) == []
    assert names(session, user, trash=True) == ["C", "B"]
    old = update(Collection).where(col(Collection.name) == "B")
    session.exec(old.values(deleted_at=now() - dt.timedelta(days=31)))
    session.commit()
    assert collections.purge_old_collections(session, now()) == 1
    assert names(session, user, trash=True) == ["C"]
    collections.restore_collection(session, user.id, made[2].id)
    assert names(session, user) == ["C"]


def test_rows_of_another_user_are_unknown(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    other = person().id
    made = collections.create_collection(session, other, name="Theirs")
    mine = collections.create_collection(session, user.id, name="Mine")
    for call in (
        lambda: collections.get_summary(session, user.id, made.id),
        lambda: collections.update_collection(session, user.id, made.id, name="x"),
        lambda: collections.duplicate_collection(session, user.id, made.id),
        lambda: collections.merge_collections(session, user.id, [mine.id, made.id], "x"),
        lambda: collections.delete_collection(session, user.id, made.id),
        lambda: collections.restore_collection(session, user.id, made.id),
        lambda: collection_samples.add_samples(session, user.id, made.id, [add()]),
        lambda: collection_samples.remove_samples(session, user.id, made.id, []),
        lambda: collection_samples.put_back_samples(session, user.id, made.id, []),
        lambda: collection_samples.move_samples(session, user.id, made.id, [], None),
        lambda: collection_samples.sort_collection(session, user.id, made.id, "name"),
        lambda: collection_samples.list_sample_ids(session, user.id, made.id),
    ):
        with pytest.raises(NotFound):
            call()
    assert names(session, user) == ["Mine"]


def test_a_copy_has_the_samples_in_their_order(session: Session, user: User, add: Add) -> None:
    ids = [add(name) for name in "ABC"][::-1]
    made = collections.create_collection(session, user.id, name="Set", sample_ids=ids)
    copy = collections.duplicate_collection(session, user.id, made.id)
    assert collection_samples.list_sample_ids(session, user.id, copy.id) == ids
    assert collection_samples.list_sample_ids(session, user.id, copy.id, 2) == ids[:2]


def test_each_change_is_published_with_its_revision_after_the_commit(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    monkeypatch.setattr(events, "publish", lambda _, *changes: heard.extend(changes))
    with transaction() as session:
        made = collections.create_collection(session, user.id, name="Set")
        assert heard == []
    with transaction() as session:
        collections.update_collection(session, user.id, made.id, note="by hand")
    assert heard == [
        Event(Topic.COLLECTION, str(made.id), 1),
        Event(Topic.COLLECTION, str(made.id), 2),
    ]
