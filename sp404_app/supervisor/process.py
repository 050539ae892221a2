"""A child process: started in its own session, logged to a file, stopped within a time limit."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sp404_app.supervisor.errors import Failure, explain_os_errors

MAX_LOG_BYTES = 5 << 20
LOG_TAIL_BYTES = 16 << 10
POLL_INTERVAL_S = 0.02


@dataclass(slots=True)
class Child:
    """How to start and stop one process."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path | None
    folder: Path | None = None
    user: pwd.struct_passwd | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 5.0
    pass_fds: Sequence[int] = ()
    started_at: float = field(default=0.0, init=False)  # by time.monotonic()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process in its own session, so that Ctrl-C reaches the supervisor only.

        Raises:
            Failure: If the program cannot be started or its log cannot be written.
        """
        with explain_os_errors(self.log or Path.cwd()):
            output = open_log(self.log) if self.log else None
            self.started_at = time.monotonic()
            try:
                self.process = subprocess.Popen(  # noqa: S603 - fixed commands
                    [os.fspath(part) for part in self.command],
                    env=dict(self.environment),
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    start_new_session=True,
                    pass_fds=self.pass_fds,
                    user=self.user.pw_uid if self.user else None,
                    group=self.user.pw_gid if self.user else None,
                    extra_groups=[] if self.user else None,
                )
            finally:
                if output:
                    output.close()

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self.process.poll() if self.process else None

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until `ready` returns True.

        Raises:
            Failure: If the process ends first, or after `seconds`.
        """
        until = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None:
                raise Failure(self.exit_message())
            if time.monotonic() > until:
                raise Failure(
                    f"The {self.name} did not answer within {seconds:.0f} s{self._log_hint}."
                )
            time.sleep(POLL_INTERVAL_S)

    def send_signal(self, sign: signal.Signals) -> None:
        """Send a signal if the process runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sign)

    def send_stop_signal(self) -> None:
        """Send the signal that stops the process."""
        self.send_signal(self.stop_signal)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def wait_stopped(self) -> None:
        """Wait until the process has ended; kill it after the timeout."""
        if self.process is None:
            return
        try:
            self.process.wait(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def _log_hint(self) -> str:
        return f"; see its log {self.log}" if self.log else ""

    def exit_message(self) -> str:
        """Return a sentence that says how the process ended and where its log is."""
        code = self.exit_code or 0
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        cause = " because the disk is full" if _mentions_full_disk(self.log) else ""
        return f"The {self.name} {how}{cause}{self._log_hint}."


def stop_children(children: Sequence[Child]) -> None:
    """Stop several processes at the same time."""
    for child in children:
        child.send_stop_signal()
    for child in children:
        child.wait_stopped()


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending; one larger than 5 MB becomes `.log.1` first."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def _mentions_full_disk(log: Path | None) -> bool:
    if not log or not log.exists():
        return False
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL_BYTES))
        tail = file.read().lower()
    # `sp404_app.logs` writes the second form: it logs the code of an error, not its message.
    return b"no space left on device" in tail or b"(enospc)" in tail
