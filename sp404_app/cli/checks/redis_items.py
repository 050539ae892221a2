"""Items about Redis: reachable, persistence, eviction."""

from collections.abc import Callable
from typing import Any

import redis

from sp404_app.cli.checks.item import TIME_LIMIT_S, Finding, Item, Scope, missing, ok, warning
from sp404_app.supervisor import production_checks

MIN_VERSION = (6, 2)


def _in_redis(check: Callable[[dict[str, Any]], Finding]) -> Callable[[Scope], Finding]:
    """Return the check of a server's INFO as a check of the settings."""

    def run(scope: Scope) -> Finding:
        url = scope.settings.redis_url
        if not url:
            return missing(next(production_checks.find_missing(scope.settings, "SP404_REDIS_URL")))
        try:
            with redis.Redis.from_url(
                url, socket_timeout=TIME_LIMIT_S, socket_connect_timeout=TIME_LIMIT_S
            ) as client:
                info: Any = client.info()  # redis-py types it as awaitable, too
                return check(info)
        except redis.AuthenticationError:
            return missing("Redis refuses the password in SP404_REDIS_URL.")
        except redis.RedisError as error:
            return missing(
                f"The Redis of SP404_REDIS_URL does not answer ({type(error).__name__})."
            )
        except ValueError:
            return missing("SP404_REDIS_URL is not an address of a Redis.")

    return run


def _version(info: dict[str, Any]) -> Finding:
    version = str(info.get("redis_version", "0"))
    parts = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if parts < MIN_VERSION:
        return missing(f"This is Redis {version}: version 6.2 or later is needed.")
    return ok(f"Redis {version} answers.")


def _persistence(info: dict[str, Any]) -> Finding:
    if info.get("aof_enabled"):
        return ok("Redis writes its data to disk (appendonly).")
    return warning(
        "Redis does not write each change to disk: set `appendonly yes`, or queued jobs and rate "
        "limits are lost when it restarts."
    )


def _eviction(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        return ok("Redis evicts nothing.")
    told = f"The eviction policy of Redis is {policy}: set `maxmemory-policy noeviction`, or jobs"
    if policy.startswith("volatile"):  # jobs have no expiry, but the state of pages has one
        return warning(f"{told} stay and open pages are lost when memory is full.")
    return missing(f"{told} vanish when memory is full.")


REDIS_ITEMS = (
    Item("redis", _in_redis(_version)),
    Item("redis-persistence", _in_redis(_persistence)),
    Item("redis-eviction", _in_redis(_eviction)),
)
