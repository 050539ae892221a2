"""What a backup looks like on disk.

manifest.json   written last: what follows, with sizes and SHA-256
database.sql    everything in the database, as of one moment
sounds/…        every object of the store, under its key
secrets/…       signing keys and the pepper, without which no password would fit
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from sp404_app.supervisor.errors import Failure, explained

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sql"
SOUNDS = "sounds"
SECRETS = "secrets"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    format: int
    version: str
    created_at: str
    entries: tuple[Entry, ...]

    def under(self, folder: str) -> list[str]:
        """Return the names of the files in one of the folders."""
        start = f"{folder}/"
        return [entry.path[len(start) :] for entry in self.entries if entry.path.startswith(start)]


def entry(root: Path, path: Path) -> Entry:
    """Describe a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Entry(path.relative_to(root).as_posix(), path.stat().st_size, digest)


def write(root: Path, manifest: Manifest) -> None:
    """Write the manifest, which makes the backup complete."""
    draft = root / f"{MANIFEST}.new"
    draft.write_text(json.dumps(asdict(manifest), indent=1))
    draft.rename(root / MANIFEST)


def read(root: Path) -> Manifest:
    """Read a backup's manifest.

    Raises:
        Failure: when there is none, or it is not one we understand.
    """
    path = root / MANIFEST
    if not path.exists():
        raise Failure(f"{root} is not a complete backup: it has no {MANIFEST}.")
    try:
        with explained(path):
            found = json.loads(path.read_text())
        entries = tuple(Entry(**item) for item in found.pop("entries"))
        manifest = Manifest(**found, entries=entries)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Failure(f"{path} is damaged: take another backup.") from error
    if manifest.format != FORMAT:
        raise Failure(f"{root} was made by a newer version of the program: update it.")
    return manifest


def verify(root: Path, manifest: Manifest) -> None:
    """See that every file is there, whole and inside the backup.

    Raises:
        Failure: at the first one that is not.
    """
    for wanted in manifest.entries:
        pure = PurePosixPath(wanted.path)
        if pure.is_absolute() or ".." in pure.parts:
            raise Failure(f"The backup names a file outside of itself: {wanted.path}")
        path = root / pure
        if not path.is_file() or entry(root, path) != wanted:
            raise Failure(f"The backup is damaged: {wanted.path} is missing or has changed.")
