"""PostgreSQL 16 (our minimum, from pip's pgserver) and 18 (ours) as external servers of a test."""

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from sp404_app.supervisor import database_user, postgresql
from sp404_app.supervisor.process import Child
from tests.services_for_tests import FAST

OWNER = "app"  # the ordinary role: it owns its database, and has no other rights


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; its administrator is `postgres`."""

    socket: Path
    programs: Path

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket), safe='')}"

    def as_admin(self, database: str, *statements: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create_database(self, *, pgvector: bool = True, owned: bool = True) -> str:
        """Create a database; return its URL for the ordinary role."""
        name = f"db_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            owner = sql.SQL(f"owner {OWNER if owned else 'postgres'}")  # type: ignore[arg-type]
            connection.execute(sql.SQL("create database {} {}").format(sql.Identifier(name), owner))
        if pgvector:
            self.as_admin(name, "create extension vector")
        return self.url(name, OWNER)


def programs_of(major: int) -> Path:
    """Return the folder of `postgres` and `pg_dump`; skip the test if pip has none."""
    if major == 18:
        return postgresql.programs()
    spec = importlib.util.find_spec("pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    pytest.skip("pip has no PostgreSQL 16 (pgserver) for this machine")


@lru_cache
def _make_executable(programs: Path) -> None:
    database_user.make_traversable(programs / "postgres")
    for path in (programs.parent, *programs.parent.rglob("*")):
        path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))


@contextmanager
def running_postgres(major: int, network: str = "") -> Iterator[PostgresServer]:
    """Start a server of a version on a Unix socket, and stop it at the end of the block.

    With a network, such as `10.0.0.1/24`, it also answers all who are in it, at this address.
    """
    programs = programs_of(major)
    # Not pytest's folder, whose path is private, and too long for a socket.
    root = Path(tempfile.mkdtemp(prefix=f"sp404pg{major}-"))
    data, socket = root / "data", root / "socket"
    user = database_user.postgres_user(data)
    for folder in (root, data, socket):
        folder.mkdir(exist_ok=True)
        if user:
            database_user.give_folder(folder, user)
    if user:
        _make_executable(programs)
    command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run(
        [*command, "--locale=C"],
        check=True,
        capture_output=True,
        cwd=root,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if network:
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
    address = network.partition("/")[0]
    server = Child(
        name=f"PostgreSQL {major}",
        command=[programs / "postgres", "-D", data, "-h", address, "-k", socket, *FAST],
        environment={"LC_ALL": "C", "TZ": "UTC"},
        log=root / "log",
        folder=data,
        user=user,
        stop_signal=signal.SIGINT,
    )
    server.start()
    try:
        found = PostgresServer(socket, programs)
        server.wait_until(lambda: _answers(found), 60)
        found.as_admin("postgres", f"create role {OWNER} login")
        yield found
    finally:
        server.send_stop_signal()
        server.wait_stopped()
        shutil.rmtree(root, ignore_errors=True)


def _answers(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.url("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True
