"""Delete old backups: the folders beside a new one, so that deleted data leaves them, too.

Only folders that `backup` wrote are deleted, complete or not; everything else is left alone.
"""

import datetime as dt
import shutil
from pathlib import Path

from sp404_app.cli import backup_manifest
from sp404_app.supervisor.errors import Failure, explain_os_errors

# What a backup consists of before its manifest exists, which is written last.
PARTS = frozenset(
    {backup_manifest.DATABASE, backup_manifest.SOUNDS, backup_manifest.SECRETS}
    | {f"{backup_manifest.MANIFEST}.new"}
)


def delete_old_backups(newest: Path, before: dt.datetime) -> int:
    """Delete the backups beside `newest` that are older than a moment; return how many.

    Raises:
        Failure: If one cannot be deleted.
    """
    deleted = 0
    with explain_os_errors(newest.parent):
        for folder in sorted(newest.resolve().parent.iterdir()):
            if folder.is_symlink() or not folder.is_dir() or folder == newest.resolve():
                continue
            made = _created_at(folder)
            if made and made < before:
                # First, so that a deletion that is interrupted leaves no complete backup.
                (folder / backup_manifest.MANIFEST).unlink(missing_ok=True)
                shutil.rmtree(folder)
                deleted += 1
    return deleted


def _created_at(folder: Path) -> dt.datetime | None:
    """Return when a backup was made; None if a folder is none, or of a newer version."""
    try:
        return dt.datetime.fromisoformat(backup_manifest.read_manifest(folder).created_at)
    except Failure:
        names = {path.name for path in folder.iterdir()}
    if not names or not names <= PARTS:
        return None
    return dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
