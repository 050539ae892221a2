"""Backups move between versions of PostgreSQL, and an ordinary role restores all or nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from sp404_app.cli import backup, backup_manifest, restore
from sp404_app.models import Sample
from sp404_app.services.infra import storage
from sp404_app.services.infra.library_use import (
    LibraryInUse,
    LibraryUse,
    exclusive_use,
    show_use,
)
from sp404_app.settings import Settings
from sp404_app.supervisor import migrations, postgres_clients, postgresql, restore_recovery
from sp404_app.supervisor.errors import Failure
from tests.cli.libraries import EMAIL, KEY, NEW, OLD, OTHER_KEY, contents, fill
from tests.cli.test_backup import reseal, session_on
from tests.postgres_servers import PostgresServer

COMMAND = [sys.executable, "-m", "sp404_app"]
DIES_AFTER_THE_COMMIT = """
import os, pathlib, sys
from sp404_app.cli import restore
from sp404_app.settings import settings
from sp404_app.supervisor import migrations
change = migrations.migrate_after
def die(*arguments):
    change(*arguments)
    os._exit(9)
migrations.migrate_after = die
restore.restore_backup(settings(), pathlib.Path(sys.argv[1]), replace=True)
"""


@pytest.mark.parametrize(("source", "target"), [(16, 16), (16, 18), (18, 18), (18, 16)])
def test_an_ordinary_role_restores_between_versions(
    servers: Callable[[int], PostgresServer],
    library: Callable[[str, str], Settings],
    tmp_path: Path,
    source: int,
    target: int,
) -> None:
    here = library("first", servers(source).create_database())
    fill(here, EMAIL, KEY, "new")
    backup.create_backup(here, tmp_path / "backup")
    there = library("second", servers(target).create_database())
    fill(there, "old@example.org", OTHER_KEY, "old")
    restore.restore_backup(there, tmp_path / "backup", replace=True)
    assert contents(there) == NEW
    with session_on(there.database_url) as session:
        assert session.query(Sample).one().name == "kick\tA\\"
    assert migrations.pending_migrations(there.database_url) == []


def test_a_database_without_pgvector_gives_one_message(
    archive: Path,
    servers: Callable[[int], PostgresServer],
    library: Callable[[str, str], Settings],
) -> None:
    there = library("third", servers(18).create_database(pgvector=False))
    with pytest.raises(Failure, match="create extension vector"):
        restore.restore_backup(there, archive)
    assert not there.secrets.exists()


def test_a_dump_of_an_earlier_version_of_the_program_is_restored(
    archive: Path, other: Settings
) -> None:
    dump = archive / backup_manifest.DATABASE
    head, _, rest = dump.read_text().partition("CREATE FUNCTION")
    assert rest
    dump.write_text(
        f"{head}CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;\n"
        f"COMMENT ON EXTENSION vector IS 'x';\nCREATE FUNCTION{rest}"
    )
    reseal(archive)
    restore.restore_backup(other, archive, replace=True)
    assert contents(other) == NEW


def test_a_restore_can_be_repeated(archive: Path, other: Settings) -> None:
    for _ in range(2):
        restore.restore_backup(other, archive, replace=True)
        assert contents(other) == NEW


def test_a_restore_repairs_a_damaged_file(archive: Path, other: Settings) -> None:
    storage.save_bytes(b"damaged", KEY)
    restore.restore_backup(other, archive, replace=True)
    assert storage.read_bytes(KEY) == KEY.encode()


def cut_dump(dump: Path) -> None:
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])


def fail_at_the_end(dump: Path) -> None:
    dump.write_text(f"{dump.read_text()}\nselect 1 / 0;\n")


def name_a_newer_revision(dump: Path) -> None:
    text = dump.read_text()
    head, _, rest = text.partition("COPY public.alembic_version (version_num) FROM stdin;\n")
    dump.write_text(
        f"{head}COPY public.alembic_version (version_num) FROM stdin;\nfuture\n"
        f"{rest.partition(chr(10))[2]}"
    )


def replace_by_a_foreign_dump(dump: Path) -> None:
    dump.write_text(
        "COPY public.notes (text) FROM stdin;\nhello\n\\.\n-- PostgreSQL database dump complete\n"
    )


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (cut_dump, "ends too early"),
        (fail_at_the_end, "division by zero"),
        (name_a_newer_revision, "newer version"),
        (replace_by_a_foreign_dump, "not a backup of Crate 404"),
    ],
)
def test_a_restore_that_fails_changes_nothing(
    archive: Path, other: Settings, damage: Callable[[Path], None], sentence: str
) -> None:
    damage(archive / backup_manifest.DATABASE)
    reseal(archive)
    with pytest.raises(Failure, match=sentence):
        restore.restore_backup(other, archive, replace=True)
    assert contents(other) == OLD


def test_a_migration_that_fails_changes_nothing(
    archive: Path, other: Settings, environment: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise psycopg.errors.UndefinedTable('relation "x" does not exist')

    environment.setattr(migrations.command, "upgrade", fail)
    with pytest.raises(Failure, match="could not be migrated"):
        restore.restore_backup(other, archive, replace=True)
    assert contents(other) == OLD


def test_a_restore_that_is_killed_half_way_is_undone(archive: Path, other: Settings) -> None:
    with psycopg.connect(other.database_url) as reader:
        reader.execute("select * from users")  # the restore waits for the end of this transaction
        process = subprocess.Popen([*COMMAND, "restore", str(archive), "--replace"])
        with psycopg.connect(other.database_url, autocommit=True) as watcher:
            waiting = "select pid from pg_locks where not granted"
            while not watcher.execute(waiting).fetchall():
                assert process.poll() is None
                time.sleep(0.05)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert KEY in set(backup.list_stored_keys())
    restore_recovery.ensure_recovered(other, other.database_url)
    assert contents(other) == OLD


def test_a_restore_that_is_killed_after_the_commit_is_finished(
    archive: Path, other: Settings
) -> None:
    process = subprocess.run([sys.executable, "-c", DIES_AFTER_THE_COMMIT, archive], check=False)
    assert process.returncode == 9
    assert (other.secrets / "pepper").read_text() == "old"
    restore_recovery.ensure_recovered(other, other.database_url)
    assert contents(other) == NEW


def test_a_restore_is_refused_while_a_process_uses_the_library_on_any_host(
    archive: Path, other: Settings
) -> None:
    uses = [LibraryUse(role) for role in ("web server", "worker")]
    assert [use.keep() for use in uses] == [True, True]
    with pytest.raises(Failure, match=r"in use by web server \d+ on .+, worker \d+ on .+: stop"):
        restore.restore_backup(other, archive, replace=True)
    assert contents(other) == OLD
    for use in uses:
        use.release()
    restore.restore_backup(other, archive, replace=True)
    assert contents(other) == NEW


def test_a_use_is_shown_again_after_the_database_ended_the_connection(
    archive: Path, other: Settings
) -> None:
    use = LibraryUse("scheduler")
    assert use.keep()
    with psycopg.connect(other.database_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'scheduler %'"
        )
    use.keep()  # notices it
    use.keep()
    with pytest.raises(Failure, match="in use by scheduler"):
        restore.restore_backup(other, archive, replace=True)
    use.release()


def test_a_process_that_starts_during_a_restore_waits_for_its_end(other: Settings) -> None:
    use, pauses = LibraryUse("worker"), list[float]()
    with exclusive_use(other.database_url):
        assert not use.keep()
    with ExitStack() as stack:
        stack.enter_context(exclusive_use(other.database_url))

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            stack.close()

        show_use("worker", pause)
    assert pauses  # PostgreSQL frees the lock a moment after the end
    with pytest.raises(LibraryInUse), exclusive_use(other.database_url):
        pass


def test_the_folder_of_secrets_that_a_restore_creates_is_for_its_user_only(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path / "home", secrets_dir=tmp_path / "home" / "keys")
    restore_recovery.write_journal(settings, restore_recovery.Journal((), ()), [])
    assert settings.secrets.stat().st_mode & 0o777 == 0o700


def test_a_database_newer_than_every_pg_dump_gives_one_message(
    environment: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Failure, match="install the client programs of PostgreSQL 99"):
        postgres_clients.find_pg_dump(99)


def test_the_oldest_pg_dump_that_fits_is_used(
    servers: Callable[[int], PostgresServer], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("PATH", f"{servers(16).programs}{os.pathsep}{os.environ['PATH']}")
    assert postgres_clients.find_pg_dump(16).parent == servers(16).programs
    assert postgres_clients.find_pg_dump(17).parent == postgresql.programs()
