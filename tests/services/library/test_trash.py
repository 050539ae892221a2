"""The trash: it holds as much as the plan's storage; beyond that the oldest are purged."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import Session, select

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, QuotaExceeded
from sp404_app.models import Sample, User
from sp404_app.services import plans
from sp404_app.services.billing import quotas
from sp404_app.services.infra import storage
from sp404_app.services.library import samples, trash
from sp404_app.services.library.trash import TrashResult, TrashUsage
from sp404_app.settings import MB
from sp404_app.state.formatting import format_size
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.sidebar import load_sidebar
from tests.sounds import Keep

Put = Callable[..., uuid.UUID]


@pytest.fixture
def plan(environment: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    def set_plan(megabytes: int | None) -> None:
        size = None if megabytes is None else megabytes * MB
        free = plans.Plan(plans.Tier.FREE, "Free", 0, size, None, 0, 100)
        environment.setitem(plans.PLANS, plans.Tier.FREE, free)

    return set_plan


@pytest.fixture
def put(keep: Keep) -> Put:
    """Add a sample of so many MB."""

    def put_one(megabytes: int, owner: uuid.UUID | None = None) -> uuid.UUID:
        sample_id = keep(owner=owner)
        with transaction() as session:
            session.get_one(Sample, sample_id).size = megabytes * MB
        return sample_id

    return put_one


def trash_samples(user: User, *ids: uuid.UUID) -> TrashResult:
    with transaction() as session:
        return samples.move_to_trash(session, user.id, ids)


def usage(user: User) -> TrashUsage:
    with transaction() as session:
        return trash.get_trash_usage(session, user.id)


def exist(ids: list[uuid.UUID]) -> list[bool]:
    with transaction() as session:
        found = set(session.exec(select(Sample.id)))
    return [each in found for each in ids]


@pytest.mark.parametrize(
    ("age", "left"), [(0.0, 30), (0.5, 30), (1.0, 29), (29.5, 1), (30.0, 1), (31.0, 1)]
)
def test_the_trash_says_how_many_days_it_keeps_a_sound(age: float, left: int) -> None:
    deleted_at = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    assert samples.days_in_trash(deleted_at, deleted_at + dt.timedelta(days=age)) == left


def test_repeated_uploads_and_deletions_stay_within_the_trash_limit(user: User, put: Put) -> None:
    ids, keys = [], []
    for _ in range(3):
        ids.append(put(60))
        with transaction() as session:
            keys.append(session.get_one(Sample, ids[-1]).storage_key)
        result = trash_samples(user, ids[-1])
        assert result.moved == [ids[-1]]
    assert exist(ids) == [False, False, True]
    assert usage(user) == TrashUsage(60 * MB, 100 * MB)
    for key in keys[:2]:
        with pytest.raises(NotFound):
            storage.object_size(key)
    assert storage.object_size(keys[2])


def test_the_oldest_samples_are_purged_first_and_no_more_than_needed(user: User, put: Put) -> None:
    ids, purged = [], []
    for _ in range(5):
        ids.append(put(30))
        purged.append(trash_samples(user, ids[-1]).purged)
    assert purged == [0, 0, 0, 1, 1]
    assert exist(ids) == [False, False, True, True, True]


def test_a_downgrade_purges_nothing_until_the_next_deletion(
    user: User, put: Put, plan: Callable[[int | None], None]
) -> None:
    plan(None)
    ids = [put(150), put(80), put(10)]
    for each in ids[:2]:
        assert trash_samples(user, each).purged == 0
    plan(100)
    with transaction() as session:
        assert samples.delete_samples(session, user.id, [ids[0], uuid.uuid4()]) == []
        samples.purge_old_trash(session, samples.now())
    assert exist(ids) == [True, True, True]
    assert trash_samples(user, ids[2]).purged == 1
    assert exist(ids) == [False, True, True]


def test_the_last_deletion_can_be_undone_even_over_the_limit(
    user: User, put: Put, plan: Callable[[int | None], None]
) -> None:
    plan(None)
    ids = [put(70), put(70), put(70)]
    plan(100)
    result = trash_samples(user, *ids)
    assert (set(result.moved), result.purged) == (set(ids), 0)
    assert usage(user).used == 210 * MB
    plan(None)
    with transaction() as session:
        assert set(samples.restore_samples(session, user.id, ids)) == set(ids)


def test_restoring_needs_room_in_the_storage_quota(user: User, put: Put) -> None:
    first = put(60)
    trash_samples(user, first)
    put(60)
    with transaction() as session, pytest.raises(QuotaExceeded):
        samples.restore_samples(session, user.id, [first])
    assert exist([first]) == [True]


def test_samples_of_other_users_are_not_purged(
    user: User, put: Put, person: Callable[..., User]
) -> None:
    other = person()
    theirs = put(90, other.id)
    with transaction() as session:
        samples.delete_samples(session, other.id, [theirs])
    mine = [put(60), put(60)]
    assert [trash_samples(user, each).purged for each in mine] == [0, 1]
    assert exist([theirs, *mine]) == [True, False, True]


def test_concurrent_deletions_and_restores_do_not_deadlock(
    user: User, put: Put, plan: Callable[[int | None], None]
) -> None:
    plan(None)
    ids = [put(25) for _ in range(8)]
    plan(100)

    def attempt(turn: int) -> None:
        mine = ids[turn % 8 :] + ids[: turn % 8]
        try:
            with transaction() as session:
                act = samples.delete_samples if turn % 2 else samples.restore_samples
                act(session, user.id, mine[:3])
        except (QuotaExceeded, NotFound):
            pass

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(40)))
    with transaction() as session:
        assert quotas.stored_bytes(session, user.id) <= 200 * MB


@pytest.mark.usefixtures("services")
def test_messages_describe_the_trash_limit_and_purged_samples(
    session: Session, user: User, put: Put
) -> None:
    said = bulk_messages.trash_usage_message
    assert "30 days" in said(TrashUsage(0, None))
    assert f"{format_size(60 * MB)} of {format_size(100 * MB)} used" in said(
        TrashUsage(60 * MB, 100 * MB)
    )
    assert "The next time you delete" in said(TrashUsage(180 * MB, 100 * MB))
    assert load_sidebar(session, user.id).trash == said(TrashUsage(0, 100 * MB))
    assert (
        bulk_messages.trashed_message("1 sound", TrashResult(), []) == "1 sound moved to the trash."
    )
    assert (
        "It was full, so the oldest sound in it was permanently"
        in bulk_messages.trashed_message("“a”", TrashResult([], 1), [])
    )
    assert "the 1,200 oldest sounds were" in bulk_messages.trashed_message(
        "“a”", TrashResult([], 1200), []
    )


def test_deleting_for_an_unknown_user_is_rejected(session: Session) -> None:
    with pytest.raises(AppError):
        samples.delete_samples(session, uuid.uuid4(), [uuid.uuid4()])
