"""Backups are deleted when they are older than they may be, and nothing else is."""

import datetime as dt
import os
import re
from pathlib import Path

import pytest

from sp404_app.cli import backup_manifest, main
from sp404_app.settings import Settings
from tests.product import ROOT

UNIT = ROOT / "deploy" / "systemd" / "crate404-backup.service"


def make_backup(folder: Path, days: int, *, complete: bool = True) -> None:
    made = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    folder.mkdir()
    (folder / "database.sql").write_text("select 1;")
    if complete:
        manifest = backup_manifest.BackupManifest(1, "1", made.isoformat(), ())
        backup_manifest.write_manifest(folder, manifest)
    os.utime(folder, (made.timestamp(), made.timestamp()))


def test_a_backup_deletes_those_beside_it_that_are_too_old(
    other: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    make_backup(backups / "old", 31)
    make_backup(backups / "recent", 29)
    make_backup(backups / "killed", 31, complete=False)
    make_backup(backups / "in progress", 0, complete=False)
    make_backup(tmp_path / "elsewhere", 31)
    (backups / "linked").symlink_to(tmp_path / "elsewhere")
    (backups / "empty").mkdir()
    (backups / "notes").mkdir()
    (backups / "notes" / "plan.txt").write_text("mine")
    for name in ("empty", "notes"):
        os.utime(backups / name, (0, 0))
    assert main.main(["backup", str(backups / "new"), "--keep-days", "30"]) == 0
    assert "2 backups older than 30 days were deleted" in capsys.readouterr().out
    assert {path.name for path in backups.iterdir()} == {
        "new", "recent", "in progress", "linked", "empty", "notes",
    }  # fmt: skip
    assert (tmp_path / "elsewhere" / "manifest.json").exists()


def test_without_a_number_of_days_nothing_is_deleted(other: Settings, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    make_backup(tmp_path / "backups" / "old", 400)
    assert main.main(["backup", str(tmp_path / "backups" / "new")]) == 0
    assert (tmp_path / "backups" / "old" / "manifest.json").exists()


@pytest.mark.parametrize("days", ["0", "-1", "x", "36501", "999999999999", "1.5", ""])
def test_a_number_of_days_that_would_delete_everything_is_refused(
    tmp_path: Path, days: str
) -> None:
    with pytest.raises(SystemExit):
        main.main(["backup", str(tmp_path / "new"), "--keep-days", days])
    assert not (tmp_path / "new").exists()


def test_the_nightly_unit_deletes_what_the_documents_say_and_rehearses() -> None:
    (command,) = re.findall(r"^ExecStart=(.+)$", UNIT.read_text(), re.MULTILINE)
    (days,) = re.findall(r"backup \$\$new --keep-days (\d+) && \$\$app rehearse-restore", command)
    for path in ("docs/DEPLOYMENT.md", "deploy/systemd/README.md"):
        assert re.search(rf"\b{days}\s+days", (ROOT / path).read_text())
