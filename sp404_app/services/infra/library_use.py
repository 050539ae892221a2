"""Which processes use the library, as shared locks in its database; a restore needs it alone.

Every web server, worker and scheduler holds a shared advisory lock on a connection of its own, so
the kernel or the server ends it with the process. `restore` takes the same lock exclusively.
"""

import asyncio
import logging
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import psycopg

from sp404_app.lost_hosts import POSTGRESQL_SESSION_SQL
from sp404_app.settings import settings

USE_LOCK: Final = 405  # 404 is held by migrations
CHECK_S: Final = 5.0
RESTORE_POLL_S: Final = 0.5
ENDING_S: Final = 1.0  # PostgreSQL frees the lock a moment after a process has ended
ENDING_POLL_S: Final = 0.1
CONNECT_TIMEOUT_S: Final = 5
NAME_BYTES: Final = 63  # PostgreSQL cuts longer names of applications
SHARED_SQL: Final = "select pg_try_advisory_lock_shared(%s)"
EXCLUSIVE_SQL: Final = "select pg_try_advisory_lock(%s)"
HOLDERS_SQL: Final = """
    select coalesce(nullif(application_name, ''), 'a process') from pg_locks
    left join pg_stat_activity using (pid)
    where locktype = 'advisory' and classid = 0 and objid = %s and objsubid = 1 and granted
      and pg_locks.database = (select oid from pg_database where datname = current_database())
      and pid <> pg_backend_pid()
    order by 1
"""

log = logging.getLogger(__name__)


class LibraryInUse(RuntimeError):
    """Other processes use the library; `holders` names them."""

    def __init__(self, holders: list[str]) -> None:
        super().__init__(", ".join(holders))
        self.holders = holders


class LibraryUse:
    """The shared lock of this process; it is taken again after the database was away."""

    def __init__(self, role: str) -> None:
        name = f"{role} {os.getpid()} on {socket.gethostname()}"
        self._name = name.encode()[:NAME_BYTES].decode(errors="ignore")
        self._url = settings().database_url
        self._connection: psycopg.Connection | None = None

    def keep(self) -> bool:
        """Take the lock unless it is held; return False while a backup is being restored.

        Without an answer of the database return True: nobody restores into it, either.
        """
        try:
            if self._connection is None:
                return self._take()
            self._connection.execute("select 1")
        except psycopg.Error:
            self.release()
        return True

    def release(self) -> None:
        """Close the connection, and with it the lock."""
        connection, self._connection = self._connection, None
        if connection:
            with suppress(psycopg.Error):
                connection.close()

    def _take(self) -> bool:
        connection = psycopg.connect(
            self._url,
            application_name=self._name,
            connect_timeout=CONNECT_TIMEOUT_S,
            autocommit=True,
        )
        try:
            connection.execute(POSTGRESQL_SESSION_SQL)  # a lost host must not count as a user
            row = connection.execute(SHARED_SQL, [USE_LOCK]).fetchone()
        except psycopg.Error:
            connection.close()
            raise
        if row is None or not row[0]:
            connection.close()
            return False
        self._connection = connection
        return True


def show_use(role: str, pause: Callable[[float], None] = time.sleep) -> None:
    """Show until this process ends that it uses the library; first wait for a restore to end."""
    use = LibraryUse(role)
    if not use.keep():
        log.warning("a backup is being restored: this process waits until that has ended")
        while not use.keep():
            pause(RESTORE_POLL_S)
    threading.Thread(target=_keep_for_ever, args=[use], daemon=True, name="library-use").start()


def _keep_for_ever(use: LibraryUse) -> None:
    while True:
        time.sleep(CHECK_S)
        use.keep()


@asynccontextmanager
async def show_use_while_serving() -> AsyncIterator[None]:
    """Show that this web process uses the library; first wait for a restore to end."""
    use = LibraryUse("web server")
    while not await asyncio.to_thread(use.keep):  # noqa: ASYNC110 - another host ends the restore
        await asyncio.sleep(RESTORE_POLL_S)
    keeper = asyncio.create_task(_keep_while_serving(use))
    try:
        yield
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper
        use.release()


async def _keep_while_serving(use: LibraryUse) -> None:
    while True:
        await asyncio.sleep(CHECK_S)
        await asyncio.to_thread(use.keep)


@contextmanager
def exclusive_use(url: str) -> Iterator[None]:
    """Let no process use the library in the database at a URL during the block.

    Raises:
        LibraryInUse: If one uses it now.
        psycopg.Error: If the database does not answer.
    """
    with psycopg.connect(url, autocommit=True, application_name="restore") as connection:
        until = time.monotonic() + ENDING_S
        while not _is_alone(connection):
            if time.monotonic() > until:
                holders = connection.execute(HOLDERS_SQL, [USE_LOCK]).fetchall()
                raise LibraryInUse([str(name) for (name,) in holders])
            time.sleep(ENDING_POLL_S)
        yield


def _is_alone(connection: psycopg.Connection) -> bool:
    row = connection.execute(EXCLUSIVE_SQL, [USE_LOCK]).fetchone()
    return row is not None and bool(row[0])
