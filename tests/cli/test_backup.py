"""A backup restores everything on another machine, or changes nothing."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlmodel import Session, create_engine, select

from sp404_app.cli import backup, backup_manifest, database_access, restore
from sp404_app.models import AuditEntry, Sample, User
from sp404_app.services.auth import passwords
from sp404_app.services.infra import backup_log, storage
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import migrations
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock_home

EMAIL = "dj@example.org"


@pytest.fixture
def machine(environment: pytest.MonkeyPatch) -> Iterator[Callable[[], Settings]]:
    """Switch to another machine: an empty home with its own services."""
    with ExitStack() as stack:

        def go() -> Settings:
            # Not pytest's folder, which is private: PostgreSQL may run as another user.
            home = stack.enter_context(tempfile.TemporaryDirectory(prefix="sp404b-"))
            environment.setenv("SP404_HOME", home)
            settings.cache_clear()
            return settings()

        yield go


def fill(here: Settings, sound: bytes, email: str = EMAIL) -> str:
    """Create a user with one sample; return the key of its file."""
    key = storage.new_key(".wav")
    source = here.home / "incoming"
    source.write_bytes(sound)
    storage.save(source, key)
    with database_access.database_url(here, exclusive=True) as url:
        migrations.run_migrations(url)
        with session_on(url) as session:
            user = User(
                email=email, password_hash=passwords.hash_password_blocking("correct horse")
            )
            session.add(user)
            session.flush()
            session.add(
                Sample(
                    user_id=user.id,
                    name="kick",
                    filename="kick.wav",
                    storage_key=key,
                    size=len(sound),
                    digest="d",
                    format="WAV",
                )
            )
            session.add(AuditEntry(user_id=user.id, action="signed_in"))
            session.commit()
    return key


def session_on(url: str) -> Session:
    return Session(create_engine(url.replace("postgresql://", "postgresql+psycopg://")))


def list_users(here: Settings) -> list[str]:
    with database_access.database_url(here, exclusive=True) as url, session_on(url) as session:
        return [user.email for user in session.exec(select(User))]


def test_a_complete_backup_is_recorded_in_the_database(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    here = machine()
    fill(here, b"RIFF")
    with pytest.raises(Failure):
        backup.create_backup(here, here.home)  # refused: the folder is not empty
    with database_access.database_url(here, exclusive=True) as url, session_on(url) as session:
        assert backup_log.last_backup_at(session) is None
    backup.create_backup(here, tmp_path / "backup")
    with database_access.database_url(here, exclusive=True) as url, session_on(url) as session:
        at = backup_log.last_backup_at(session)
    assert at is not None
    manifest = backup_manifest.read_manifest(tmp_path / "backup")
    assert at.isoformat() > manifest.created_at


def test_a_backup_that_cannot_be_recorded_is_still_complete(
    machine: Callable[[], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = machine()
    fill(here, b"RIFF")
    monkeypatch.setattr(backup_log, "INSERT", "insert into missing values (%s, %s, %s, %s)")
    said = backup.create_backup(here, tmp_path / "backup")
    assert "did not record it" in said
    assert said.endswith('The reason: relation "missing" does not exist.')
    backup_manifest.read_manifest(tmp_path / "backup")


def test_a_backup_restores_everything_on_another_machine(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    here = machine()
    key = fill(here, b"boom")
    output = backup.create_backup(here, tmp_path / "backup")
    assert "1 audio files" in output

    there = machine()
    restore.restore_backup(there, tmp_path / "backup")
    # The dump was restored without a search path; the audit log is still append-only.
    with (
        database_access.database_url(there, exclusive=True) as url,
        psycopg.connect(url) as connection,
    ):
        assert connection.execute("select action from audit_log").fetchall() == [("signed_in",)]
        with pytest.raises(InsufficientPrivilege, match="append-only"):
            connection.execute("update audit_log set ip = '', details = '{}'")

    with storage.local_copy(key) as path:
        assert path.read_bytes() == b"boom"
    with database_access.database_url(there, exclusive=True) as url, session_on(url) as session:
        user = session.exec(select(User)).one()
        assert session.exec(select(Sample.storage_key)).one() == key
    assert passwords.verify_password_blocking("correct horse", user.password_hash)
    assert (there.secrets / "pepper").stat().st_mode & 0o777 == 0o600


def test_only_the_owner_may_read_a_backup(machine: Callable[[], Settings], tmp_path: Path) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_not_empty_is_rejected(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Failure, match="not empty"):
        backup.create_backup(machine(), tmp_path)


def test_an_existing_library_is_not_overwritten(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    there = machine()
    fill(there, b"bang", "other@example.org")
    with pytest.raises(Failure, match="--replace"):
        restore.restore_backup(there, tmp_path / "backup")
    assert list_users(there) == ["other@example.org"]


def test_replace_deletes_the_old_library(machine: Callable[[], Settings], tmp_path: Path) -> None:
    here = machine()
    key = fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    there = machine()
    old = fill(there, b"bang", "other@example.org")
    restore.restore_backup(there, tmp_path / "backup", replace=True)
    assert list_users(there) == [EMAIL]
    assert set(backup.list_stored_keys()) == {key}
    assert old != key


def test_restoring_twice_works(machine: Callable[[], Settings], tmp_path: Path) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "one")
    there = machine()
    restore.restore_backup(there, tmp_path / "one")
    backup.create_backup(there, tmp_path / "two")
    restore.restore_backup(there, tmp_path / "two", replace=True)
    assert list_users(there) == [EMAIL]


@pytest.mark.parametrize("name", [backup_manifest.DATABASE, backup_manifest.SOUNDS])
def test_a_damaged_backup_changes_nothing(
    machine: Callable[[], Settings], tmp_path: Path, name: str
) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    victim = tmp_path / "backup" / name
    if victim.is_dir():
        victim = next(path for path in victim.rglob("*") if path.is_file())
    victim.write_bytes(victim.read_bytes()[:-1])
    there = machine()
    with pytest.raises(Failure, match="damaged"):
        restore.restore_backup(there, tmp_path / "backup")
    assert not (there.home / "postgres").exists()


def test_a_restore_that_fails_in_the_middle_changes_nothing(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    dump = tmp_path / "backup" / backup_manifest.DATABASE
    dump.write_text(dump.read_text() + "\nselect 1 / 0;\n")
    reseal(tmp_path / "backup")
    there = machine()
    fill(there, b"bang", "other@example.org")
    pepper = (there.secrets / "pepper").read_bytes()
    with pytest.raises(Failure, match="division by zero"):
        restore.restore_backup(there, tmp_path / "backup", replace=True)
    assert list_users(there) == ["other@example.org"]
    assert (there.secrets / "pepper").read_bytes() == pepper


def test_an_incomplete_backup_is_rejected(machine: Callable[[], Settings], tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not a complete backup"):
        restore.restore_backup(machine(), tmp_path)


def entry(path: object = "database.sql", size: object = 0) -> dict[str, object]:
    return {"path": path, "size": size, "sha256": ""}


def manifest_text(**changes: object) -> str:
    moment = "2026-11-30T12:00:00+00:00"
    whole = {"format": 1, "version": "1", "created_at": moment, "entries": [entry()]}
    return json.dumps(whole | changes)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"entries": []}', "damaged"),
        ("[" * 100_000, "damaged"),
        (manifest_text(created_at="y"), "damaged"),
        (manifest_text(created_at="2026-11-30T12:00:00"), "damaged"),  # in no zone
        (manifest_text(created_at=7), "damaged"),
        (manifest_text(entries=[entry(path=7)]), "damaged"),
        (manifest_text(entries=[entry(path="a\0b")]), "damaged"),
        (manifest_text(entries=[entry(path="a\ud800b")]), "damaged"),
        (manifest_text(entries=[entry(path="")]), "damaged"),
        (manifest_text(entries=[entry(path="a" * 5000)]), "damaged"),
        (manifest_text(entries=[entry(size="1")]), "damaged"),
        (manifest_text(entries=[{"path": "a"}]), "damaged"),
        (manifest_text(entries={}), "damaged"),
        ('{"format": 2, "files": {}}', "newer"),
    ],
    ids=range(16),
)
def test_a_broken_manifest_gives_one_message(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / backup_manifest.MANIFEST).write_text(text)
    with pytest.raises(Failure, match=sentence):
        backup_manifest.read_manifest(tmp_path)


def test_what_is_no_folder_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        with pytest.raises(Failure, match="is no folder"):
            backup_manifest.read_manifest(tmp_path / name)


def test_a_backup_has_a_database_and_paths_of_linux(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / backup_manifest.MANIFEST).write_text(manifest_text(entries=[]))
    with pytest.raises(Failure, match=r"lists no database\.sql"):
        backup_manifest.verify_backup(tmp_path, backup_manifest.read_manifest(tmp_path))
    (tmp_path / backup_manifest.MANIFEST).write_text(manifest_text(entries=[entry("a" * 300)]))
    with pytest.raises(Failure, match="File name too long"):
        backup_manifest.verify_backup(tmp_path, backup_manifest.read_manifest(tmp_path))


def test_a_backup_of_a_newer_version_is_rejected(tmp_path: Path) -> None:
    backup_manifest.write_manifest(
        tmp_path, backup_manifest.BackupManifest(backup_manifest.FORMAT + 1, "9", "", ())
    )
    with pytest.raises(Failure, match="newer"):
        backup_manifest.read_manifest(tmp_path)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd"])
def test_a_backup_cannot_list_files_outside_its_folder(tmp_path: Path, path: str) -> None:
    manifest = backup_manifest.BackupManifest(
        backup_manifest.FORMAT, "1", "", (backup_manifest.BackupEntry(path, 0, ""),)
    )
    with pytest.raises(Failure, match="outside"):
        backup_manifest.verify_backup(tmp_path, manifest)


def test_a_backup_cannot_link_to_files_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("private")
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "key.pem")
    entry = backup_manifest.describe_file(folder, folder / "link")
    with pytest.raises(Failure, match="outside"):
        backup_manifest.verify_backup(
            folder, backup_manifest.BackupManifest(backup_manifest.FORMAT, "1", "", (entry,))
        )


def test_restoring_into_a_running_library_is_rejected(
    machine: Callable[[], Settings], tmp_path: Path
) -> None:
    here = machine()
    fill(here, b"boom")
    backup.create_backup(here, tmp_path / "backup")
    there = machine()
    home = Home(there.home)
    home.prepare()
    with lock_home(home), pytest.raises(Failure, match="already running"):
        restore.restore_backup(there, tmp_path / "backup")


def reseal(folder: Path) -> None:
    """Update the manifest after a change, so that the backup looks complete."""
    manifest = backup_manifest.read_manifest(folder)
    entries = tuple(
        backup_manifest.describe_file(folder, folder / item.path) for item in manifest.entries
    )
    (folder / backup_manifest.MANIFEST).write_text(
        json.dumps(
            {
                "format": manifest.format,
                "version": manifest.version,
                "created_at": manifest.created_at,
                "entries": [
                    {"path": item.path, "size": item.size, "sha256": item.sha256}
                    for item in entries
                ],
            }
        )
    )
