"""Transactions, their actions after commit or rollback, and quick reads."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy.exc import InternalError, OperationalError, ProgrammingError
from sqlmodel import Session, select, text

from sp404_app import db
from sp404_app.models import User
from sp404_app.settings import Settings, settings

pytestmark = pytest.mark.usefixtures("services")


def broken() -> None:
    raise ConnectionError("Redis is away")


def new_user() -> User:
    return User(email="ada@example.org", password_hash="x")


def list_users() -> list[User]:
    with db.transaction() as session:
        return list(session.exec(select(User)))


def test_after_commit_actions_run_when_the_rows_are_visible() -> None:
    seen: list[int] = []
    with db.transaction() as session:
        session.add(new_user())
        db.after_commit(session, lambda: seen.append(len(list_users())))
        db.if_undone(session, lambda: seen.append(-1))
        assert seen == []
    assert seen == [1]


def test_a_failing_after_commit_action_affects_neither_caller_nor_other_actions(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []
    with db.transaction() as session:
        session.add(new_user())
        db.after_commit(session, broken)
        db.after_commit(session, lambda: done.append("published"))
    assert (done, len(list_users())) == (["published"], 1)
    assert "an effect of a transaction failed" in caplog.text


def test_a_rollback_leaves_no_rows_and_deletes_its_files() -> None:
    done: list[str] = []

    def fail() -> None:
        with db.transaction() as session:
            session.add(new_user())
            db.after_commit(session, lambda: done.append("published"))
            db.if_undone(session, broken)
            db.if_undone(session, lambda: done.append("deleted"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert (done, list_users()) == (["deleted"], [])


def test_a_failed_commit_counts_as_a_rollback() -> None:
    done: list[str] = []

    def clash() -> None:
        with db.transaction() as session:
            db.if_undone(session, lambda: done.append("deleted"))
            session.connection().execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(OperationalError):
        clash()
    assert done == ["deleted"]


def test_connections_that_the_database_dropped_are_replaced() -> None:
    list_users()
    with db.engine().connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    assert list_users() == []


def test_a_session_keeps_its_settings_after_a_rollback() -> None:
    for _ in range(2):
        with db.engine().connect() as connection:
            for name, value in (
                ("idle_in_transaction_session_timeout", "5min"),
                ("random_page_cost", "1.1"),
            ):
                assert connection.execute(text(f"show {name}")).scalar() == value
            connection.rollback()


def test_a_database_that_only_reads_is_an_outage() -> None:
    with db.transaction() as session:
        session.execute(text("set transaction read only"))
        with pytest.raises(OperationalError) as caught:
            session.execute(text("delete from users"))
        session.rollback()
    assert isinstance(caught.value.orig, ReadOnlySqlTransaction)


def test_other_internal_errors_of_the_database_keep_their_class() -> None:
    with db.transaction() as session:
        with pytest.raises(ProgrammingError):
            session.execute(text("select nothing"))
        with pytest.raises(InternalError):  # in a failed transaction
            session.execute(text("select 1"))
        session.rollback()


async def test_the_event_loop_runs_on_while_the_database_works() -> None:
    ticking = threading.Event()

    def wait(_: Session) -> bool:
        return ticking.wait(20)

    waiting = asyncio.create_task(db.in_transaction(wait))
    await asyncio.sleep(0)
    ticking.set()
    assert await waiting


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "QUICK_TIMEOUT_S", 0.2)


@pytest.fixture
def silent(services: Settings) -> Iterator[None]:
    """Name a database that accepts connections and never answers."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        port = server.getsockname()[1]
        patch.setenv("SP404_DATABASE_URL", f"postgresql://postgres@127.0.0.1:{port}/none")
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.mark.usefixtures("impatient", "silent")
async def test_quick_reads_time_out_while_connecting() -> None:
    async with db.quick_reads(), asyncio.TaskGroup() as group:
        for _ in range(db.QUICK_CONNECTIONS * 3):
            group.create_task(declined())


@pytest.mark.usefixtures("impatient")
async def test_quick_reads_time_out_while_waiting_for_a_connection() -> None:
    async with db.quick_reads(), AsyncExitStack() as held:
        assert db._quick_pool is not None
        for _ in range(db.QUICK_CONNECTIONS):
            await held.enter_async_context(db._quick_pool.acquire())
        await declined()
        await held.aclose()
        assert [tuple(row) for row in await db.quick("select 1")] == [(1,)]


@pytest.mark.usefixtures("impatient")
async def test_a_quick_read_times_out_and_its_connection_is_reused() -> None:
    async with db.quick_reads():
        await declined("select pg_sleep(60)")
        assert [tuple(row) for row in await db.quick("select 1")] == [(1,)]


async def test_a_read_whose_connection_the_database_ends_is_declined() -> None:
    ends = asyncio.get_running_loop().time() + 3
    kill = "select pg_terminate_backend($1)"

    async def read(pids: set[int]) -> None:
        while asyncio.get_running_loop().time() < ends:
            try:
                pids.add((await db.quick("select pg_backend_pid()"))[0][0])
            except db.NotQuick:
                await asyncio.sleep(0.01)

    async with db.quick_reads(), asyncio.TaskGroup() as group:
        pids: set[int] = set()
        for _ in range(8):
            group.create_task(read(pids))
        killer = await asyncpg.connect(db.asyncpg_address(settings().database_url))
        while asyncio.get_running_loop().time() < ends:
            for pid in list(pids):
                await killer.execute(kill, pid)
            pids.clear()
            await asyncio.sleep(0.02)
        await killer.close()


async def declined(statement: str = "select 1") -> None:
    async with asyncio.timeout(10):
        with pytest.raises(db.NotQuick):
            await db.quick(statement)


@pytest.fixture(autouse=True)
def fresh_engine() -> Iterator[None]:
    yield
    db.engine().dispose()


async def test_quick_reads_take_an_address_with_parameters_of_libpq(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    url = f"{services.database_url}&channel_binding=prefer&application_name=crate"
    environment.setenv("SP404_DATABASE_URL", url)
    settings.cache_clear()
    async with db.quick_reads():
        assert [tuple(row) for row in await db.quick("select 1")] == [(1,)]
