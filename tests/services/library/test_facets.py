"""Counts beside the values of filters: each filter is counted as if it were not set."""

import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session

from sp404_app.errors import NotFound
from sp404_app.models import User
from sp404_app.models.columns import now
from sp404_app.services.library import search
from sp404_app.services.library.facets import count_facets
from sp404_app.services.library.search import SampleQuery
from tests.services.library.test_search import add

__all__ = ["add"]
Add = Callable[..., uuid.UUID]


@pytest.fixture
def shelf(add: Add) -> None:
    """Insert five sounds, and one in the trash."""
    group = uuid.uuid4()
    ready = {"status": "ready"}
    add("Dusty", key="A minor", kind="loop", sound_class="break", rating=4, tags=["vinyl"], **ready)
    add("Dusty 2", key="C major", kind="loop", sound_class="break", favourite=True, **ready)
    add("Boom", key="A minor", kind="one_shot", sound_class="kick", tags=["vinyl", "low"], **ready)
    add("Tick", duplicate_group_id=group, kind="one_shot", sound_class="closed hat", **ready)
    add("Tick 48k", duplicate_group_id=group, kind="one_shot", status="failed", rating=1)
    add("Gone", key="A minor", kind="loop", deleted_at=now())


@pytest.mark.usefixtures("shelf")
def test_without_a_filter_all_values_are_counted(session: Session, user: User) -> None:
    found = count_facets(session, user.id, SampleQuery())
    assert found.values == {
        "key": {"A minor": 2, "C major": 1},
        # C major and its relative A minor fit into each other, and to their neighbours.
        "compatible_key": found.values["compatible_key"],
        "sound_class": {"break": 2, "kick": 1, "closed hat": 1},
        "kind": {"loop": 2, "one_shot": 3},
        "status": {"ready": 4, "failed": 1},
        "rating_min": {"1": 2, "2": 1, "3": 1, "4": 1},
        "has_copies": {"1": 2},
    }
    assert found.values["compatible_key"]["A minor"] == 3
    assert [(tag.name, tag.samples) for tag in found.tags] == [("vinyl", 2), ("low", 1)]


@pytest.mark.usefixtures("shelf")
def test_a_filter_limits_the_others_but_not_its_own_values(session: Session, user: User) -> None:
    found = count_facets(session, user.id, SampleQuery(key="A minor", kind="loop", tags=("vinyl",)))
    assert found.values["key"] == {"A minor": 1}
    assert found.values["kind"] == {"loop": 1, "one_shot": 1}
    assert found.values["sound_class"] == {"break": 1}
    assert found.tags == []
    assert count_facets(session, user.id, SampleQuery(kind="loop")).values["key"] == {
        "A minor": 1,
        "C major": 1,
    }


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    "query",
    [
        SampleQuery(),
        SampleQuery(q="dusty"),
        SampleQuery(key="A minor"),
        SampleQuery(kind="one_shot", status="ready"),
        SampleQuery(rating_min=1, compatible_key="C major"),
        SampleQuery(has_copies=True, sound_class="closed hat"),
        SampleQuery(trash=True),
        SampleQuery(favourite=True),
    ],
)
def test_each_number_is_what_the_search_with_this_value_finds(
    session: Session, user: User, query: SampleQuery
) -> None:
    for name, counts in count_facets(session, user.id, query).values.items():
        for value, number in counts.items():
            flag = name == "has_copies"
            wanted = True if flag else int(value) if name == "rating_min" else value
            changed = {each: getattr(query, each) for each in query.__dataclass_fields__}
            found = search.search_ids(session, user.id, SampleQuery(**changed | {name: wanted}))
            assert len(found) == number, (name, value)


@pytest.mark.usefixtures("shelf")
def test_sounds_of_others_are_not_counted(session: Session, add: Add, user: User) -> None:
    stranger = User(email="other@example.org", password_hash="x")
    session.add(stranger)
    session.flush()
    add("Theirs", owner=stranger.id, key="A minor", tags=["secret"])
    found = count_facets(session, user.id, SampleQuery())
    assert found.values["key"]["A minor"] == 2
    assert "secret" not in {tag.name for tag in found.tags}
    with pytest.raises(NotFound):
        count_facets(session, user.id, SampleQuery(collection=uuid.uuid4()))
