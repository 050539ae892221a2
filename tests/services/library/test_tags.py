"""Tags: one spelling per user, counts, and tags from folder names."""

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


def test_a_tag_keeps_its_first_spelling(session: Session, user: User) -> None:
    assert tags.get_or_create_tags(session, user.id, ["Dusty", "lo-fi"]) == ["Dusty", "lo-fi"]
    assert tags.get_or_create_tags(session, user.id, ["DUSTY", "Lo-Fi", "new"]) == [
        "Dusty",
        "lo-fi",
        "new",
    ]
    assert session.exec(select(func.count()).select_from(Tag)).one() == 3


def test_each_user_has_an_own_spelling_of_a_tag(
    session: Session, user: User, person: Callable[..., User]
) -> None:
    tags.get_or_create_tags(session, user.id, ["Dusty"])
    assert tags.get_or_create_tags(session, person().id, ["DUSTY"]) == ["DUSTY"]


@pytest.mark.parametrize(
    "name", ["Ärger", "İstanbul", "ΣΊΣΥΦΟΣ", "straße", "ǅ", "ﬀ", "太鼓", "🥁", "a%_'\\"]
)
def test_a_tag_in_any_script_is_created_once(session: Session, user: User, name: str) -> None:
    assert tags.get_or_create_tags(session, user.id, [name]) == [name]
    assert tags.get_or_create_tags(session, user.id, [name]) == [name]


def test_tags_are_cleaned_and_limited_and_empty_ones_dropped(session: Session, user: User) -> None:
    given = ["", " ", "\x00", "a,b", "x" * 500, "two\nlines", "half\ud800"]
    found = tags.get_or_create_tags(session, user.id, given)
    assert found == ["a b", "half", "two lines", "x" * tags.MAX_TAG_LENGTH]
    assert (
        len(tags.get_or_create_tags(session, user.id, [f"t{i}" for i in range(99)]))
        == tags.MAX_TAGS
    )
    assert tags.get_or_create_tags(session, user.id, []) == []


def test_concurrent_creation_of_the_same_tags_does_not_deadlock(user: User) -> None:
    def make(order: tuple[str, ...]) -> list[str]:
        with transaction() as session:
            return tags.get_or_create_tags(session, user.id, order)

    for attempt in range(3):
        orders = list(permutations([f"{attempt}{letter}" for letter in "abc"]))
        with ThreadPoolExecutor(6) as pool:
            results = list(pool.map(make, orders))
        assert all(result == sorted(orders[0]) for result in results)


def test_tags_in_use_are_counted_most_used_first(
    session: Session, user: User, person: Callable[..., User], keep: Keep
) -> None:
    def tagged(*names: str, owner: uuid.UUID | None = None) -> uuid.UUID:
        sample_id = keep(owner=owner)
        samples.change_sample(session, owner or user.id, sample_id, Change(tags=names))
        return sample_id

    tagged("dusty", "drums")
    tagged("drums")
    samples.delete_samples(session, user.id, [tagged("dusty", "gone")])
    tagged("dusty", owner=person().id)
    found = [(tag.name, tag.samples) for tag in tags.count_tags(session, user.id)]
    assert found == [("drums", 2), ("dusty", 1)]


def test_folder_names_become_tags() -> None:
    assert tags.folder_tags("Drums/Dusty Kit") == ["Drums", "Dusty Kit"]
    assert tags.folder_tags("") == []
    assert tags.folder_tags("Drums/Dusty Kit", root=False) == ["Dusty Kit"]
    assert tags.folder_tags("Drums", root=False) == tags.folder_tags("", root=False) == []
    assert tags.folder_tags("/a//../b,c/") == ["b c"]
    assert tags.folder_tags("A:\\Samples\\Drums") == ["Samples", "Drums"]
    deep = tags.folder_tags("/".join(map(str, range(200))))
    assert (len(deep), deep[-1]) == (tags.MAX_TAGS, "199")


def test_tags_of_a_sample_can_be_removed(session: Session, user: User, keep: Keep) -> None:
    sample_id = keep()
    samples.change_sample(session, user.id, sample_id, Change(tags=["a"]))
    samples.change_sample(session, user.id, sample_id, Change(tags=[]))
    assert session.get_one(Sample, sample_id).tags == []


def test_tags_with_equal_counts_are_sorted_naturally(
    session: Session, user: User, keep: Keep
) -> None:
    sample_id = keep()
    sample = samples.change_sample(
        session, user.id, sample_id, Change(tags=["kit 10", "kit 2", "Ärger", "b"])
    )
    assert sample.tags == ["Ärger", "b", "kit 2", "kit 10"]
    assert [tag.name for tag in tags.count_tags(session, user.id)] == sample.tags
