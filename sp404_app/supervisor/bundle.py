"""Bundles of built pages: folders that the web server serves as they are, without Node.

A bundle holds `build/client` (the pages) and `backend` (what the server needs to know about them).
Its bytes depend on the sources alone, so hosts that build it each for itself agree on every file
name, and one bundle can be copied to all hosts.
"""

import shutil
from contextlib import suppress
from pathlib import Path

from sp404_app.supervisor.errors import Failure, explain_os_errors
from sp404_app.supervisor.home import Home

PARTS = ("backend", "build/client")
STAMP = Path("backend") / "built-from"  # holds the fingerprint of the sources


def fingerprint_of(folder: Path) -> str:
    """Return the fingerprint of the sources of a bundle, or "" if the folder holds none."""
    try:
        return (folder / STAMP).read_text()
    except OSError:
        return ""


def folder_for(home: Home, fingerprint: str) -> Path:
    """Return where the home keeps the bundle of these sources."""
    return home.bundles / fingerprint[:16]


def write_bundle(web: Path, folder: Path, fingerprint: str) -> None:
    """Copy what was built in `web` to a bundle; it appears complete or not at all.

    Raises:
        OSError: If it cannot be written.
    """
    (web / STAMP).write_text(fingerprint)
    _replace_folder(web, folder)


def copy_bundle(source: Path, folder: Path) -> None:
    """Copy a bundle to a folder that is empty or holds a former bundle.

    Raises:
        Failure: If the folder holds other files, or cannot be written.
    """
    with explain_os_errors(folder):
        if folder.exists() and any(folder.iterdir()) and not fingerprint_of(folder):
            raise Failure(f"{folder} is not empty and holds no bundle: choose another folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _replace_folder(source, folder)


def select_bundle(home: Home, fingerprint: str) -> None:
    """Let the next web server serve this bundle; one that runs goes on with the former one."""
    chosen = folder_for(home, fingerprint)
    link = home.root / "bundle.new"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(home.bundles.name) / chosen.name)
    link.replace(home.bundle)


def remove_unused_bundles(home: Home) -> None:
    """Remove all bundles but the chosen one.

    Only while no web server runs: one may serve a bundle that is no longer chosen.
    """
    chosen = home.bundle.readlink().name if home.bundle.is_symlink() else ""
    for folder in home.bundles.glob("*"):
        if folder.name != chosen:
            shutil.rmtree(folder, ignore_errors=True)


def ensure_bundle_matches(folder: Path, fingerprint: str) -> None:
    """Check that a prebuilt bundle was built from the sources that are about to run.

    Raises:
        Failure: If it was not, or if there is none.
    """
    found = fingerprint_of(folder)
    if found == fingerprint:
        return
    problem = "was built from other sources or with another SP404_BILLING"
    if not found:
        problem = "holds no built pages"
    raise Failure(
        f"SP404_BUNDLE_DIR={folder} {problem}: run `python -m sp404_app build {folder}` "
        "where Node is installed, or leave it unset."
    )


def _replace_folder(source: Path, folder: Path) -> None:
    """Copy the parts of a bundle beside `folder`, then put the copy in its place."""
    fresh = folder.with_name(f".{folder.name}.new")
    old = folder.with_name(f".{folder.name}.old")
    for path in (fresh, old):
        shutil.rmtree(path, ignore_errors=True)
    for part in PARTS:
        shutil.copytree(source / part, fresh / part)
    with suppress(FileNotFoundError):
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
