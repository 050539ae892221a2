"""Folder import: every audio file once, resumable, within the folder and the quota."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.errors import NotFound
from sp404_app.models import Sample, User
from sp404_app.services import plans
from sp404_app.services.infra import storage
from sp404_app.services.library import folder_import, samples
from sp404_app.services.library.folder_import import ImportReport, ImportResult, Outcome
from sp404_app.settings import Settings
from tests.services.zips import by_hand, zipped
from tests.sounds import bad_files, good_files, tone, wav, write

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder tree with three audio files, a damaged one, and files of other types."""
    root = tmp_path / "Old library"
    kit = root / "Drums" / "Dusty Kit"
    kit.mkdir(parents=True)
    write(root / "top.wav", tone(200))
    write(root / "Drums" / "snare.flac", tone(300))
    write(kit / "kick.wav", tone(400))
    (kit / "broken.wav").write_bytes(wav()[:30])
    (kit / "notes.txt").write_text("to do")
    (kit / ".DS_Store").write_text("x")
    return root


def run_import(user: User, root: Path, *, tagged: bool = False) -> ImportReport:
    return folder_import.import_folder(user.id, root, tagged=tagged, tell=lambda _: None)


def outcomes(report: ImportReport) -> dict[str, str]:
    return {result.file: result.outcome for result in report.results}


def list_samples(user: User) -> list[Sample]:
    with transaction() as session:
        return list(session.exec(select(Sample).where(Sample.user_id == user.id)))


def test_all_audio_files_are_imported_and_all_others_reported(user: User, tree: Path) -> None:
    report = run_import(user, tree, tagged=True)
    assert outcomes(report) == {
        "top.wav": "added",
        "Drums/snare.flac": "added",
        "Drums/Dusty Kit/kick.wav": "added",
        "Drums/Dusty Kit/broken.wav": "refused",
        "Drums/Dusty Kit/notes.txt": "ignored",
    }
    kick = next(sample for sample in list_samples(user) if sample.name == "kick")
    assert kick.folder == "Old library/Drums/Dusty Kit"
    assert kick.tags == ["Drums", "Dusty Kit", "Old library"]
    refused = next(r for r in report.results if r.outcome is Outcome.REFUSED)
    assert "damaged" in refused.reason


