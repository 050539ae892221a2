"""What `sync` remembers of one folder: which files the library has, in a SQLite file.

Paths are stored as bytes, because a file name need not be text.
"""

import hashlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sp404_app.supervisor.errors import Failure

FOLDER_MODE: Final = 0o700
TABLE: Final = """
create table if not exists files (
    path blob primary key,
    size integer not null,
    mtime_ns integer not null,
    sha256 text not null,
    sample_id text not null,  -- empty if the library rejected the file
    reason text not null
)
"""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a file: its size in bytes, and when it was changed in ns of Unix time."""

    size: int
    mtime_ns: int


def state_path(url: str, folder: Path) -> Path:
    """Return the state file of a folder and a server.

    It is in `$STATE_DIRECTORY` of systemd, or in the folder that the XDG specification names.
    """
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    root = Path(os.environ.get("STATE_DIRECTORY") or Path(home) / "crate404")
    named = f"{url}\0{folder}".encode("utf-8", "surrogateescape")
    return root / f"sync-{hashlib.sha256(named).hexdigest()[:16]}.sqlite"


class SyncState:
    """The files of a folder that were handled. One process at a time can open it."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            self.rows = sqlite3.connect(path, timeout=0.1, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise Failure(f"The state file {path} cannot be opened: {error}.") from error
        try:
            self.rows.execute("pragma locking_mode = exclusive")
            self.rows.execute("begin exclusive")
            self.rows.execute(TABLE)
            self.rows.execute("commit")
        except sqlite3.OperationalError as error:
            self.rows.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise Failure(f"The state file {path} cannot be written: {error}.") from error
            raise Failure("Another sync of this folder is running.") from error
        except sqlite3.DatabaseError as error:
            self.rows.close()
            raise Failure(f"The state file {path} is damaged. Delete it to start anew.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rows.close()

    def is_handled(self, path: Path, version: FileVersion) -> bool:
        """Return whether this version of a file was uploaded or rejected."""
        found = self.rows.execute(
            "select 1 from files where path = ? and size = ? and mtime_ns = ?",
            (os.fsencode(path), version.size, version.mtime_ns),
        )
        return found.fetchone() is not None

    def find_sample(self, sha256: str) -> str:
        """Return the id of the sample that a file with these bytes became; "" if none did."""
        found = self.rows.execute(
            "select sample_id from files where sha256 = ? and sample_id <> ''", (sha256,)
        ).fetchone()
        return found[0] if found else ""

    def record_file(
        self,
        path: Path,
        version: FileVersion,
        sha256: str,
        *,
        sample_id: str = "",
        reason: str = "",
    ) -> None:
        """Remember a file: the id of its sample, or why the library rejected it."""
        values = (os.fsencode(path), version.size, version.mtime_ns, sha256, sample_id, reason)
        self.rows.execute("insert or replace into files values (?, ?, ?, ?, ?, ?)", values)
