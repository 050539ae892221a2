"""A rehearsal shows that a backup can be restored, without touching the library."""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sp404_app.cli import backup_manifest, main, rehearse_restore
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings
from tests.cli.libraries import OLD, contents
from tests.cli.test_backup import reseal, session_on


def rehearsal(here: Settings) -> dict[str, object]:
    return json.loads((here.home / rehearse_restore.RESULT).read_text())


def recorded(here: Settings) -> bool | None:
    with session_on(here.database_url) as session:
        last = backup_log.last_rehearsal(session)
    return last and last.succeeded


def test_a_rehearsal_where_no_library_is_starts_no_database_in_the_home(
    archive: Path, library: Callable[[str, str], Settings]
) -> None:
    here = library("empty", "")
    rehearse_restore.rehearse_restore(here, archive)
    assert rehearsal(here)["succeeded"] is True
    assert not (here.home / "postgres").exists()


def test_a_rehearsal_restores_into_a_database_of_its_own(
    archive: Path, other: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["rehearse-restore", str(archive)]) == 0
    assert "can be restored" in capsys.readouterr().out
    assert contents(other) == OLD
    assert rehearsal(other)["succeeded"] is True
    assert recorded(other) is True
    assert not list(Path(tempfile.gettempdir()).glob("sp404r-*"))


def lose_a_row(dump: Path) -> None:
    dump.write_text(f"{dump.read_text()}\ndelete from public.samples;\n")


def lose_the_pepper(dump: Path) -> None:
    manifest = backup_manifest.read_manifest(dump.parent)
    entries = tuple(entry for entry in manifest.entries if "pepper" not in entry.path)
    changed = dataclasses.replace(manifest, entries=entries)
    backup_manifest.write_manifest(dump.parent, changed)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lose_a_row, "The table samples has 0 rows instead of 1"),
        (lose_the_pepper, "no pepper"),
    ],
)
def test_a_rehearsal_finds_a_backup_that_cannot_be_restored(
    archive: Path,
    other: Settings,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    sentence: str,
) -> None:
    damage(archive / backup_manifest.DATABASE)
    reseal(archive)
    assert main.main(["rehearse-restore", str(archive)]) == 1
    assert sentence in capsys.readouterr().err
    assert rehearsal(other)["succeeded"] is False
    assert recorded(other) is False
