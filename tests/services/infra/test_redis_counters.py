"""Counters in Redis: commands of concurrent requests are sent together and answered separately."""

import asyncio

import pytest

from sp404_app.services.infra import redis_counters
from sp404_app.services.infra.redis_counters import RedisUnavailable
from sp404_app.settings import Settings, settings


async def test_concurrent_commands_each_get_their_own_answer(services: Settings) -> None:
    same = asyncio.gather(*(redis_counters.count("same", 60) for _ in range(100)))
    other = asyncio.gather(*(redis_counters.count(f"other {number}", 60) for number in range(100)))
    assert sorted(count.value for count in await same) == list(range(1, 101))
    assert {count.value for count in await other} == {1}


async def test_a_cancelled_command_does_not_affect_other_answers(services: Settings) -> None:
    gone = asyncio.create_task(redis_counters.count("gone", 60))
    stays = asyncio.create_task(redis_counters.count("stays", 60))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays).value == 1
    assert gone.cancelled()
    assert (await redis_counters.count("stays", 60)).value == 2


async def test_a_rejected_command_does_not_affect_other_answers(services: Settings) -> None:
    refused = asyncio.create_task(redis_counters.redis_batcher().run("HGET", "no"))
    right = asyncio.create_task(redis_counters.count("right", 60))
    with pytest.raises(RedisUnavailable):
        await refused
    assert (await right).value == 1


async def test_an_unexpected_error_reaches_all_waiting_callers(services: Settings) -> None:
    async with asyncio.timeout(5):
        wrong = asyncio.create_task(
            redis_counters.redis_batcher().run("SET", "half a character \ud800", "x")
        )
        right = asyncio.create_task(redis_counters.count("right", 60))
        answers = await asyncio.gather(wrong, right, return_exceptions=True)
    assert all(isinstance(answer, RedisUnavailable) for answer in answers)


async def test_while_redis_is_not_available_commands_fail_at_once(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    answers = await asyncio.gather(
        *(redis_counters.count("same", 60) for _ in range(50)), return_exceptions=True
    )
    assert all(isinstance(answer, RedisUnavailable) for answer in answers)
    with pytest.raises(RedisUnavailable):
        await redis_counters.count("same", 60)
