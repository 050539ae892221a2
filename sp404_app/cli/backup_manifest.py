"""The format of a backup folder, and its checks.

manifest.json   written last: all other files with their sizes and SHA-256
database.sql    a dump of one snapshot of the database
sounds/…        every object of the store except spectrograms, named by its key
secrets/…       signing keys and the pepper, without which no password can be verified
"""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError

from sp404_app.supervisor.errors import Failure, explain_os_errors

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "database.sql"
SOUNDS = "sounds"
SECRETS = "secrets"
MAX_PATH_LENGTH: Final = 4095  # of Linux


@dataclass(frozen=True, slots=True)
class BackupEntry:
    """One file of a backup."""

    path: Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", max_length=MAX_PATH_LENGTH)]
    size: int
    sha256: str


def _moment(text: str) -> str:
    if dt.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("it is in no time zone")
    return text


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """The contents of a backup."""

    format: int
    version: str
    created_at: Annotated[str, AfterValidator(_moment)]
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
    if not root.is_dir():
        raise Failure(f"{root} is no folder: name the folder of a backup.")
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
        if _head().validate_json(content).format != FORMAT:
            raise Failure(f"{path} was written by a newer version: update the program.")
        return _manifest().validate_json(content, strict=True)
    except ValidationError as error:
        raise Failure(f"{path} is damaged: use another backup.") from error


@dataclass(frozen=True, slots=True)
class _Head:
    """What a manifest of any version has."""

    format: int


@lru_cache
def _head() -> TypeAdapter[_Head]:
    return TypeAdapter(_Head)


@lru_cache
def _manifest() -> TypeAdapter[BackupManifest]:
    return TypeAdapter(BackupManifest)


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
    """Check that every file is complete and lies inside the backup, and that there is a database.

    Raises:
        Failure: At the first one that does not.
    """
    with explain_os_errors(root):
        for wanted in manifest.entries:
            path = path_inside(root, wanted.path)
            if not path.is_file() or describe_file(root, path) != wanted:
                raise Failure(f"The backup is damaged: {wanted.path} is missing or has changed.")
    if DATABASE not in {entry.path for entry in manifest.entries}:
        raise Failure(f"The backup is damaged: its {MANIFEST} lists no {DATABASE}.")
