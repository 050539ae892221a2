"""Requests and jobs work through PgBouncer in transaction mode (Debian's package `pgbouncer`)."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx
import psycopg
import pytest
from sqlmodel import Session, func, select, text

from sp404_app import db
from sp404_app.api.app import api
from sp404_app.models import ProcessingJob, Sample, SampleStatus, User
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import database_user
from sp404_app.supervisor.process import Child
from tests.accounts import bearer
from tests.sounds import wav

UPLOADS = 30
POOL_SIZE = 2
PORT = 6432  # part of the socket's name only
CONFIGURATION = """
[databases]
* = host={host} port=5432 user=postgres
[pgbouncer]
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
"""


@pytest.fixture
def pool(services: Settings, environment: pytest.MonkeyPatch) -> Iterator[Settings]:
    """PgBouncer with two connections in front of the database of the test."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    direct = urlsplit(services.database_url)
    folder = Path(tempfile.mkdtemp(prefix="sp404pb-"))  # short: the path of a socket
    (folder / "pgbouncer.ini").write_text(
        CONFIGURATION.format(
            host=unquote(direct.query.removeprefix("host=")),
            port=PORT,
            folder=folder,
            size=POOL_SIZE,
        )
    )
    # It does not run as root, and must reach the socket of the database.
    user = database_user.postgres_user(folder / "missing")
    if user:
        database_user.give_folder(folder, user)
    url = f"postgresql://postgres@{direct.path}?host={quote(str(folder), safe='')}&port={PORT}"
    pooler = Child(
        name="PgBouncer",
        command=[program, folder / "pgbouncer.ini"],
        environment={},
        log=folder / "log",
        folder=folder,
        user=user,
    )
    pooler.start()
    pooler.wait_until(lambda: answers(url), 30)
    environment.setenv("SP404_DATABASE_POOL_URL", url)
    forget_settings()
    yield settings()
    environment.delenv("SP404_DATABASE_POOL_URL")
    forget_settings()
    pooler.send_stop_signal()
    pooler.wait_stopped()
    shutil.rmtree(folder)


def answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False


def forget_settings() -> None:
    db.engine().dispose()
    db.engine.cache_clear()
    settings.cache_clear()


@pytest.fixture
def workers(pool: Settings, tmp_path: Path) -> Iterator[None]:
    """Two workers that use the pool."""
    with (tmp_path / "worker.log").open("ab") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "sp404_app", "worker"],
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                stdout=log,
                stderr=log,
            )
            for _ in range(2)
        ]
    yield
    for process in started:
        process.terminate()
    for process in started:
        process.wait(60)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("workers")
async def test_no_upload_and_no_job_is_lost_through_a_pool_of_two(
    pool: Settings, person: Callable[[], User]
) -> None:
    sounds = [wav(110.0 + 7 * number) for number in range(UPLOADS)]
    owners = [bearer(person().id) for _ in range(3)]  # ten sounds each: the limit of Free
    transport = httpx.ASGITransport(api)
    async with (
        db.quick_reads(),
        httpx.AsyncClient(transport=transport, base_url=pool.origin, timeout=300) as client,
    ):
        answers = await asyncio.gather(
            *(
                client.post(
                    "/api/samples",
                    files={"file": (f"{number}.wav", sound, "audio/wav")},
                    headers=owners[number % len(owners)],
                )
                for number, sound in enumerate(sounds)
            )
        )
        assert [answer.status_code for answer in answers] == [201] * UPLOADS
        until = time.monotonic() + 500
        while set(found := await asyncio.to_thread(count_by_status)) != {SampleStatus.READY}:
            assert time.monotonic() < until, found
            await asyncio.sleep(0.2)
        assert found == {SampleStatus.READY: UPLOADS}
        listed = (await client.get("/api/samples", headers=owners[0])).json()
        assert {sample["status"] for sample in listed["samples"]} == {"ready"}


def count_by_status() -> dict[str, int]:
    with db.transaction() as session:
        return dict(session.exec(select(Sample.status, func.count()).group_by(Sample.status)).all())


async def test_fast_reads_work_beside_transactions(pool: Settings) -> None:
    numbers = range(40)
    async with db.quick_reads():
        reads = [db.quick("select $1::uuid, $2::int", uuid.uuid4(), each) for each in numbers]
        # They take the connections of the pool between the steps of a read.
        transactions = [db.in_transaction(read_number, each) for each in numbers]
        rows, _ = await asyncio.gather(asyncio.gather(*reads), asyncio.gather(*transactions))
    assert [row[0][1] for row in rows] == list(numbers)


def read_number(session: Session, number: int) -> None:
    for _ in range(5):
        session.execute(text("select pg_sleep(0.001)"))
    assert session.execute(text("select :number"), {"number": number}).scalar_one() == number


def test_statements_are_not_prepared(pool: Settings) -> None:
    query = select(ProcessingJob.id).where(ProcessingJob.attempts == 1)
    for _ in range(20):  # psycopg prepares a statement that it has sent five times
        with db.transaction() as session:
            session.exec(query).all()
    with psycopg.connect(pool.database_pool_url, prepare_threshold=None) as connection:
        assert connection.execute("select name from pg_prepared_statements").fetchall() == []
