"""The services of a running product, for benches that measure inside one process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from instance import running_product

from sp404_app.services.auth import signing_keys
from sp404_app.settings import settings
from sp404_app.supervisor import postgresql, redis_server
from sp404_app.supervisor.home import Home


@contextmanager
def connected_services() -> Iterator[None]:
    """Use the services of SP404_HOME if it is set (and running), else start a product."""
    if home := os.environ.get("SP404_HOME"):
        use_services_of(home)
        yield
        return
    with running_product() as instance:
        use_services_of(str(instance.home))
        yield


def use_services_of(folder: str) -> None:
    """Point this process's settings to the services of a running product."""
    os.environ["SP404_HOME"] = folder
    settings.cache_clear()
    home = Home(settings().home)
    os.environ["SP404_DATABASE_URL"] = postgresql.postgres_url(home)
    os.environ["SP404_REDIS_URL"] = redis_server.embedded_redis_url(home)
    settings.cache_clear()
    signing_keys.ensure_signing_key()


def percentile(times: list[float], share: float) -> float:
    """Return a percentile, in ms, of times in seconds."""
    return 1000 * sorted(times)[min(len(times) - 1, int(len(times) * share))]
