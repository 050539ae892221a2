"""The watchdog process: stops all processes of a home when its supervisor ends, even by kill -9.

The supervisor holds one end of a pipe. When the supervisor ends, the kernel closes it, and the
watchdog reads end-of-file.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from sp404_app.supervisor import orphans
from sp404_app.supervisor.home import Home, hold_guard_lock


class Watchdog:
    """The supervisor's handle on the watchdog: its process and one end of the pipe."""

    def __init__(self, home: Home) -> None:
        command = [sys.executable, "-m", "sp404_app.supervisor.watchdog", os.fspath(home.root)]
        self.process = subprocess.Popen(  # noqa: S603 - fixed command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        stdout = self.process.stdout
        assert stdout
        stdout.readline()  # it is ready: from now on no process can be orphaned

    @property
    def pipe(self) -> IO[bytes]:
        """Return the supervisor's end of the pipe."""
        assert self.process.stdin
        return self.process.stdin

    @property
    def has_ended(self) -> bool:
        """Return whether the watchdog process has ended."""
        return self.process.poll() is not None

    def release(self) -> None:
        """Let the watchdog stop all processes and end."""
        self.pipe.close()
        self.process.wait()


def main() -> None:
    """Wait until the supervisor has ended, then stop all its processes."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.SIG_IGN)
    home = Home(Path(sys.argv[1]))
    with hold_guard_lock(home.run):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        os.close(1)
        while os.read(0, 1):
            pass
        orphans.stop_all_processes(home)


if __name__ == "__main__":
    main()
