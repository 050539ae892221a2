"""Windows of a long result: their order, their cache and its invalidation."""

import uuid
from dataclasses import replace

import pytest

from sp404_app.db import transaction
from sp404_app.models import Sample, User
from sp404_app.services.library import samples, scrolling, search
from sp404_app.services.library.search import SampleQuery, SearchResult
from tests.services.conftest import keep
from tests.sounds import Keep

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
FIRST, SECOND = b"first", b"second"
COUNT = 9


@pytest.fixture
def many(keep: Keep, user: User) -> User:
    for number in range(COUNT):
        sample_id = keep(f"Kick {number * 7 % COUNT}.wav")
        with transaction() as session:
            row = session.get_one(Sample, sample_id)
            row.bpm = None if number % 3 == 0 else 80 + number % 4
    return user


def part(
    user: User,
    query: SampleQuery,
    start: int,
    version: bytes | None = FIRST,
    *,
    moving: bool = False,
) -> SearchResult:
    with transaction() as session:
        return scrolling.scroll_window(session, user.id, query, start, 4, version, moving=moving)


@pytest.mark.parametrize("name", [*search.SORTS])
@pytest.mark.parametrize("sign", ["", "-"])
def test_windows_match_the_order_of_the_whole_result(many: User, name: str, sign: str) -> None:
    query = SampleQuery(q="kick", sort=sign + name)
    with transaction() as session:
        whole = [row.id for row in search.search_window(session, many.id, query, 0, 100).rows]
    for start in range(COUNT):
        found = part(many, query, start)
        last = min(start, COUNT - 4)
        assert (found.start, found.total) == (last, COUNT)
        assert [row.id for row in found.rows] == whole[last : last + 4]


@pytest.mark.parametrize("sort", ["name", "-created", "bpm"])
def test_the_row_of_a_sample_is_its_place_in_the_result(many: User, sort: str) -> None:
    query = SampleQuery(sort=sort)
    with transaction() as session:
        whole = search.search_ids(session, many.id, query)
        rows = [scrolling.find_row(session, many.id, query, each, FIRST) for each in whole]
        assert rows == list(range(COUNT))
        elsewhere = SampleQuery(q="nothing")
        assert scrolling.find_row(session, many.id, elsewhere, whole[0], FIRST) is None
        assert scrolling.find_row(session, many.id, query, uuid.uuid4(), FIRST) is None


def test_an_id_across_two_others_is_not_found() -> None:
    ids = uuid.UUID(int=1 << 120).bytes + uuid.UUID(int=2).bytes
    across = uuid.UUID(bytes=ids[8:24])
    order = scrolling.ResultOrder(ids, None)
    assert order.row_of(across) is None
    assert order.row_of(uuid.UUID(int=2)) == 1


def test_a_start_beyond_the_end_shows_the_last_window(many: User) -> None:
    assert part(many, SampleQuery(), 10**9).start == COUNT - 4
    assert part(many, SampleQuery(), -5).start == 0
    nothing = part(many, SampleQuery(q="nothing"), 3)
    assert (nothing.rows, nothing.total, nothing.start) == ([], 0, 0)


def test_a_change_shows_at_once_unless_the_list_is_scrolling(many: User) -> None:
    gone = part(many, SampleQuery(), 0).rows[0].id
    with transaction() as session:
        samples.delete_samples(session, many.id, [gone])
    moving = part(many, SampleQuery(), 0, SECOND, moving=True)
    assert moving.total == COUNT
    assert gone not in [row.id for row in moving.rows]
    standing = part(many, SampleQuery(), 0, SECOND)
    assert standing.total == COUNT - 1
    assert len(standing.rows) == 4


def test_without_a_cache_version_the_order_is_read_again(many: User) -> None:
    part(many, SampleQuery(), 0, None)
    with transaction() as session:
        samples.delete_samples(session, many.id, [part(many, SampleQuery(), 0, None).rows[0].id])
    assert part(many, SampleQuery(), 0, None).total == COUNT - 1


def test_a_stale_order_is_read_again_while_scrolling(
    many: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    part(many, SampleQuery(), 0)
    with transaction() as session:
        samples.delete_samples(session, many.id, [part(many, SampleQuery(), 0).rows[0].id])
    monkeypatch.setattr(scrolling, "MAX_STALENESS_S", -1.0)
    assert part(many, SampleQuery(), 0, SECOND, moving=True).total == COUNT - 1


def test_the_cached_order_is_per_user(many: User) -> None:
    query = replace(SampleQuery(), sort="name")
    assert part(many, query, 0).total == COUNT
    stranger = User(id=uuid.uuid4(), email="x@example.org", password_hash="x")
    assert part(stranger, query, 0).rows == []


def test_an_order_too_large_for_the_cache_is_still_returned(
    many: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrolling, "MAX_CACHE_BYTES", 10)
    assert part(many, SampleQuery(sort="-name"), 2).total == COUNT
