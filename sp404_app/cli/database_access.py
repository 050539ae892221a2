"""The database for commands that are run by hand, whether or not the library is open."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from sp404_app.settings import Settings
from sp404_app.supervisor import postgresql
from sp404_app.supervisor.environment import for_children
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock, wait_for_guard
from sp404_app.supervisor.process import stop
from sp404_app.supervisor.watchdog import Guard


@contextmanager
def database(settings: Settings, *, exclusive: bool) -> Iterator[str]:
    """Give the address of the database; the embedded one is started for as long as it takes.

    Args:
        settings: Where the library lives.
        exclusive: Refuse while the library is open, and keep it from being opened.

    Raises:
        Failure: when the library is open and must not be, or the database does not answer.
    """
    home = Home(settings.home)
    home.prepare(room_mb=0)
    try:
        claim = lock(home)
    except Failure:
        if exclusive:
            raise
        yield settings.database_url or _running(home)
        return
    with claim:
        if settings.database_url:
            yield settings.database_url
            return
        with _started(settings, home) as url:
            yield url


def _running(home: Home) -> str:
    url = postgresql.url(home)
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise Failure(f"The library in {home.root} is just starting or stopping.") from error
    return url


@contextmanager
def _started(settings: Settings, home: Home) -> Iterator[str]:
    wait_for_guard(home)
    guard = Guard(home)
    try:
        server = postgresql.prepare(home, for_children(settings, home))
        server.start()
        try:
            postgresql.wait(server, home)
            yield postgresql.url(home)
        finally:
            stop([server])
    finally:
        guard.release()
