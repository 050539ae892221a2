"""Serve the built pages, the state and the API: `python -m sp404_app.supervisor.web`.

SIGTERM and SIGINT drain and stop: `/api/health/ready` answers 503 for a while, then no connection
is accepted, then requests in progress end, within `SP404_DRAIN_SECONDS`. A second signal stops at
once. SIGUSR2 does the same without the 503: another web server has taken over the socket.
"""

import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any, Final

import granian.server
from granian._granian import SocketHolder
from granian.server.mp import MPServer
from reflex.utils import exec as server
from reflex_base import constants
from reflex_base.environment import environment

from sp404_app import logs
from sp404_app.api import lifecycle
from sp404_app.api.lifecycle import Phase
from sp404_app.services.infra import former_assets
from sp404_app.settings import settings
from sp404_app.supervisor import listener, messages
from sp404_app.supervisor.errors import Failure
from sp404_app.telemetry import processes

log = logging.getLogger(__name__)

HAND_OVER: Final = signal.SIGUSR2
# Clients with open connections learn by `Connection: close` to open new ones, which the other
# server accepts.
HAND_OVER_NOTICE_S: Final = 2.0
MIN_DRAIN_S: Final = 0.1  # Granian takes 0 for no limit


# Granian's own handlers would write plain text.
THROUGH_ROOT: Final = {
    "handlers": {},
    "loggers": {name: {"propagate": True} for name in ("_granian", "granian.access")},
}


class DrainingServer(MPServer):
    """Granian on a socket that it did not open, with a process that drains before it stops.

    A process that ends unexpectedly is forked again; meanwhile connections wait in the queue of
    the socket. If it ends again within five seconds, Granian gives up, and so ends this process.
    """

    listener: socket.socket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what Reflex passes to Granian, and add limits."""
        drain_s = max(MIN_DRAIN_S, settings().drain_seconds)
        options |= {"workers_kill_timeout": drain_s, "respawn_failed_workers": True}
        options |= {"log_dictconfig": THROUGH_ROOT}
        super().__init__(*arguments, **options)
        self._ending = False
        signal.signal(HAND_OVER, self._hand_over)

    def _init_shared_socket(self) -> None:
        listener.listen(self.listener)  # the application is imported
        self.listener.setblocking(False)
        self.listener.set_inheritable(True)
        self._sfd = self.listener.fileno()
        self._shd = SocketHolder(self._sfd, False, listener.BACKLOG)  # pyright: ignore[reportCallIssue]
        self._sso = self.listener

    def signal_handler_interrupt(self, *_: object, **__: object) -> None:
        """Begin to stop; at the second signal do not wait any longer."""
        if self._ending and lifecycle.current_phase() is Phase.HANDING_OVER:
            lifecycle.announce(Phase.STOPPING)  # it drains already; this is the first signal
            return
        if self._ending:
            self._interrupt()
            for worker in self.wrks:
                worker.kill()
            return
        self._end(Phase.STOPPING, settings().drain_notice_s)

    def _hand_over(self, _number: int, _frame: FrameType | None) -> None:
        if not self._ending:
            self._end(Phase.HANDING_OVER, HAND_OVER_NOTICE_S)

    def _end(self, phase: Phase, notice_s: float) -> None:
        self._ending = True
        lifecycle.announce(phase)
        timer = threading.Timer(notice_s, self._interrupt)
        timer.daemon = True
        timer.start()

    def _interrupt(self) -> None:
        self.interrupt_signal = True
        self.main_loop_interrupt.set()


def main() -> int:
    """Serve the pages without building them; `reflex run` would build at every start."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _exit)  # until Granian installs its handlers
    signal.signal(HAND_OVER, _exit)
    logs.configure()
    processes.use_own_folder()
    try:
        DrainingServer.listener = listener.open_listener(settings().host, settings().port)
    except Failure as failure:
        messages.say_error(str(failure))
        return 1
    lifecycle.open_channel()
    # Reflex's own start of Granian has no option for the class, and prepares the fork as well.
    granian.server.Server = DrainingServer
    environment.REFLEX_ENV_MODE.set(constants.Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_BACKEND_ONLY.set(True)  # links no scripts into the checkout
    # Resolved once: the link in the home points to another bundle after the next build.
    web = environment.REFLEX_WEB_WORKDIR.get().resolve()
    os.environ[environment.REFLEX_WEB_WORKDIR.name] = str(web)
    try:
        former_assets.keep_assets(web / constants.Dirs.STATIC / "assets")
    except OSError as error:
        log.warning("tabs that are open now cannot load pages after an upgrade", exc_info=error)
    try:
        server.run_backend_prod(
            settings().host,
            settings().port,
            constants.LogLevel.WARNING,
            mount_frontend_compiled_app=True,
        )
    except Failure as failure:  # another program listens on the port since
        messages.say_error(str(failure))
        return 1
    return 0


def _exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
