"""How many requests a plan gives."""

import time
import uuid
from unittest.mock import patch

import pytest

from sp404_app.services.billing import plan_rate_limit, quotas
from sp404_app.services.infra import rate_limits
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings
from tests.accounts import somebody, without_database

pytestmark = pytest.mark.usefixtures("services")


@pytest.mark.parametrize("tier", list(Tier))
async def test_paying_people_may_ask_more_often(tier: Tier) -> None:
    ada = somebody().id
    with patch.object(quotas, "plan_of", lambda *_: PLANS[tier]):
        left = await rate_limits.count_request(
            ada, await plan_rate_limit.a_minute(ada), media=False
        )
    assert left is not None
    assert left.limit == PLANS[tier].requests_per_minute
    assert left.remaining == left.limit - 1


async def test_an_operator_moves_the_limit_of_all(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "7")
    settings.cache_clear()
    with patch.object(quotas, "plan_of", lambda *_: PLANS[Tier.PRO]):
        assert await plan_rate_limit.a_minute(somebody().id) == 207


async def test_the_plan_is_remembered_for_a_while_and_looked_up_again() -> None:
    ada = somebody().id
    assert await plan_rate_limit.a_minute(ada) == 100
    with patch.object(quotas, "plan_of", lambda *_: PLANS[Tier.PRO]):
        assert await plan_rate_limit.a_minute(ada) == 100
        plan_rate_limit._cache[ada] = (time.monotonic() - 1, 0)
        assert await plan_rate_limit.a_minute(ada) == 300


async def test_remembering_costs_next_to_nothing() -> None:
    ada = somebody().id
    await plan_rate_limit.a_minute(ada)
    started = time.perf_counter()
    for _ in range(1000):
        await plan_rate_limit.a_minute(ada)
    assert (time.perf_counter() - started) / 1000 < 0.0002


async def test_without_a_database_the_last_answer_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = uuid.uuid4()
    monkeypatch.setitem(plan_rate_limit._cache, ada, (time.monotonic() - 1, 200))
    with without_database():
        assert await plan_rate_limit.a_minute(ada) == 300


async def test_only_so_many_people_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_rate_limit, "MAX_CACHED_USERS", 3)
    monkeypatch.setattr(plan_rate_limit, "_cache", {})
    for _ in range(5):
        await plan_rate_limit.a_minute(somebody().id)
    assert len(plan_rate_limit._cache) == 3
