"""Database access for commands, whether or not the library is running."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from sp404_app.settings import Settings
from sp404_app.supervisor import database_checks, postgresql
from sp404_app.supervisor.environment import for_children
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock_home, wait_for_guard
from sp404_app.supervisor.process import stop_children
from sp404_app.supervisor.watchdog import Watchdog


@contextmanager
def database_url(settings: Settings, *, exclusive: bool) -> Iterator[str]:
    """Yield the URL of the database; the embedded server runs during the block if needed.

    Args:
        settings: The settings of the library.
        exclusive: Fail if the library is running, and prevent its start during the block.

    Raises:
        Failure: If the library is running and must not be, there is none that could be read, or
            the database does not answer.
    """
    home = Home(settings.home)
    home.prepare(room_mb=0)
    try:
        home_lock = lock_home(home)
    except Failure:
        if exclusive:
            raise
        yield settings.database_url or _url_of_running(home)
        return
    with home_lock:
        if settings.database_url:
            yield settings.database_url
            return
        if not exclusive and not home.postgres.exists():
            raise Failure(f"{home.root} holds no library: check SP404_HOME, or run `serve` first.")
        with started_server(settings, home) as url:
            yield url


@contextmanager
def library_database(settings: Settings) -> Iterator[str]:
    """Yield the URL of the database of a library that exists, whether or not it is running.

    Raises:
        Failure: If there is none, its database has no tables, or does not answer.
    """
    with database_url(settings, exclusive=False) as url:
        database_checks.ensure_migrated(url)
        yield url


def record(settings: Settings, write: Callable[[str], None], what: str) -> str:
    """Write in the database that something was made, for the alert on old ones.

    Return a note for its summary if the database does not take it, otherwise "".
    """
    try:
        with database_url(settings, exclusive=False) as url:
            write(url)
    except (psycopg.Error, Failure) as error:
        reason = str(error) if isinstance(error, Failure) else _explain(error)
        note = f" The database did not record it, so the alert on old {what} stays."
        return f"{note} The reason: {reason}"
    return ""


def _explain(error: psycopg.Error) -> str:
    """Return the server's own sentence, or what kind of error there was without one."""
    message = error.diag.message_primary or type(error).__name__
    return f"{message.rstrip('.')}."


def _url_of_running(home: Home) -> str:
    url = postgresql.postgres_url(home)
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise Failure(
            f"The library in {home.root} is starting or stopping: try again in a minute."
        ) from error
    return url


@contextmanager
def started_server(settings: Settings, home: Home) -> Iterator[str]:
    """Run the embedded server of a home, which the caller has locked; yield its URL.

    Raises:
        Failure: If it does not start.
    """
    wait_for_guard(home)
    guard = Watchdog(home)
    try:
        server = postgresql.prepare_postgres(home, for_children(settings, home))
        server.start()
        try:
            postgresql.wait_for_postgres(server, home)
            yield postgresql.postgres_url(home)
        finally:
            stop_children([server])
    finally:
        guard.release()
