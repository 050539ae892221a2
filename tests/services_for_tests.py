"""Real PostgreSQL and Redis, started once per run by the first test that needs them."""

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

TEMPLATE_DATABASE = "template_sp404"
# The data of a test run need not survive a power failure.
FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs of the database and Redis of one pytest process."""

    database_url: str
    redis_url: str


def claim(home: Home, worker: str) -> Addresses:
    """Start the services unless they are running, and create this worker's database."""
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    with _locked(home.run / "claim.lock"):
        if not (home.run / "up").exists():
            _start(home)
            (home.run / "up").touch()
        name = f"test_{worker}"
        with psycopg.connect(
            postgresql.postgres_url(home, "postgres"), autocommit=True
        ) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE_DATABASE)
                )
            )
    return Addresses(
        postgresql.postgres_url(home, name), redis_server.embedded_redis_url(home, 2 + number)
    )


def _start(home: Home) -> None:
    environment = dict(os.environ)
    database = postgresql.prepare_postgres(home, environment, FAST)
    queue = redis_server.prepare_redis(
        home, environment | orphans.marker_variable(home, "redis"), durable=False
    )
    database.start()
    queue.start()
    redis_server.wait_for_redis(queue, home)
    postgresql.wait_for_postgres(database, home)
    with psycopg.connect(postgresql.postgres_url(home, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE_DATABASE)))
    migrations.run_migrations(postgresql.postgres_url(home, TEMPLATE_DATABASE))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
