"""Transactions: one for jobs and routes, one bridge for the event loop, and quick reads on it."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import Engine
from sqlmodel import Session, create_engine

from sp404_app.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

AFTER_COMMIT = "after_commit"
IF_UNDONE = "if_undone"

log = logging.getLogger(__name__)


@lru_cache
def engine() -> Engine:
    """Return the engine, made on first use: web workers fork after importing the app."""
    url = settings().database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url, pool_pre_ping=True, pool_size=8, max_overflow=8)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open one transaction: commit at the end, roll back on any error.

    What `after_commit` collected runs once the rows are visible to others, what `if_undone`
    collected when they never will be.
    """
    with Session(engine(), expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except BaseException:
            _perform(session.info.pop(IF_UNDONE, []))
            raise
        _perform(session.info.pop(AFTER_COMMIT, []))


def after_commit(session: Session, action: Callable[[], object]) -> None:
    """Run an effect (ring, publish, delete a file) only if and after the commit succeeds.

    Whoever depends on an effect must be able to do without: it fails while Redis or the store
    is away, and the caller's work is done all the same.
    """
    session.info.setdefault(AFTER_COMMIT, []).append(action)


def if_undone(session: Session, action: Callable[[], object]) -> None:
    """Run an effect (delete a file that has no row now) if the transaction is rolled back."""
    session.info.setdefault(IF_UNDONE, []).append(action)


def _perform(actions: list[Callable[[], object]]) -> None:
    """Run effects; the rows are decided, so an effect that fails is only written down."""
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("an effect of a transaction failed: %r", action)


async def in_transaction(
    work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run a service in a thread, so that no query ever blocks the event loop."""

    def call() -> R:
        with transaction() as session:
            return work(session, *args, **kwargs)

    return await asyncio.to_thread(call)


_quick: asyncpg.Pool | None = None
QUICK_LINES = max(2, os.cpu_count() or 1)  # more of them than cores would only take turns
QUICK_SECONDS = 5.0


class NotQuick(Exception):
    """The quick way is closed or did not work; the transactions say what is the matter."""


@asynccontextmanager
async def quick_reads() -> AsyncIterator[None]:
    """Keep connections open on this event loop, for reads so frequent that a thread costs more."""
    global _quick  # noqa: PLW0603 - one for each web process, as long as it serves
    async with asyncpg.create_pool(
        settings().database_url,
        min_size=0,
        max_size=QUICK_LINES,
        timeout=QUICK_SECONDS,
        command_timeout=QUICK_SECONDS,
        reset=_nothing_to_reset,
    ) as _quick:
        yield
    _quick = None


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """Save a round trip after each read: a single statement leaves nothing behind on its line."""


async def quick(statement: str, *values: object) -> list[Any]:
    """Return the rows of one statement, read on the event loop itself.

    Raises:
        NotQuick: If nobody opened the way, the statement failed, or it took too long, as did
            waiting for a line, opening one or giving it back.
    """
    if _quick is None:
        raise NotQuick
    try:
        # The line's own limit counts again when it is given back to a database that hangs.
        async with _quick.acquire(timeout=QUICK_SECONDS) as line:
            return await line.fetch(statement, *values)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
        raise NotQuick from error
