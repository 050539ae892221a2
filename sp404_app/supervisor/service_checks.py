"""Check that the database and the Redis of the settings answer, before anything is started."""

from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, RedisError
from redis.retry import Retry

from sp404_app.settings import Settings
from sp404_app.supervisor import database_checks
from sp404_app.supervisor.errors import ConfigurationError

MIN_REDIS = (6, 2)
TIMEOUT_S = 10


def ensure_services(settings: Settings) -> None:
    """Check the external services; embedded ones are started later.

    Raises:
        ConfigurationError: With one sentence, which does not contain a password.
    """
    if settings.database_url:
        database_checks.ensure_database(settings.database_url)
    if settings.database_pool_url:
        database_checks.ensure_database(settings.database_pool_url, "SP404_DATABASE_POOL_URL")
    if settings.redis_url:
        ensure_redis(settings.redis_url)


def ensure_redis(url: str) -> None:
    """Check that a Redis answers and is new enough.

    Raises:
        ConfigurationError: With one sentence, which does not contain the password.
    """
    problem = "The Redis of SP404_REDIS_URL cannot be used"
    try:
        with redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            server = cast("dict[str, object]", client.info("server"))
            version = str(server["redis_version"])
    except (AuthenticationError, AuthorizationError) as error:
        raise ConfigurationError(f"{problem}: its user name or password is wrong.") from error
    except (RedisError, OSError, ValueError) as error:
        # Other messages of the server may quote what was sent to it, such as the password.
        reason = _connection_error(error)
        raise ConfigurationError(f"{problem}: {reason}.") from error
    if tuple(map(int, version.split(".")[:2])) < MIN_REDIS:
        raise ConfigurationError(f"{problem}: it has version {version}, and 6.2 is needed.")


def _connection_error(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    if isinstance(cause, TimeoutError):
        return f"it did not answer within {TIMEOUT_S} s"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.rstrip(".").lower()
    return "it did not answer as a Redis does"
