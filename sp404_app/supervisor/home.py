"""The folders one installation lives in, and the lock that makes it the only one there."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sp404_app.supervisor.errors import Failure, explained

ROOM_NEEDED_MB = 300
LONGEST_SOCKET = 107  # bytes of sun_path on Linux, without the closing zero
SOCKET_NAME = "postgres/.s.PGSQL.5432"
GUARD_PATIENCE = 15.0
PRIVATE = ("redis", "web", "logs", "cache", "run", "outbox", "sounds")


@dataclass(frozen=True, slots=True)
class Home:
    """Where one installation keeps its data, logs and sockets."""

    root: Path

    @property
    def mark(self) -> str:
        """Return what the environment of every child carries, so that it is found again."""
        return hashlib.sha256(os.fsencode(self.root.resolve())).hexdigest()[:16]

    @property
    def postgres(self) -> Path:
        """Return the data directory of the embedded PostgreSQL."""
        return self.root / "postgres"

    @property
    def redis(self) -> Path:
        """Return the data directory of the embedded Redis."""
        return self.root / "redis"

    @property
    def web(self) -> Path:
        """Return the folder the frontend is built in."""
        return self.root / "web"

    @property
    def logs(self) -> Path:
        """Return the folder of the children's logs."""
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        """Return the folder of what can be made again."""
        return self.root / "cache"

    @property
    def node(self) -> Path:
        """Return the folder that leads the PATH, with Node in it."""
        return self.cache / "node"

    @property
    def run(self) -> Path:
        """Return the folder of locks and, when its path is short enough, sockets."""
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """Return a folder short enough for Unix sockets."""
        if len(os.fsencode(self.run / SOCKET_NAME)) <= LONGEST_SOCKET:
            return self.run
        return Path(tempfile.gettempdir()) / f"sp404-{os.geteuid()}-{self.mark}"

    def log(self, name: str) -> Path:
        """Return the log file of a child."""
        return self.logs / f"{name}.log"

    def prepare(self, room_mb: int = ROOM_NEEDED_MB) -> None:
        """Make the folders, private to us, and see that there is room.

        Raises:
            Failure: when the folder cannot be written or the disk is nearly full.
        """
        with explained(self.root):
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in PRIVATE:
                (self.root / name).mkdir(exist_ok=True, mode=0o700)
            probe = self.run / "probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
            self._prepare_sockets()
        free = shutil.disk_usage(self.root).free >> 20
        if free < room_mb:
            raise Failure(
                f"The disk that holds {self.root} has {free} MB left and {room_mb} MB are needed: "
                "make room, or set SP404_HOME to another disk."
            )

    def _prepare_sockets(self) -> None:
        folder = self.sockets
        folder.mkdir(exist_ok=True, mode=0o700)
        found = folder.lstat()
        # In a shared temporary folder somebody else could have made it first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise Failure(f"{folder} belongs to somebody else: remove it, or shorten SP404_HOME.")


def lock(home: Home) -> IO[str]:
    """Claim the home until the returned file is closed or the process ends.

    Raises:
        Failure: when another process holds it.
    """
    with explained(home.root):
        file = (home.run / "lock").open("a+")
    if not _try_lock(file):
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise Failure(
            f"The library in {home.root} is running already (process {holder}): "
            "stop it first, or choose another SP404_HOME and PORT."
        )
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def wait_for_guard(home: Home) -> None:
    """Wait until the guard of an earlier run that was killed has swept up.

    Raises:
        Failure: when it is still at it after a long while.
    """
    with (home.run / "guard.lock").open("a+") as file:
        until = time.monotonic() + GUARD_PATIENCE
        while not _try_lock(file):
            if time.monotonic() > until:
                raise Failure(f"An earlier run in {home.root} is still stopping: try again soon.")
            time.sleep(0.1)


def hold_guard_lock(run: Path) -> IO[str]:
    """Take the guard's lock; it is free, because only one supervisor runs per home."""
    file = (run / "guard.lock").open("a+")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
