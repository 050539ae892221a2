"""A database that cannot be used gives one sentence, which says what an administrator has to do."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sp404_app.supervisor import database_checks, migrations
from sp404_app.supervisor.errors import ConfigurationError, Failure
from tests.postgres_servers import OWNER, PostgresServer, running_postgres
from tests.product import free_port


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(16) as server:
        yield server


def message(url: str) -> str:
    with pytest.raises(ConfigurationError) as failure:
        migrations.run_migrations(url)
    assert failure.value.exit_code == 2
    assert "\n" not in str(failure.value)
    return str(failure.value)


def test_the_owner_of_a_database_with_pgvector_can_migrate_it(server: PostgresServer) -> None:
    url = server.create_database()
    with pytest.raises(Failure, match="run `python -m sp404_app migrate` first"):
        database_checks.ensure_migrated(url)
    migrations.run_migrations(url)
    database_checks.ensure_migrated(url)
    assert migrations.pending_migrations(url) == []


def test_a_process_alone_waits_for_a_database_that_does_not_answer() -> None:
    database_checks.ensure_migrated(f"postgresql://localhost:{free_port()}/sp404")


def test_pgvector_must_be_created_by_an_administrator(server: PostgresServer) -> None:
    url = server.create_database(pgvector=False)
    assert "run `create extension vector` in the database" in message(url)


def test_a_superuser_creates_pgvector(server: PostgresServer) -> None:
    url = server.create_database(pgvector=False).replace(f"//{OWNER}@", "//postgres@")
    migrations.run_migrations(url)


def test_the_role_must_own_the_database(server: PostgresServer) -> None:
    assert f'owner to "{OWNER}"`' in message(server.create_database(owned=False))


def test_the_database_must_be_utf8(server: PostgresServer) -> None:
    server.as_admin(
        "postgres", "create database latin encoding 'LATIN1' template template0 locale 'C'"
    )
    assert "create one with UTF8" in message(server.url("latin"))


def test_a_role_that_is_unknown_gives_the_reason(server: PostgresServer) -> None:
    assert 'role "nobody" does not exist' in message(server.url("postgres", "nobody"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:hunter2@127.0.0.1:1/sp404",
        "postgresql://app:hunter2@nowhere.invalid/sp404",
        "postgresql://app:hunter2%zz@127.0.0.1/sp404",
        "postgresql://app:hunter2@127.0.0.1/sp404?nonsense=1",
    ],
)
def test_no_message_contains_the_password(url: str) -> None:
    assert "hunter2" not in message(url)


def test_a_reason_is_written_without_the_password() -> None:
    error = psycopg.OperationalError("no host p@ss\nmore")
    url = "postgresql://app:p%40ss@db/sp404"
    assert database_checks.reason_of(error, url) == "no host …"


def test_a_server_that_is_not_there_gives_one_message(tmp_path: Path) -> None:
    assert "cannot be used" in message(f"postgresql://postgres@/none?host={tmp_path}")
