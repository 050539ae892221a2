"""A search as rules of a smart collection: both find the same samples."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.errors import ValidationFailed
from sp404_app.models import User
from sp404_app.services.collections import collections
from sp404_app.services.library import search
from sp404_app.services.library.collection_rules import Rules, Term, parse_rules, rules_to_json
from sp404_app.services.library.search import SampleQuery
from sp404_app.services.library.search_rules import rules_of_search
from tests.services.library.test_facets import shelf
from tests.services.library.test_search import add

__all__ = ["add", "shelf"]
Add = Callable[..., uuid.UUID]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (SampleQuery(q="dusty"), 2),
        (SampleQuery(q="dus -2", sort="name"), 1),
        (SampleQuery(key="A minor"), 2),
        (SampleQuery(compatible_key="A minor"), 3),
        (SampleQuery(kind="loop", sound_class="break"), 2),
        (SampleQuery(tags=("vinyl",)), 2),
        (SampleQuery(tags=("vinyl", "low")), 1),
        (SampleQuery(favourite=True), 1),
        (SampleQuery(rating_min=1.0), 2),
        (SampleQuery(rating_min=2.0, status="ready"), 1),
        (SampleQuery(has_copies=True), 2),
        (SampleQuery(bpm_min=80, bpm_max=100), 1),
        (SampleQuery(bpm_min=100, bpm_max=80), 0),
        (SampleQuery(duration_min=3.0), 1),
        (SampleQuery(duration_max=5.0), 1),
        (SampleQuery(bpm_min=0.0), 1),
        (SampleQuery(q="dusty", bpm_min=0.0), 0),
        (SampleQuery(duration_min=0.0), 1),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_the_rules_find_what_the_search_finds(
    session: Session, user: User, add: Add, query: SampleQuery, count: int
) -> None:
    add("Long", bpm=90.0, duration=4.0)
    found = search.search_ids(session, user.id, query)
    rules = rules_to_json(rules_of_search(query))
    made = collections.create_collection(session, user.id, name="Saved", rules=rules)
    kept = search.search_ids(session, user.id, SampleQuery(collection=made.id))
    assert set(kept) == set(found)
    assert len(found) == count


@pytest.mark.usefixtures("shelf")
def test_a_search_within_a_collection_stays_within_it(session: Session, user: User) -> None:
    (dusty, _) = sorted(search.search_ids(session, user.id, SampleQuery(q="dusty")))
    outer = collections.create_collection(session, user.id, name="Outer", sample_ids=[dusty])
    rules = rules_to_json(rules_of_search(SampleQuery(q="dusty", collection=outer.id)))
    made = collections.create_collection(session, user.id, name="Saved", rules=rules)
    assert search.search_ids(session, user.id, SampleQuery(collection=made.id)) == [dusty]


@pytest.mark.parametrize("match", ["all", "any"])
@pytest.mark.usefixtures("shelf")
def test_a_search_within_a_smart_collection_has_its_rules_too(
    session: Session, user: User, match: str
) -> None:
    terms = [
        {"field": "kind", "op": "is", "value": "loop"},
        {"field": "rating", "op": "at_least", "value": 2},
    ]
    outer = collections.create_collection(
        session, user.id, name="Outer", rules={"match": match, "terms": terms}
    )
    query = SampleQuery(tags=("vinyl",), collection=outer.id)
    rules = rules_to_json(rules_of_search(query, parse_rules(outer.rules)))
    made = collections.create_collection(session, user.id, name="Saved", rules=rules)
    found = search.search_ids(session, user.id, query)
    assert set(search.search_ids(session, user.id, SampleQuery(collection=made.id))) == set(found)


def test_rules_that_would_be_nested_twice_are_refused() -> None:
    group = Rules("all", (Term("kind", "is", "loop"),))
    within = Rules("any", (group, Term("rating", "at_least", 2)))
    with pytest.raises(ValidationFailed, match="only once"):
        rules_of_search(SampleQuery(q="dusty"), within)


@pytest.mark.parametrize(
    "query",
    [
        SampleQuery(),
        SampleQuery(sort="name", trash=True),
        SampleQuery(rating_min=0.0),
        SampleQuery(q="   "),
        SampleQuery(tags=tuple(f"tag {number}" for number in range(31))),
    ],
)
def test_what_has_no_rules_is_refused(query: SampleQuery) -> None:
    with pytest.raises(ValidationFailed):
        rules_of_search(query)
