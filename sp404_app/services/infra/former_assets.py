"""Assets of former bundles, kept for a day so that tabs opened before an upgrade keep working.

A page loads the scripts of other pages when they are first opened. After an upgrade their names,
which contain a hash of their content, are not in the new bundle.
"""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from sp404_app.settings import settings

KEEP_S = 24 * 3600.0
CURRENT = "current"  # lists the assets of the bundle that is served


def store() -> Path:
    """Return the folder that holds the assets of the present and of former bundles."""
    return settings().home / "former-assets"


def folder() -> Path:
    """Return the folder of the files themselves, all in one level."""
    return store() / "assets"


def keep_assets(assets: Path) -> None:
    """Copy the assets of the bundle that is about to be served, for the time after it.

    The day of a former asset begins when another bundle replaces its own.

    Raises:
        OSError: If the folder cannot be written.
    """
    folder().mkdir(parents=True, exist_ok=True)
    names = {path.name for path in assets.iterdir() if path.is_file()}
    for name in _current_names() - names:
        with suppress(FileNotFoundError):
            os.utime(folder() / name)
    for name in names:
        if not (folder() / name).exists():
            _copy(assets / name, folder() / name)
    note = store() / f".{CURRENT}.{os.getpid()}"
    note.write_text("\n".join(sorted(names)))
    note.replace(store() / CURRENT)
    remove_expired()


def remove_expired() -> None:
    """Remove assets that no bundle of the last 24 hours contains."""
    if not folder().is_dir():
        return
    current, oldest = _current_names(), time.time() - KEEP_S
    for path in folder().iterdir():
        with suppress(FileNotFoundError):
            if path.name not in current and path.stat().st_mtime < oldest:
                path.unlink()


def _current_names() -> set[str]:
    try:
        return set((store() / CURRENT).read_text().split("\n"))
    except FileNotFoundError:
        return set()


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, part)
    part.replace(target)
