"""Emails at 80 % and 100 % of a limit: once each, told again only when it makes sense."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlmodel import col, delete, select, update

from sp404_app.db import transaction
from sp404_app.errors import AppError, QuotaExceeded
from sp404_app.models import MailLog, Sample, User
from sp404_app.services import plans
from sp404_app.services.billing import account_end, quotas
from sp404_app.settings import settings
from tests.accounts import mails, text_of
from tests.sounds import Keep

LIMIT = 1000


@pytest.fixture
def small(environment: pytest.MonkeyPatch) -> None:
    """A Free plan of 1000 bytes and 10 analyses."""
    free = plans.Plan(plans.Tier.FREE, "Free", 0, LIMIT, 10, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, free)


def subjects(user: User) -> list[str]:
    return [str(mail["Subject"]) for mail in mails(user.email)]


def add(user: User, size: int) -> uuid.UUID:
    """Add a sample of some bytes, as an upload does; return its id."""
    sample = Sample(
        user_id=user.id,
        name="x",
        filename="x.wav",
        storage_key=uuid.uuid4().hex,
        size=size,
        digest=uuid.uuid4().hex,
        format="WAV",
    )
    with transaction() as session:
        quotas.lock_library(session, user.id)
        quotas.ensure_storage(session, user.id, size, "add")
        session.add(sample)
    return sample.id


def remove(sample_id: uuid.UUID) -> None:
    with transaction() as session:
        session.exec(delete(Sample).where(col(Sample.id) == sample_id))


pytestmark = pytest.mark.usefixtures("small")
FULL, NEARLY = "Your storage is full", "You've used 80% of your storage"


def test_each_level_of_storage_is_told_once(user: User) -> None:
    add(user, 799)
    assert subjects(user) == []
    add(user, 1)
    assert subjects(user) == [NEARLY]
    add(user, 100)
    add(user, 100)
    assert subjects(user) == [NEARLY, FULL]
    text = text_of(mails(user.email)[-1])
    assert "delete sounds" in text
    assert "Or upgrade: Pro has 5 GB of storage." in text
    assert f"{settings().origin}/usage" in text


def test_storage_is_told_again_only_after_it_fell_below_70_percent(user: User) -> None:
    add(user, 600)
    rest = add(user, 150)
    for _ in range(2):  # 85 %, and 75 % in between
        remove(add(user, 100))
    assert subjects(user) == [NEARLY]
    remove(rest)  # 60 %
    add(user, 150)
    add(user, 100)
    assert subjects(user) == [NEARLY, NEARLY]


def test_a_refused_sound_tells_that_the_storage_is_full(user: User) -> None:
    add(user, 700)
    for _ in range(2):  # too large for a storage that has room
        with pytest.raises(QuotaExceeded):
            add(user, 900)
    assert subjects(user) == []
    add(user, 200)
    for _ in range(3):
        with pytest.raises(QuotaExceeded):
            add(user, 200)
    assert subjects(user) == [NEARLY, FULL]


def test_uploads_tell_and_refused_uploads_too(
    user: User, keep: Keep, environment: pytest.MonkeyPatch
) -> None:
    unlimited = plans.Plan(plans.Tier.FREE, "Free", 0, None, None, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, unlimited)
    keep("a.wav")
    with transaction() as session:
        size = quotas.stored_bytes(session, user.id)
    free = plans.Plan(plans.Tier.FREE, "Free", 0, size * 5 // 2, None, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, free)
    keep("b.wav")
    assert subjects(user) == [NEARLY]
    with pytest.raises(QuotaExceeded):
        keep("c.wav")
    assert subjects(user) == [NEARLY, FULL]


def test_what_is_undone_or_only_asked_tells_nothing(user: User) -> None:
    with suppress(RuntimeError), transaction() as session:
        quotas.ensure_storage(session, user.id, 900, "add")
        raise RuntimeError
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 900)
    with suppress(AppError), transaction() as session:
        quotas.ensure_storage(session, user.id, 2000)
    assert subjects(user) == []


def test_each_level_of_a_months_analyses_is_told_once(
    user: User, environment: pytest.MonkeyPatch
) -> None:
    def analyse(count: int) -> None:
        for _ in range(count):
            with transaction() as session:
                quotas.reserve_analysis(session, user.id)

    analyse(7)
    assert subjects(user) == []
    analyse(3)
    expected = [
        "You've used 80% of this month's analyses",
        "You've used all analyses of this month",
    ]
    assert subjects(user) == expected
    with transaction() as session:
        month = quotas.current_usage_month(session, user.id)
        quotas.release_analyses(session, user.id, month.start, 3)
    analyse(3)
    assert subjects(user) == expected
    text = text_of(mails(user.email)[-1])
    assert "Or upgrade: Pro has 500 analyses a month." in text
    assert f"They reset on {month.end:%-d %B %Y}." in text
    environment.setattr(quotas, "now", lambda: month.end + dt.timedelta(hours=1))
    analyse(8)
    assert subjects(user) == [*expected, expected[0]]


def test_many_analyses_at_once_tell_the_highest_level(user: User) -> None:
    with transaction() as session:
        assert quotas.reserve_analyses(session, user.id, 50).count == 10
    assert subjects(user) == ["You've used all analyses of this month"]


def test_concurrent_analyses_tell_each_level_once(user: User) -> None:
    def analyse(_: int) -> None:
        with suppress(QuotaExceeded), transaction() as session:
            quotas.reserve_analysis(session, user.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(analyse, range(16)))
    assert len(subjects(user)) == 2


def test_an_unlimited_plan_tells_nothing(user: User, environment: pytest.MonkeyPatch) -> None:
    free = plans.Plan(plans.Tier.FREE, "Free", 0, None, None, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, free)
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 10**12, "add")
        quotas.reserve_analyses(session, user.id, 1000)
    assert subjects(user) == []


def test_the_demo_account_is_told_nothing(user: User, environment: pytest.MonkeyPatch) -> None:
    environment.setitem(plans.PLANS, plans.Tier.PRO, plans.PLANS[plans.Tier.FREE])
    with transaction() as session:
        session.exec(update(User).where(col(User.id) == user.id).values(is_demo=True))
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 1000, "add")
        quotas.reserve_analyses(session, user.id, 10)
    with suppress(QuotaExceeded), transaction() as session:
        quotas.ensure_storage(session, user.id, 1001, "try")
    assert subjects(user) == []


def test_without_billing_no_plan_is_offered(user: User, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_BILLING", "off")
    environment.setenv("SP404_PLAN", "free")
    settings.cache_clear()
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 1000, "add")
    (mail,) = mails(user.email)
    assert "upgrade" not in text_of(mail)
    assert f"{settings().origin}/library" in text_of(mail)


def test_the_log_goes_with_the_account(user: User) -> None:
    with transaction() as session:
        quotas.ensure_storage(session, user.id, 1000, "add")
    with transaction() as session:
        account_end.delete_billing_records(session, user.id)
        left = session.exec(select(MailLog).where(MailLog.user_id == user.id)).all()
    assert not left
