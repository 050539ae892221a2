"""The web server of an installation: started, watched, and replaced without refusing a connection.

A replacement migrates the database with the new code, starts a second web server on the same
socket, and waits until all its processes have started. Only then is the first one told to drain.
If the second one fails, the first one goes on.
"""

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sp404_app.api.lifecycle import READY_FD
from sp404_app.settings import Settings
from sp404_app.supervisor import frontend, listener
from sp404_app.supervisor.environment import ROOT
from sp404_app.supervisor.process import Child
from sp404_app.supervisor.restarts import Restarter
from sp404_app.supervisor.web import HAND_OVER

START_TIMEOUT_S: Final = 120.0
KILL_AFTER_S: Final = 10.0  # more than what a draining server is allowed
RELOAD_STOP_TIMEOUT_S: Final = 3.0
NAME: Final = "web server"


@dataclass(slots=True)
class WebServer:
    """The web servers on one socket: one, and for a moment a second one that replaces it."""

    settings: Settings
    environment: Mapping[str, str]
    log: Path | None
    socket: socket.socket
    reload: bool = False
    on_takeover: Callable[[], object] = lambda: None
    restarter: Restarter | None = field(default=None, init=False)
    draining: list[Child] = field(default_factory=list, init=False)
    successor: "Successor | None" = field(default=None, init=False)

    def start(self) -> None:
        """Start the first web server and wait until it answers.

        Raises:
            Failure: If it does not start, or the port is taken.
        """
        if self.reload:
            self.socket.close()  # `reflex run` opens the port itself
        else:
            listener.listen(self.socket)
        child = self._child()
        self.restarter = Restarter(child)
        child.start()
        child.wait_until(self._answers, START_TIMEOUT_S)

    def watch(self) -> list[str]:
        """Restart the web server if it has ended, and continue a replacement; return messages.

        Raises:
            Failure: If it keeps ending.
        """
        messages = [self.restarter.restart_if_ended()] if self.restarter else []
        for child in [child for child in self.draining if child.exit_code is not None]:
            self.draining.remove(child)
        if self.successor:
            messages += self._continue_replacement(self.successor)
        return [message for message in messages if message]

    def replace(self) -> str:
        """Begin to replace the running web server; return what was begun or why not."""
        if self.successor:
            return "The web server is already being replaced."
        if self.reload:
            return "With --reload, the web server reloads changed code by itself."
        self.successor = Successor(self._migration(), self._child(), self.settings.web_processes)
        self.successor.start()
        return "A new web server is started; the present one serves until it is ready."

    def stop(self) -> list[Child]:
        """Refuse new connections as soon as the servers do; return the servers to stop."""
        self.socket.close()
        if self.successor:
            self.successor.cancel()
        return [*self.draining, *([self.restarter.child] if self.restarter else [])]

    def _continue_replacement(self, successor: "Successor") -> list[str]:
        failure = successor.failure()
        if failure:
            successor.cancel()
            self.successor = None
            return [f"{failure} The present web server goes on."]
        if not successor.is_ready():
            return []
        self.successor = None
        old, self.restarter = self.restarter, Restarter(successor.web)
        if old and old.child.exit_code is None:
            old.child.send_signal(HAND_OVER)
            self.draining.append(old.child)
        self.on_takeover()
        return ["The new web server has taken over."]

    def _child(self) -> Child:
        command = frontend.reload_command(self.settings) if self.reload else frontend.SERVE_COMMAND
        passed = {} if self.reload else {listener.LISTEN_FD: str(self.socket.fileno())}
        return Child(
            name=NAME,
            command=command,
            environment={**self.environment, **passed},
            log=self.log,
            folder=ROOT,
            stop_timeout_s=self._stop_timeout_s(),
            pass_fds=() if self.reload else (self.socket.fileno(),),
        )

    def _stop_timeout_s(self) -> float:
        if self.reload:
            return RELOAD_STOP_TIMEOUT_S
        return self.settings.drain_notice_s + self.settings.drain_seconds + KILL_AFTER_S

    def _migration(self) -> Child:
        return Child(
            name="migration",
            command=[sys.executable, "-m", "sp404_app", "migrate"],
            environment=self.environment,
            log=self.log,
            folder=ROOT,
        )

    def _answers(self) -> bool:
        host = self.settings.host
        host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=5)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Successor:
    """A web server that is about to replace another: first the migration, then the server."""

    def __init__(self, migration: Child, web: Child, processes: int) -> None:
        self.migration, self.web, self.processes = migration, web, processes
        self.started_at = time.monotonic()
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        self.ready = 0

    def start(self) -> None:
        """Start the migration."""
        self.migration.start()

    def failure(self) -> str:
        """Return a sentence that says why it cannot take over, or ""."""
        if self.migration.exit_code:
            return self.migration.exit_message()
        if self.web.exit_code is not None:
            return f"The new {self.web.exit_message().removeprefix('The ')}"
        if time.monotonic() - self.started_at > START_TIMEOUT_S:
            return f"The new web server was not ready within {START_TIMEOUT_S:.0f} s."
        return ""

    def is_ready(self) -> bool:
        """Start the server after the migration; return whether all its processes have started."""
        if self.migration.exit_code is None:
            return False
        if self.web.process is None:
            self.web.environment = {**self.web.environment, READY_FD: str(self.write_fd)}
            self.web.pass_fds = (*self.web.pass_fds, self.write_fd)
            self.web.start()
            # A restart of this server by its restarter has no pipe to report to.
            self.web.pass_fds = self.web.pass_fds[:-1]
            self.web.environment = {
                name: value for name, value in self.web.environment.items() if name != READY_FD
            }
            os.close(self.write_fd)
            self.write_fd = -1
        try:
            self.ready += len(os.read(self.read_fd, 4096))
        except BlockingIOError:
            return False
        if self.ready >= self.processes:
            os.close(self.read_fd)
            return True
        return False

    def cancel(self) -> None:
        """Kill what was started, and close the pipe."""
        for child in (self.migration, self.web):
            child.kill()
            child.wait_stopped()
        os.close(self.read_fd)
        if self.write_fd >= 0:
            os.close(self.write_fd)
