"""A real PostgreSQL and Redis, started once per run by whichever test needs them first."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from sp404_app.supervisor import migrations, orphans, postgresql, redis_server
from sp404_app.supervisor.home import Home

TEMPLATE = "template_sp404"
# Nothing of a test run has to survive a power cut.
FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one pytest process finds its own database."""

    database_url: str
    redis_url: str


def claim(home: Home, worker: str) -> Addresses:
    """Start the services unless they run already, and make this worker's database."""
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    with _locked(home.run / "claim.lock"):
        if not (home.run / "up").exists():
            _start(home)
            (home.run / "up").touch()
        name = f"test_{worker}"
        with psycopg.connect(postgresql.url(home, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
    return Addresses(postgresql.url(home, name), redis_server.url(home, 2 + number))


def _start(home: Home) -> None:
    environment = dict(os.environ)
    database = postgresql.prepare(home, environment, FAST)
    queue = redis_server.prepare(home, environment | orphans.mark(home, "redis"), durable=False)
    database.start()
    queue.start()
    redis_server.wait(queue, home)
    postgresql.wait(database, home)
    with psycopg.connect(postgresql.url(home, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    migrations.upgrade(postgresql.url(home, TEMPLATE))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
