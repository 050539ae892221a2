"""Ends everything of a home as soon as its supervisor is gone, however it went.

The supervisor holds one end of a pipe. When the kernel closes it, by exit or by kill -9,
the guard wakes up, sweeps, and leaves.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from sp404_app.supervisor import orphans
from sp404_app.supervisor.home import Home, hold_guard_lock


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self, home: Home) -> None:
        command = [sys.executable, "-m", "sp404_app.supervisor.watchdog", os.fspath(home.root)]
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        stdout = self.process.stdout
        assert stdout
        stdout.readline()  # it is awake: from here on nothing can be left behind

    @property
    def pipe(self) -> IO[bytes]:
        """Return the end whose closing wakes the guard."""
        assert self.process.stdin
        return self.process.stdin

    @property
    def gone(self) -> bool:
        """Say whether somebody killed the guard."""
        return self.process.poll() is not None

    def release(self) -> None:
        """Let the guard sweep and leave."""
        self.pipe.close()
        self.process.wait()


def main() -> None:
    """Wait for the supervisor's end, then sweep."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    home = Home(Path(sys.argv[1]))
    with hold_guard_lock(home.run):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        os.close(1)
        while os.read(0, 1):
            pass
        orphans.end_all(home)


if __name__ == "__main__":
    main()
