"""Duplicates: found, grouped, merged and dissolved, never between users."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from sp404_app.audio.similarity import fingerprint
from sp404_app.audio.similarity.embedding import DIMENSIONS
from sp404_app.audio.similarity.fingerprint import Fingerprint
from sp404_app.audio.synth.drums import kick, snare
from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import Sample, SamplePrint, SampleVector, User
from sp404_app.models.columns import now
from sp404_app.services.infra import events
from sp404_app.services.library import duplicate_groups, samples, search
from sp404_app.services.sample import duplicates

RATE = 44_100
Keep = Callable[..., uuid.UUID]


def taken(signal: np.ndarray, rate: float = RATE) -> Fingerprint:
    found = fingerprint.compute_fingerprint(np.asarray(signal, np.float32), rate)
    assert found
    return found


def hit(seed: int) -> np.ndarray:
    return np.asarray(snare(np.random.default_rng(seed)), np.float32)


def vector(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)


ONE, OTHER = taken(hit(1)), taken(hit(2))
QUIETER = taken(0.2 * np.pad(hit(1), (900, 4000)))


def remember(owner: uuid.UUID, sample_id: uuid.UUID, found: Fingerprint | None = ONE) -> None:
    with transaction() as session:
        duplicates.update_duplicates(session, owner, sample_id, vector(), found)


@pytest.fixture
def put(user: User) -> Keep:
    """Save a sample without a file, with a fingerprint."""

    def keep(
        found: Fingerprint | None = ONE, owner: User = user, *, heard: bool = True
    ) -> uuid.UUID:
        name = uuid.uuid4().hex
        sample = Sample(
            user_id=owner.id, name=name, filename=name, storage_key=name, size=1, digest=name,
            format="WAV", status="ready",
        )  # fmt: skip
        with transaction() as session:
            session.add(sample)
        if heard:
            remember(owner.id, sample.id, found)
        return sample.id

    return keep


def groups() -> list[set[uuid.UUID]]:
    """Return all groups, including those of one sample."""
    found: dict[uuid.UUID, set[uuid.UUID]] = {}
    with transaction() as session:
        rows = session.exec(select(Sample).where(col(Sample.duplicate_group_id).is_not(None)))
        for sample in rows:
            assert sample.duplicate_group_id
            found.setdefault(sample.duplicate_group_id, set()).add(sample.id)
    return list(found.values())


def copies_of(user: User, sample_id: uuid.UUID) -> list[uuid.UUID]:
    with transaction() as session:
        return [sample.id for sample in duplicates.list_duplicates(session, user.id, sample_id, 50)]


def filtered(user: User, **fields: object) -> list[uuid.UUID]:
    with transaction() as session:
        query = search.SampleQuery(has_copies=True, sort="created", **fields)  # type: ignore[arg-type]
        return search.search_ids(session, user.id, query)


def test_a_duplicate_joins_the_group_of_its_original_and_another_hit_does_not(
    user: User, put: Keep
) -> None:
    original, other, copy = put(ONE), put(OTHER), put(QUIETER)
    assert groups() == [{original, copy}]
    assert copies_of(user, original) == [copy]
    assert copies_of(user, other) == []
    assert filtered(user) == [original, copy]


def test_samples_without_a_fingerprint_have_no_duplicates(user: User, put: Keep) -> None:
    ids = [put(None), put(None)]
    assert groups() == []
    assert [copies_of(user, each) for each in ids] == [[], []]
    with transaction() as session:
        assert session.exec(select(SamplePrint)).all() == []
        assert len(session.exec(select(SampleVector)).all()) == 2


def test_ungrouped_samples_are_not_duplicates_of_each_other(user: User, put: Keep) -> None:
    lone, another = put(ONE), put(OTHER)
    assert copies_of(user, lone) == copies_of(user, another) == []


def test_samples_of_two_users_never_share_a_group(
    user: User, person: Callable[..., User], put: Keep
) -> None:
    stranger = person()
    mine, theirs = put(ONE), put(ONE, stranger)
    assert groups() == []
    mine_too = put(QUIETER)
    assert groups() == [{mine, mine_too}]
    assert filtered(stranger) == copies_of(stranger, theirs) == []
    with transaction() as session, pytest.raises(NotFound):
        duplicates.list_duplicates(session, stranger.id, mine, 50)


def test_a_sample_that_matches_two_groups_merges_them(user: User, put: Keep) -> None:
    lone, first, second = put(OTHER), [put(ONE), put(ONE)], [put(OTHER), put(OTHER)]
    assert len(groups()) == 2
    between = put(None, heard=False)
    with transaction() as session:
        touched = duplicate_groups.join_duplicate_group(
            session, user.id, between, [first[1], second[1]]
        )
    everybody = {lone, between, *first, *second}
    assert groups() == [everybody]
    assert touched == everybody


def test_a_new_fingerprint_leaves_the_old_group_and_dissolves_a_group_of_one(
    user: User, put: Keep
) -> None:
    first, second, third = put(ONE), put(ONE), put(ONE)
    remember(user.id, third, OTHER)
    assert groups() == [{first, second}]
    remember(user.id, second, OTHER)
    assert groups() == [{second, third}]
    remember(user.id, second, None)
    assert groups() == []
    with transaction() as session:
        assert session.get(SamplePrint, second) is None


def test_an_unchanged_fingerprint_changes_nothing(
    user: User, put: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = put(ONE), put(QUIETER)
    with transaction() as session:
        before = session.get_one(Sample, first)
    told: list[object] = []
    monkeypatch.setattr(events, "publish", lambda *news: told.append(news))
    remember(user.id, second, QUIETER)
    assert told == []
    with transaction() as session:
        after = session.get_one(Sample, first)
    assert (after.duplicate_group_id, after.updated_at) == (
        before.duplicate_group_id,
        before.updated_at,
    )


def test_an_event_is_published_for_every_member_of_a_changed_group(
    user: User, put: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = put(ONE), put(ONE)
    put(OTHER)
    third = put(heard=False)
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(events, "publish", lambda *news: told.append(news))
    remember(user.id, third)
    (news,) = told
    assert news[0] == user.id
    assert [item.id for item in news[1:]] == [str(each) for each in (first, second, third)]  # type: ignore[attr-defined]
    monkeypatch.setattr(duplicates, "MAX_SAMPLE_EVENTS", 2)
    remember(user.id, third, OTHER)
    assert told[1] == (user.id, events.Event(events.Topic.LIBRARY))


def test_a_trashed_sample_keeps_its_group_but_is_not_listed(user: User, put: Keep) -> None:
    first, second = put(ONE), put(ONE)
    with transaction() as session:
        samples.delete_samples(session, user.id, [first])
    assert copies_of(user, second) == filtered(user) == []
    assert filtered(user, trash=True) == [first]  # the library has a duplicate of it
    assert copies_of(user, first) == [second]
    third = put(QUIETER)
    assert copies_of(user, second) == [third]
    with transaction() as session:
        samples.restore_samples(session, user.id, [first])
    assert copies_of(user, second) == [first, third]


def test_permanent_deletion_dissolves_a_group_of_one(user: User, put: Keep) -> None:
    ids = [put(ONE), put(ONE), put(ONE)]
    for number, left in ((0, [set(ids[1:])]), (1, [])):
        with transaction() as session:
            samples.delete_samples(session, user.id, [ids[number]])
            samples.delete_for_good(session, user.id, [ids[number]])
        assert groups() == left


def test_purging_old_trash_dissolves_a_group_of_one(user: User, put: Keep) -> None:
    put(ONE)
    gone = put(ONE)
    with transaction() as session:
        session.get_one(Sample, gone).deleted_at = now().replace(year=2000)
    with transaction() as session:
        assert samples.purge_old_trash(session, now()) == 1
    assert groups() == []


def test_only_fingerprints_of_the_current_version_are_compared(user: User, put: Keep) -> None:
    old = put(ONE)
    with transaction() as session:
        session.get_one(SamplePrint, old).version = 0
    put(ONE)
    assert groups() == []


def test_groups_survive_the_reanalysis_by_a_new_engine_version(user: User, put: Keep) -> None:
    ids = [put(ONE) for _ in range(3)]
    with transaction() as session:
        for each in ids:
            session.get_one(SampleVector, each).engine_version = "0"
    for each in ids:
        remember(user.id, each)
        assert groups() == [set(ids)]


def test_duplicates_analysed_concurrently_form_one_group(user: User, put: Keep) -> None:
    ids = [put(heard=False) for _ in range(8)]
    start = threading.Barrier(len(ids))

    def hear(sample_id: uuid.UUID) -> None:
        start.wait()
        remember(user.id, sample_id)

    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(hear, ids))
    assert groups() == [set(ids)]


@contextmanager
def meanwhile(work: Callable[[], None], times: int) -> Iterator[None]:
    """Repeat `work` in a thread during the block; raise its error."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: [work() for _ in range(times)])
        yield
        done.result()


