"""Cache versions: a change in one library makes its cached pages invalid, and no others."""

import uuid

import pytest

from sp404_app.services.infra import cache_version, events
from sp404_app.services.infra.cache_version import cache_version_or_none, current_cache_version
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.infra.redis_counters import RedisUnavailable
from sp404_app.settings import Settings, settings

pytestmark = pytest.mark.usefixtures("services")


async def known_version(user_id: uuid.UUID) -> bytes:
    """Return the version of a library, which the first call creates."""
    await current_cache_version(user_id)
    found = await current_cache_version(user_id)
    assert found is not None
    return found


async def test_a_new_version_is_not_used_by_the_request_that_creates_it() -> None:
    user_id = uuid.uuid4()
    assert await current_cache_version(user_id) is None
    first = await current_cache_version(user_id)
    assert first is not None
    assert await current_cache_version(user_id) == first


async def test_a_change_replaces_the_version_of_that_user_only() -> None:
    mine, theirs = uuid.uuid4(), uuid.uuid4()
    before = [await known_version(mine), await known_version(theirs)]
    events.publish(mine)
    after = [await known_version(mine), await known_version(theirs)]
    assert after[0] != before[0]
    assert after[1] == before[1]


async def test_a_changed_project_keeps_the_version_because_no_list_shows_pads() -> None:
    user_id = uuid.uuid4()
    before = await known_version(user_id)
    events.publish(user_id, Event(Topic.PROJECT, "1"))
    assert await known_version(user_id) == before
    events.publish(user_id, Event(Topic.PROJECT, "1"), Event(Topic.QUOTA))
    assert await known_version(user_id) != before


async def test_a_version_expires_so_that_redis_forgets_inactive_users() -> None:
    user_id = uuid.uuid4()
    await known_version(user_id)
    (key,) = events.connection().keys(f"*{user_id}")  # type: ignore[misc]
    assert 0 < int(events.connection().ttl(key)) <= cache_version.TTL_S  # type: ignore[arg-type]
    events.publish(user_id)
    assert 0 < int(events.connection().ttl(key)) <= cache_version.TTL_S  # type: ignore[arg-type]


async def test_without_redis_no_version_is_known(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1")
    settings.cache_clear()
    assert await cache_version_or_none(uuid.uuid4()) is None
    with pytest.raises(RedisUnavailable):
        await current_cache_version(uuid.uuid4())
