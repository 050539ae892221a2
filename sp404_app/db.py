"""Database transactions, their after-commit actions, and fast reads on the event loop."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
import psycopg
from anyio.lowlevel import RunVar
from fastapi.concurrency import contextmanager_in_threadpool
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import InternalError, OperationalError
from sqlmodel import Session, create_engine

from sp404_app import lost_hosts
from sp404_app.errors import Unavailable
from sp404_app.settings import settings
from sp404_app.telemetry import metrics, tracing
from sp404_app.telemetry.database import measure_engine

P = ParamSpec("P")
R = TypeVar("R")

# Connections of each process, kept once they are open. Others, opened under load and closed again,
# made the load worse: opening one costs more than most requests.
POOL_SIZE = 16
# A request holds a connection from its first statement until a thread has written its answer; other
# code holds one within a thread only. If requests could hold all of them while other code holds all
# threads, each would wait for the other.
MAX_REQUEST_CONNECTIONS = POOL_SIZE - 4
REQUEST_TIMEOUT_S = 10.0
# By default PostgreSQL expects a disk on which pages apart cost four times those in a row. It then
# walks through the samples of all users in the order of a page, and filters them.
PLANNER_SETTINGS = b"set_config('random_page_cost', '1.1', false)"
AFTER_COMMIT = "after_commit"
AFTER_ROLLBACK = "if_undone"

log = logging.getLogger(__name__)


@lru_cache
def engine() -> Engine:
    """Return the engine, created on first use, because web workers fork after the import."""
    url = _address().replace("postgresql://", "postgresql+psycopg://", 1)
    named = dict(parse_qsl(urlsplit(url).query))
    options: dict[str, Any] = {
        name: value for name, value in lost_hosts.POSTGRESQL_CLIENT.items() if name not in named
    }
    if settings().database_pool_url:
        # In its transaction mode, PgBouncer gives each transaction another connection, which lacks
        # the statements that were prepared on the last one.
        options["prepare_threshold"] = None
    made = create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=0,
        connect_args=options,
    )
    if not settings().database_pool_url:  # the sessions of a pooler are not ours
        event.listen(made, "connect", _set_session)
    event.listen(made, "handle_error", _as_outage, retval=True)
    measure_engine(made, POOL_SIZE)
    return made


def _as_outage(context: ExceptionContext) -> OperationalError | None:
    """Return the error of a database that only reads as that of one that is down.

    A standby refuses to write, as does the former primary after a failover.
    """
    error = context.sqlalchemy_exception
    if isinstance(error, InternalError) and isinstance(error.orig, ReadOnlySqlTransaction):
        return OperationalError(
            error.statement, error.params, error.orig, hide_parameters=error.hide_parameters
        )
    return None


def _set_session(connection: psycopg.Connection[Any], _: object) -> None:
    """Set what lets PostgreSQL notice the loss of this host, and what suits its disks."""
    connection.autocommit = True  # settings of a transaction that does not commit are undone
    connection.execute(lost_hosts.POSTGRESQL_SESSION_SQL + b"," + PLANNER_SETTINGS)
    connection.autocommit = False


def _address() -> str:
    """Return the address of the pooler, or else of the database.

    So no transaction here may rely on what outlives it in a session: advisory locks and settings
    end with the transaction, and there are no temporary tables and no LISTEN.
    """
    return settings().database_pool_url or settings().database_url


@contextmanager
def transaction() -> Iterator[Session]:
    """Open one transaction: commit at the end, roll back on any error.

    The actions of `after_commit` run after the commit, those of `if_undone` after a rollback.
    """
    with Session(engine(), expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except BaseException:
            _run_actions(session.info.pop(AFTER_ROLLBACK, []))
            raise
        _run_actions(session.info.pop(AFTER_COMMIT, []))


_request_slots: RunVar[asyncio.Semaphore] = RunVar("request slots")  # one for each event loop


@asynccontextmanager
async def request_transaction() -> AsyncIterator[Session]:
    """Open the transaction of one request, in threads; of others it waits without a thread.

    Raises:
        Unavailable: If too many other requests have one for ten seconds.
    """
    try:
        slots = _request_slots.get()
    except LookupError:
        slots = asyncio.Semaphore(MAX_REQUEST_CONNECTIONS)
        _request_slots.set(slots)
    try:
        await asyncio.wait_for(slots.acquire(), REQUEST_TIMEOUT_S)
    except TimeoutError as error:
        raise Unavailable("Too many requests at once. Try again in a few seconds.") from error
    try:
        async with contextmanager_in_threadpool(transaction()) as session:
            yield session
    finally:
        slots.release()


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Run an action (queue a job, publish, delete a file) only if and after the commit succeeds.

    An action that fails, for example because Redis is not available, does not fail the caller.
    So every action needs a fallback, such as housekeeping that repeats it.
    """
    session.info.setdefault(AFTER_COMMIT, []).append(action)


