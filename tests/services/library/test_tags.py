"""Tags are written one way per person, and counted."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import pytest
from sqlmodel import Session, func, select

from sp404_app.db import transaction
from sp404_app.models import Sample, Tag, User
from sp404_app.services.library import samples, tags
from sp404_app.services.library.samples import Change
from tests.sounds import Keep


def test_a_tag_stays_as_it_was_first_written(session: Session, user: User) -> None:
    assert tags.get_or_create_tags(session, user.id, ["Dusty", "lo-fi"]) == ["Dusty", "lo-fi"]
    assert tags.get_or_create_tags(session, user.id, ["DUSTY", "Lo-Fi", "new"]) == [
        "Dusty",
        "lo-fi",
        "new",
    ]
    assert session.exec(select(func.count()).select_from(Tag)).one() == 3


def test_two_people_write_the_same_tag_each_in_their_way(
    session: Session, user: User, person: Callable[..., User]
) -> None:
    tags.get_or_create_tags(session, user.id, ["Dusty"])
    assert tags.get_or_create_tags(session, person().id, ["DUSTY"]) == ["DUSTY"]


@pytest.mark.parametrize(
    "name", ["Ärger", "İstanbul", "ΣΊΣΥΦΟΣ", "straße", "ǅ", "ﬀ", "太鼓", "🥁", "a%_'\\"]
)
def test_no_tag_is_lost_whatever_its_letters(session: Session, user: User, name: str) -> None:
    assert tags.get_or_create_tags(session, user.id, [name]) == [name]
    assert tags.get_or_create_tags(session, user.id, [name]) == [name]


def test_odd_tags_are_cleaned_bounded_and_dropped_when_empty(session: Session, user: User) -> None:
    given = ["", " ", "\x00", "a,b", "x" * 500, "two\nlines", "half\ud800"]
    found = tags.get_or_create_tags(session, user.id, given)
    assert found == ["a b", "half", "two lines", "x" * tags.MAX_TAG_LENGTH]
    assert (
        len(tags.get_or_create_tags(session, user.id, [f"t{i}" for i in range(99)]))
        == tags.MAX_TAGS
    )
    assert tags.get_or_create_tags(session, user.id, []) == []


def test_the_same_tags_in_every_order_at_once_never_lock_up(user: User) -> None:
    def make(order: tuple[str, ...]) -> list[str]:
        with transaction() as session:
            return tags.get_or_create_tags(session, user.id, order)

    for attempt in range(3):
        orders = list(permutations([f"{attempt}{letter}" for letter in "abc"]))
        with ThreadPoolExecutor(6) as pool:
            results = list(pool.map(make, orders))
        assert all(result == sorted(orders[0]) for result in results)


def test_tags_in_use_are_counted_the_most_used_first(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    def tagged(*names: str, owner: uuid.UUID | None = None) -> uuid.UUID:
        sample_id = keep(owner=owner)
        samples.change(session, owner or user.id, sample_id, Change(tags=names))
        return sample_id

    tagged("dusty", "drums")
    tagged("drums")
    samples.throw_away(session, user.id, [tagged("dusty", "gone")])
    tagged("dusty", owner=person().id)
    found = [(tag.name, tag.samples) for tag in tags.count_tags(session, user.id)]
    assert found == [("drums", 2), ("dusty", 1)]


def test_folders_become_tags() -> None:
    assert tags.folder_tags("Drums/Dusty Kit") == ["Drums", "Dusty Kit"]
    assert tags.folder_tags("") == []
    assert tags.folder_tags("/a//../b,c/") == ["b c"]
    assert tags.folder_tags("A:\\Samples\\Drums") == ["Samples", "Drums"]
    deep = tags.folder_tags("/".join(map(str, range(200))))
    assert (len(deep), deep[-1]) == (tags.MAX_TAGS, "199")


def test_a_sample_without_tags_has_none(session: Session, user: User, keep: Keep) -> None:
    sample_id = keep()
    samples.change(session, user.id, sample_id, Change(tags=["a"]))
    samples.change(session, user.id, sample_id, Change(tags=[]))
    assert session.get_one(Sample, sample_id).tags == []


def test_tags_that_are_used_as_often_stand_in_natural_order(
    session: Session, user: User, keep: Keep
) -> None:
    sample_id = keep()
    sample = samples.change(
        session, user.id, sample_id, Change(tags=["kit 10", "kit 2", "Ärger", "b"])
    )
    assert sample.tags == ["Ärger", "b", "kit 2", "kit 10"]
    assert [tag.name for tag in tags.count_tags(session, user.id)] == sample.tags
