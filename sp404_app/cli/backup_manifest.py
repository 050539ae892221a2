"""The format of a backup folder, and its checks.

manifest.json   written last: all other files with their sizes and SHA-256
database.sql    a dump of one snapshot of the database
sounds/…        every object of the store except spectrograms, named by its key
secrets/…       signing keys and the pepper, without which no password can be verified
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from sp404_app.supervisor.errors import Failure, explain_os_errors

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sql"
SOUNDS = "sounds"
SECRETS = "secrets"


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """One file of a backup."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """The contents of a backup."""

    format: int
    version: str
    created_at: str
    entries: tuple[BackupEntry, ...]

    def under(self, folder: str) -> list[str]:
        """Return the names of the files in one of the folders."""
        prefix = f"{folder}/"
        paths = [entry.path for entry in self.entries]
        return [path.removeprefix(prefix) for path in paths if path.startswith(prefix)]


def describe_file(root: Path, path: Path) -> BackupEntry:
    """Return the entry of a file, with its size and digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BackupEntry(path.relative_to(root).as_posix(), path.stat().st_size, digest)


def write_manifest(root: Path, manifest: BackupManifest) -> None:
    """Write the manifest, which makes the backup complete."""
    draft = root / f"{MANIFEST}.new"
    draft.write_text(json.dumps(asdict(manifest), indent=1))
    draft.rename(root / MANIFEST)


def read_manifest(root: Path) -> BackupManifest:
    """Read the manifest of a backup.

    Raises:
        Failure: If there is none, or it is damaged or of another format.
    """
    path = root / MANIFEST
    if not path.exists():
        raise Failure(f"{root} is not a complete backup: it has no {MANIFEST}.")
    with explain_os_errors(path):
        content = path.read_bytes()
    return parse_manifest(content, str(path))


def parse_manifest(content: bytes, path: str) -> BackupManifest:
    """Parse the manifest of a backup, which was read from `path`.

    Raises:
        Failure: If it is damaged or of another format.
    """
    try:
        found = json.loads(content)
        entries = tuple(BackupEntry(**item) for item in found.pop("entries"))
        manifest = BackupManifest(**found, entries=entries)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Failure(f"{path} is damaged: use another backup.") from error
    if manifest.format != FORMAT:
        raise Failure(f"{path} was written by a newer version: update the program.")
    return manifest


def path_inside(root: Path, name: str) -> Path:
    """Return the path of a file of a backup.

    Raises:
        Failure: If it lies outside the backup.
    """
    pure = PurePosixPath(name)
    path = root / pure
    if (
        pure.is_absolute()
        or ".." in pure.parts
        or not path.resolve().is_relative_to(root.resolve())
    ):
        raise Failure(f"The backup lists a file outside its folder: {name}")
    return path


def verify_backup(root: Path, manifest: BackupManifest) -> None:
    """Check that every file is complete and lies inside the backup.

    Raises:
        Failure: At the first one that does not.
    """
    for wanted in manifest.entries:
        path = path_inside(root, wanted.path)
        if not path.is_file() or describe_file(root, path) != wanted:
            raise Failure(f"The backup is damaged: {wanted.path} is missing or has changed.")