def if_undone(session: Session, action: Callable[[], object]) -> None:
    """Run an action (delete a file whose row was not written) if the transaction rolls back."""
    session.info.setdefault(AFTER_ROLLBACK, []).append(action)


def _run_actions(actions: list[Callable[[], object]]) -> None:
    """Run actions; one that fails is logged, because the transaction has already ended."""
    for action in actions:
        try:
            action()
        except Exception:  # actions are any code; one that fails must not stop the others
            log.exception("an effect of a transaction failed: %r", action)


async def in_transaction(
    work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a service function in a transaction, in a thread, without blocking the event loop."""

    def call() -> R:
        with transaction() as session:
            return work(session, *args, **kwargs)

    return await asyncio.to_thread(call)


_quick_pool: asyncpg.Pool | None = None
QUICK_CONNECTIONS = max(2, os.cpu_count() or 1)  # more than cores would not be faster
QUICK_TIMEOUT_S = 5.0
CACHED_STATEMENTS = 100  # in each connection
# What asyncpg reads from an address itself; it takes all else for settings of the server.
ASYNCPG_PARAMETERS = frozenset(
    ("host", "port", "user", "password", "dbname", "database", "passfile", "sslmode", "sslcert",
     "sslkey", "sslrootcert", "sslcrl", "sslpassword", "target_session_attrs", "krbsrvname")
)  # fmt: skip


class NotQuick(Exception):
    """A fast read is not possible now; the caller reads in a transaction instead."""


@asynccontextmanager
async def quick_reads() -> AsyncIterator[None]:
    """Keep a pool of asyncpg connections open, for reads so frequent that threads cost more."""
    global _quick_pool  # noqa: PLW0603 - one pool in each web process while it serves
    async with asyncpg.create_pool(
        asyncpg_address(_address()),
        min_size=0,
        max_size=QUICK_CONNECTIONS,
        timeout=QUICK_TIMEOUT_S,
        command_timeout=QUICK_TIMEOUT_S,
        reset=_skip_reset,
        # Statements that are not cached have no name: they are prepared for one execution.
        statement_cache_size=0 if settings().database_pool_url else CACHED_STATEMENTS,
    ) as _quick_pool:
        yield
    _quick_pool = None


def asyncpg_address(url: str) -> str:
    """Return an address without parameters of libpq that asyncpg would send to the server."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name in ASYNCPG_PARAMETERS]
    return urlunsplit(parts._replace(query=urlencode(kept)))


async def _skip_reset(_: asyncpg.Connection) -> None:
    """Save a round trip after each read: a single SELECT leaves no session state to reset."""


async def quick(statement: str, *values: object) -> list[Any]:
    """Return the rows of one statement, read on the event loop.

    Raises:
        NotQuick: If the pool is not open, the statement failed, or getting a connection, running
            the statement or releasing the connection timed out.
    """
    if _quick_pool is None:
        raise NotQuick
    try:
        # The timeout of `acquire` applies again to the release, if the database hangs.
        async with _quick_pool.acquire(timeout=QUICK_TIMEOUT_S) as connection:
            with (
                metrics.DATABASE_SECONDS.labels("fast_read").time(),
                tracing.span("SELECT", "CLIENT", tracing.query_attributes(statement)),
            ):
                return await connection.fetch(statement, *values)
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # of a connection that ends during the protocol's exchange
        OSError,
        ValueError,
    ) as error:
        raise NotQuick from error
