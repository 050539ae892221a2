"""Backups are copied elsewhere, sounds once for all copies, and come back byte for byte."""

import dataclasses
import datetime as dt
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sp404_app.cli import backup, backup_manifest, main, restore
from sp404_app.services.infra import backup_log, storage
from sp404_app.settings import Settings
from tests.cli.libraries import NEW, contents
from tests.cli.test_backup import session_on
from tests.product import ROOT
from tests.s3_server import KEY_ID, S3Server, run_s3_server

URL = "s3://sounds/copies"
SECRET = "a-secret-of-a-test"
UNIT = ROOT / "deploy" / "systemd" / "crate404-backup-copy.service"


@pytest.fixture
def bucket(environment: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with run_s3_server() as server:
        for name, value in {
            "AWS_ENDPOINT": server.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "eu-central-1",
        }.items():
            environment.setenv(name, value)
        yield server


@pytest.fixture
def here(archive: Path, library: Callable[[str, str], Settings]) -> Settings:
    """The library of the archive."""
    return Settings()


def make_older(folder: Path, days: int) -> None:
    manifest = backup_manifest.read_manifest(folder)
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    changed = dataclasses.replace(manifest, created_at=made.isoformat())
    backup_manifest.write_manifest(folder, changed)


def run(*arguments: object) -> int:
    return main.main([str(each) for each in arguments])


def test_a_copy_is_fetched_and_restored(
    archive: Path, here: Settings, library: Callable[[str, str], Settings], bucket: S3Server,
    servers: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run("copy-backup", archive, URL) == 0
    assert "1 of its 1 sounds were new" in capsys.readouterr().out
    with session_on(here.database_url) as session:
        assert backup_log.last_copy_at(session)
    fetched = tmp_path / "fetched"
    assert run("fetch-backup", URL, fetched) == 0
    assert fetched.stat().st_mode & 0o077 == 0
    files = {path.relative_to(archive) for path in archive.rglob("*") if path.is_file()}
    assert {path.relative_to(fetched) for path in fetched.rglob("*") if path.is_file()} == files
    for file in files - {Path("manifest.json")}:
        assert (fetched / file).read_bytes() == (archive / file).read_bytes()
    there = library("third", servers(18).create_database())
    restore.restore_backup(there, fetched, replace=False)
    assert contents(there) == NEW


def test_the_next_copy_uploads_new_sounds_only(
    archive: Path, here: Settings, bucket: S3Server, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    backups = tmp_path / "backups"
    backups.mkdir()
    shutil.move(archive, backups / "first")
    assert run("copy-backup", backups, URL) == 0
    storage.save_bytes(b"a new sound", "ef/new.wav")
    backup.create_backup(here, backups / "second")
    capsys.readouterr()
    assert run("copy-backup", backups, URL) == 0
    assert "Copied second: 1 of its 2 sounds were new." in capsys.readouterr().out
    assert [path for path in bucket.objects if path.endswith(".new")] == []
    assert run("fetch-backup", URL, tmp_path / "a", "--name", "first") == 0
    assert run("fetch-backup", URL, tmp_path / "b") == 0
    assert not (tmp_path / "a" / "sounds" / "ef").exists()
    assert (tmp_path / "b" / "sounds" / "ef" / "new.wav").read_bytes() == b"a new sound"


def test_old_copies_go_with_the_sounds_that_no_other_copy_has(
    archive: Path, here: Settings, bucket: S3Server, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run("copy-backup", archive, URL) == 0
    storage.save_bytes(b"kept", "ef/kept.wav")
    storage.save_bytes(b"deleted by its owner", "ef/deleted.wav")
    backup.create_backup(here, tmp_path / "old")
    make_older(tmp_path / "old", 31)
    assert run("copy-backup", tmp_path / "old", URL) == 0
    storage.delete_object("ef/deleted.wav")
    backup.create_backup(here, tmp_path / "new")
    capsys.readouterr()
    assert run("copy-backup", tmp_path / "new", URL, "--keep-days", "30") == 0
    assert "1 copies older than 30 days are gone" in capsys.readouterr().out
    stored = {path.removeprefix("/sounds/copies/") for path in bucket.objects}
    assert {path.split("/")[1] for path in stored if path.startswith("backups/")} == {
        archive.name, "new",
    }  # fmt: skip
    assert {path for path in stored if path.startswith("sounds/")} == {
        "sounds/ab/kick.wav", "sounds/ef/kept.wav",
    }  # fmt: skip


def test_the_newest_copy_stays_however_old_it_is(
    archive: Path, here: Settings, bucket: S3Server, tmp_path: Path
) -> None:
    make_older(archive, 400)
    assert run("copy-backup", archive, URL, "--keep-days", "30") == 0
    assert run("fetch-backup", URL, tmp_path / "fetched") == 0


def test_an_interrupted_copy_is_no_copy_and_keeps_its_sounds(
    archive: Path, here: Settings, bucket: S3Server, tmp_path: Path
) -> None:
    storage.save_bytes(b"of the interrupted one", "ef/begun.wav")
    backup.create_backup(here, tmp_path / "begun")
    assert run("copy-backup", tmp_path / "begun", URL) == 0
    place = "/sounds/copies/backups/begun/manifest.json"
    bucket.objects[f"{place}.new"] = bucket.objects.pop(place)
    assert run("copy-backup", archive, URL, "--keep-days", "30") == 0
    assert "/sounds/copies/sounds/ef/begun.wav" in bucket.objects
    assert run("fetch-backup", URL, tmp_path / "a", "--name", "begun") == 1
    assert run("copy-backup", tmp_path / "begun", URL) == 0
    assert run("fetch-backup", URL, tmp_path / "b", "--name", "begun") == 0


@pytest.mark.parametrize("damage", ["changed", "missing", "outside", "manifest"])
def test_a_damaged_copy_is_no_backup(
    archive: Path, here: Settings, bucket: S3Server, tmp_path: Path, damage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert run("copy-backup", archive, URL) == 0
    sound = "/sounds/copies/sounds/ab/kick.wav"
    manifest = f"/sounds/copies/backups/{archive.name}/manifest.json"
    if damage == "changed":
        bucket.objects[sound] = bucket.objects[sound][::-1]
    elif damage == "missing":
        del bucket.objects[sound]
    elif damage == "outside":
        text = bucket.objects[manifest].decode().replace("sounds/ab/kick", "sounds/../../kick")
        bucket.objects[manifest] = text.encode()
    else:
        bucket.objects[manifest] = b"{"
    assert run("fetch-backup", URL, tmp_path / "fetched") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert not (tmp_path / "fetched" / "manifest.json").exists()
    assert not (tmp_path / "kick.wav").exists()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://none/copies", "does not exist"),
        ("gopher://copies", "cannot be used"),
        ("file:///proc/copies", "cannot be used"),
        ("", "cannot be used"),
    ],
)
def test_a_place_that_cannot_be_used_gives_one_sentence(
    archive: Path, here: Settings, bucket: S3Server, url: str, sentence: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for command in (("copy-backup", archive, url), ("fetch-backup", url, tmp_path / "fetched")):
        assert run(*command) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert SECRET not in error
        assert sentence in error or "no complete copy" in error


def test_there_must_be_a_backup_and_an_empty_folder(
    archive: Path, here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = (tmp_path / "copies").as_uri()
    assert run("copy-backup", tmp_path / "nowhere", url) == 1
    assert "no complete backup" in capsys.readouterr().err
    assert run("copy-backup", archive, url) == 0
    assert run("fetch-backup", url, archive) == 1
    assert "not empty" in capsys.readouterr().err
    assert run("fetch-backup", url, tmp_path / "fetched") == 0


def test_the_unit_runs_a_command_that_exists(archive: Path, here: Settings, tmp_path: Path) -> None:
    found = re.search(r"-m sp404_app (.*)", UNIT.read_text())
    assert found
    url = (tmp_path / "copies").as_uri()
    command = found[1].replace("${COPIES_URL}", url).replace("/var/backups/crate404", str(archive))
    assert run(*command.split()) == 0
    assert (tmp_path / "copies" / "backups" / archive.name / "manifest.json").exists()
    started = UNIT.with_name("crate404-backup.service").read_text()
    assert f"OnSuccess={UNIT.name}" in started
