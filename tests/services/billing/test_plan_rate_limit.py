"""Requests per minute by plan, and the cache of that limit."""

import time
import uuid
from unittest.mock import patch

import pytest

from sp404_app.services.billing import plan_rate_limit, quotas
from sp404_app.services.infra import rate_limits
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings
from tests.accounts import sign_up_user, without_database

pytestmark = pytest.mark.usefixtures("services")
PLAN_LOOKUP = "sp404_app.services.billing.quotas.get_plan"


@pytest.mark.parametrize("tier", list(Tier))
async def test_each_plan_has_its_request_limit(tier: Tier) -> None:
    ada = sign_up_user().id
    with patch(PLAN_LOOKUP, lambda *_: PLANS[tier]):
        left = await rate_limits.count_request(
            ada, await plan_rate_limit.get_requests_per_minute(ada), media=False
        )
    assert left is not None
    assert left.limit == PLANS[tier].requests_per_minute
    assert left.remaining == left.limit - 1


async def test_the_setting_shifts_the_limit_of_every_plan(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_REQUESTS_PER_MINUTE", "7")
    settings.cache_clear()
    with patch(PLAN_LOOKUP, lambda *_: PLANS[Tier.PRO]):
        assert await plan_rate_limit.get_requests_per_minute(sign_up_user().id) == 207


async def test_the_limit_is_cached_until_it_expires() -> None:
    ada = sign_up_user().id
    assert await plan_rate_limit.get_requests_per_minute(ada) == 100
    with patch(PLAN_LOOKUP, lambda *_: PLANS[Tier.PRO]):
        assert await plan_rate_limit.get_requests_per_minute(ada) == 100
        plan_rate_limit._cache[ada] = (time.monotonic() - 1, 0)
        assert await plan_rate_limit.get_requests_per_minute(ada) == 300


async def test_the_plan_is_looked_up_once_in_a_thousand_calls() -> None:
    ada = sign_up_user().id
    with patch(PLAN_LOOKUP, side_effect=quotas.get_plan) as look_up:
        limits = {await plan_rate_limit.get_requests_per_minute(ada) for _ in range(1000)}
    assert limits == {100}
    assert look_up.call_count == 1


async def test_without_a_database_the_last_limit_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = uuid.uuid4()
    monkeypatch.setitem(plan_rate_limit._cache, ada, (time.monotonic() - 1, 200))
    with without_database():
        assert await plan_rate_limit.get_requests_per_minute(ada) == 300


async def test_the_cache_has_a_maximum_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_rate_limit, "MAX_CACHED_USERS", 3)
    monkeypatch.setattr(plan_rate_limit, "_cache", {})
    for _ in range(5):
        await plan_rate_limit.get_requests_per_minute(sign_up_user().id)
    assert len(plan_rate_limit._cache) == 3
