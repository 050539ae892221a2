"""One process of ours: started apart from the terminal, logged to a file, stopped for sure."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sp404_app.supervisor.errors import Failure, explained

LOG_LIMIT = 5 << 20
LAST_WORDS = 16 << 10
PAUSE = 0.02


@dataclass(slots=True)
class Child:
    """How to start, recognise and stop one process."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path | None
    folder: Path | None = None
    user: pwd.struct_passwd | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 5.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C reaches the supervisor only.

        Raises:
            Failure: when the program cannot be started or its log not be written.
        """
        with explained(self.log or Path.cwd()):
            output = open_log(self.log) if self.log else None
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own commands
                    [os.fspath(part) for part in self.command],
                    env=dict(self.environment),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    start_new_session=True,
                    user=self.user.pw_uid if self.user else None,
                    group=self.user.pw_gid if self.user else None,
                    extra_groups=[] if self.user else None,
                )
            finally:
                if output:
                    output.close()

    @property
    def code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.process.poll() if self.process else None

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` says so.

        Raises:
            Failure: when the process ends first or the time is over.
        """
        until = time.monotonic() + seconds
        while not ready():
            if self.code is not None:
                raise Failure(self.obituary())
            if time.monotonic() > until:
                raise Failure(f"The {self.name} did not answer within {seconds:.0f} s{self.hint}.")
            time.sleep(PAUSE)

    def ask_to_stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)

    def see_stopped(self) -> None:
        """Wait for the end that was asked for, and force it when it does not come."""
        if self.process is None:
            return
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def hint(self) -> str:
        """Say where to read more."""
        return f"; its log is {self.log}" if self.log else ""

    def obituary(self) -> str:
        """Say that the process ended, how, and what it said last."""
        code = self.code or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        full = _speaks_of_full_disk(self.log)
        cause = " because the disk is full" if full else ""
        return f"The {self.name} {how}{cause}{self.hint}."


def stop(children: Sequence[Child]) -> None:
    """Stop several at the same time."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.see_stopped()


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; a long one is set aside first, so that two remain at most."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _speaks_of_full_disk(log: Path | None) -> bool:
    if not log or not log.exists():
        return False
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_WORDS))
        words = file.read().lower()
    return b"no space left on device" in words or b"(enospc)" in words  # of theirs, or of ours