def test_a_second_import_decodes_no_imported_file(
    user: User, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_import(user, tree)
    decoded: list[str] = []
    original = samples.inspect_file

    def inspect(path: Path, *rest: str) -> samples.IncomingFile:
        decoded.append(path.name)
        return original(path, *rest)

    monkeypatch.setattr(samples, samples.inspect_file.__name__, inspect)
    report = run_import(user, tree)
    assert (report.count(Outcome.ADDED), report.count(Outcome.HERE)) == (0, 3)
    assert sorted(decoded) == ["broken.wav", "notes.txt"]
    assert len(list_samples(user)) == 3


def test_a_modified_file_is_imported_again(user: User, tree: Path) -> None:
    run_import(user, tree)
    write(tree / "top.wav", tone(250))
    os.utime(tree / "top.wav", (4e9, 4e9))
    assert outcomes(run_import(user, tree))["top.wav"] == "added"


def test_a_copy_with_another_name_is_reported_as_already_there(user: User, tree: Path) -> None:
    (tree / "z copy.wav").write_bytes((tree / "top.wav").read_bytes())
    report = run_import(user, tree)
    copy = next(r for r in report.results if r.file == "z copy.wav")
    assert copy.outcome is Outcome.HERE
    assert "“top”" in copy.reason


def test_an_interrupted_import_continues_with_the_next_run(user: User, tree: Path) -> None:
    def stop(result: ImportResult) -> None:
        if result.outcome is Outcome.ADDED:
            raise KeyboardInterrupt

    report = folder_import.import_folder(user.id, tree, tagged=False, tell=stop)
    assert (report.interrupted, len(list_samples(user))) == (True, 1)
    report = run_import(user, tree)
    assert (report.count(Outcome.ADDED), report.count(Outcome.HERE)) == (2, 1)


def test_an_interrupt_during_a_file_leaves_no_row_and_no_file(
    user: User, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = storage.save

    def save(path: Path, key: str) -> None:
        original(path, key)
        raise KeyboardInterrupt

    monkeypatch.setattr(storage, storage.save.__name__, save)
    assert run_import(user, tree).interrupted
    assert list_samples(user) == []
    folder = storage._folder()
    assert folder
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_links_out_of_the_folder_are_not_followed(user: User, tree: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    write(secret / "secret.wav", tone(700))
    (tree / "link.wav").symlink_to(secret / "secret.wav")
    (tree / "folder").symlink_to(secret)
    (tree / "loop").symlink_to(tree)
    (tree / "broken link.wav").symlink_to(tree / "nothing.wav")
    os.mkfifo(tree / "pipe.wav")
    report = run_import(user, tree)
    assert outcomes(report)["link.wav"] == "ignored"
    assert outcomes(report)["pipe.wav"] == "ignored"
    assert outcomes(report)["broken link.wav"] == "refused"
    assert report.count(Outcome.ADDED) == 3


def test_files_over_the_storage_quota_are_refused(
    user: User, tree: Path, environment: pytest.MonkeyPatch
) -> None:
    size = (tree / "top.wav").stat().st_size
    small = plans.Plan(plans.Tier.FREE, "Free", 0, size, 9, 0, 100)
    environment.setitem(plans.PLANS, plans.Tier.FREE, small)
    report = run_import(user, tree)
    assert report.count(Outcome.ADDED) == 1
    assert any("storage is full" in result.reason for result in report.results)


def test_damaged_files_do_not_affect_others(user: User, tmp_path: Path) -> None:
    root = tmp_path / "mixed"
    root.mkdir()
    good = good_files(root)
    bad = bad_files(root)
    report = run_import(user, root)
    assert report.count(Outcome.ADDED) == len(good)
    assert report.count(Outcome.REFUSED) == len(bad)


def test_a_file_name_that_is_not_utf8_is_imported(user: User, tmp_path: Path) -> None:
    root = tmp_path / "odd"
    root.mkdir()
    (Path(os.fsdecode(os.fsencode(root) + b"/k\xff\nick.wav"))).write_bytes(wav())
    report = run_import(user, root)
    assert report.count(Outcome.ADDED) == 1
    report.results[0].file.encode()
    assert run_import(user, root).count(Outcome.HERE) == 1


def test_the_import_user_is_found_by_email(user: User, person: Callable[..., User]) -> None:
    assert folder_import.find_import_user(f" {user.email.upper()} ") == user.id
    with pytest.raises(NotFound):
        folder_import.find_import_user("nobody@example.org")


def test_the_import_command_prints_a_report_and_sets_its_exit_code(
    services: Settings, user: User, tree: Path
) -> None:
    def command(*options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "sp404_app", "import", *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    done = command(str(tree), "--user", user.email, "--json", "--tags")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert (report["added"], report["refused"], report["ignored"]) == (3, 1, 1)
    (tree / "Drums" / "Dusty Kit" / "broken.wav").unlink()
    again = command(str(tree), "--user", user.email)
    assert (again.returncode, again.stdout) == (
        0,
        "0 added, 3 already there, 0 rejected, 1 other files.\n",
    )
    unknown = command(str(tree), "--user", "nobody@example.org")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith("There is no account")


def test_an_archive_in_a_folder_is_imported_once_like_a_folder(user: User, tree: Path) -> None:
    packed = zipped(("Kit/a.wav", wav(600)), ("Kit/b.wav", b"x"), ("Kit/c.txt", b"x"))
    (tree / "Kit.zip").write_bytes(packed)
    (tree / "locked.zip").write_bytes(by_hand([b"a.wav"], wav(), flags=1))
    found = outcomes(run_import(user, tree))
    assert found["Kit.zip/Kit/a.wav"] == "added"
    assert found["Kit.zip/Kit/b.wav"] == "refused"
    assert found["locked.zip"] == "refused"
    assert found["top.wav"] == "added"
    assert "Kit.zip/Kit/c.txt" not in found
    assert next(s for s in list_samples(user) if s.name == "a").folder == "Old library/Kit"
    assert outcomes(run_import(user, tree))["Kit.zip/Kit/a.wav"] == "already_here"