def test_reanalysis_and_trashing_do_not_deadlock(user: User, put: Keep) -> None:
    ids = [put() for _ in range(6)]

    def clear_up() -> None:
        with transaction() as session:
            samples.delete_samples(session, user.id, ids[::-1])
        with transaction() as session:
            samples.restore_samples(session, user.id, ids)

    with meanwhile(clear_up, 15), ThreadPoolExecutor(2) as pool:
        heard = [(each, found) for found in (OTHER, ONE) * 3 for each in ids[::-1]]
        list(pool.map(lambda each: remember(user.id, *each), heard))
    assert groups() == [set(ids)]
    assert len(filtered(user)) == 6


def test_a_deleted_sample_joins_no_group(user: User, put: Keep) -> None:
    there = put()
    with transaction() as session:
        assert (
            duplicate_groups.join_duplicate_group(session, user.id, uuid.uuid4(), [there]) == set()
        )
    assert groups() == []


KEYS = st.integers(0, 5).map(lambda number: uuid.UUID(int=number))
GROUPS = st.none() | st.integers(10, 12).map(lambda number: uuid.UUID(int=number))


@given(st.dictionaries(KEYS, GROUPS, min_size=1), st.data())
def test_regrouping_merges_linked_groups_and_leaves_the_others(
    before: dict[uuid.UUID, uuid.UUID | None], data: st.DataObject
) -> None:
    sample_id = data.draw(st.sampled_from(sorted(before)))
    others = sorted(set(before) - {sample_id})
    found = data.draw(st.lists(st.sampled_from(others), unique=True)) if others else []
    after = duplicate_groups.regroup_duplicates(before, sample_id, found)
    assert after.keys() == before.keys()
    if found:
        linked = {after[one] for one in [sample_id, *found]}
        assert len(linked) == 1
        assert None not in linked
        assert all(
            after[one] in linked
            for one in before
            if before[one] and before[one] in {before[each] for each in found}
        )
    else:
        assert after[sample_id] is None
    assert duplicate_groups.regroup_duplicates(after, sample_id, found) == after


def test_candidates_are_chosen_by_length_and_timbre(
    session: Session, user: User, put: Keep
) -> None:
    short = taken(kick(np.random.default_rng(1))[: RATE // 10])
    for _ in range(duplicates.MAX_CANDIDATES + 5):
        put(short)
    copy = [put(ONE), put(QUIETER)]
    assert set(copy) in groups()
