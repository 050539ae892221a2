"""The folders of one installation, and the lock that lets one process use them at a time."""

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

from sp404_app.supervisor.errors import Failure, explain_os_errors

MIN_FREE_MB = 300
MAX_SOCKET_PATH_BYTES = 107  # sun_path on Linux without the final zero
SOCKET_NAME = "postgres/.s.PGSQL.5432"
WATCHDOG_TIMEOUT_S = 15.0
FOLDERS = ("redis", "web", "bundles", "logs", "cache", "run", "outbox", "sounds")


@dataclass(frozen=True, slots=True)
class Home:
    """The folder (`SP404_HOME`) with the data, logs and sockets of one installation."""

    root: Path

    @property
    def mark(self) -> str:
        """Return the id of this home in the environment of its children (see `orphans`)."""
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
    def bundles(self) -> Path:
        """Return the folder of finished bundles, each named after its sources."""
        return self.root / "bundles"

    @property
    def bundle(self) -> Path:
        """Return the link to the bundle that is served."""
        return self.root / "bundle"

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        """Return the folder of files that can be created again."""
        return self.root / "cache"

    @property
    def node(self) -> Path:
        """Return the folder with Node, the first of the children's PATH."""
        return self.cache / "node"

    @property
    def run(self) -> Path:
        """Return the folder of locks, and of sockets if its path is short enough."""
        return self.root / "run"

    @property
    def metrics(self) -> Path:
        """Return the folder in which all processes count their metrics; emptied at each start."""
        return self.run / "metrics"

    @property
    def sockets(self) -> Path:
        """Return a folder with a path short enough for Unix sockets."""
        if len(os.fsencode(self.run / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
            return self.run
        return Path(tempfile.gettempdir()) / f"sp404-{os.geteuid()}-{self.mark}"

    def log(self, name: str) -> Path:
        """Return the log file of a child."""
        return self.logs / f"{name}.log"

    def prepare(self, room_mb: int = MIN_FREE_MB) -> None:
        """Create the folders (mode 0700) and check the free disk space.

        Raises:
            Failure: If a folder cannot be written or the disk is nearly full.
        """
        with explain_os_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in FOLDERS:
                (self.root / name).mkdir(exist_ok=True, mode=0o700)
            probe = self.run / "probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink(missing_ok=True)  # another process of this home may be quicker
            self._prepare_sockets()
        free = shutil.disk_usage(self.root).free >> 20
        if free < room_mb:
            raise Failure(
                f"The disk of {self.root} has {free} MB left, and {room_mb} MB are needed: "
                "free some space, or move SP404_HOME to another disk."
            )

    def _prepare_sockets(self) -> None:
        folder = self.sockets
        folder.mkdir(exist_ok=True, mode=0o700)
        found = folder.lstat()
        # In a shared temporary folder another user could have created it first.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise Failure(f"{folder} belongs to another user: remove it, or shorten SP404_HOME.")


def lock_home(home: Home) -> IO[str]:
    """Lock the home until the returned file is closed or the process ends.

    Raises:
        Failure: If another process holds the lock.
    """
    with explain_os_errors(home.root):
        file = (home.run / "lock").open("a+")
    if not _try_lock(file):
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise Failure(
            f"The library in {home.root} is already running (process {holder}): "
            "stop it, or choose another SP404_HOME and PORT."
        )
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def wait_for_guard(home: Home) -> None:
    """Wait until the watchdog of an earlier run that was killed has stopped its processes.

    Raises:
        Failure: If it takes longer than 15 seconds.
    """
    with (home.run / "guard.lock").open("a+") as file:
        until = time.monotonic() + WATCHDOG_TIMEOUT_S
        while not _try_lock(file):
            if time.monotonic() > until:
                raise Failure(
                    f"An earlier run in {home.root} is still stopping: try again in a minute."
                )
            time.sleep(0.1)


def hold_guard_lock(run: Path) -> IO[str]:
    """Take the watchdog's lock; it is free, because only one supervisor runs per home."""
    file = (run / "guard.lock").open("a+")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
