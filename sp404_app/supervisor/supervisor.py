"""Start all processes of an installation in order, watch them, and stop them in reverse order."""

import http.client
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from sp404_app.settings import Settings
from sp404_app.supervisor import (
    frontend,
    migrations,
    orphans,
    postgresql,
    production_checks,
    redis_server,
)
from sp404_app.supervisor.environment import ROOT, for_children
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock_home, wait_for_guard
from sp404_app.supervisor.preflight import ensure_keys, ensure_port_free
from sp404_app.supervisor.process import Child, stop_children
from sp404_app.supervisor.watchdog import Watchdog
from sp404_app.supervisor.worker_pool import WorkerPool

WATCH_INTERVAL_S = 0.25
WEB_START_TIMEOUT_S = 120.0
DEMO_TIMEOUT_S = 600.0


@dataclass(slots=True)
class Supervisor:
    """All processes of one home."""

    settings: Settings
    reload: bool = False
    home: Home = field(init=False)
    environment: dict[str, str] = field(init=False)
    stores: list[Child] = field(default_factory=list, init=False)
    web: Child | None = field(default=None, init=False)
    crew: WorkerPool | None = field(default=None, init=False)
    guard: Watchdog | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.settings.home)
        self.environment = for_children(self.settings, self.home)

    def run(self) -> None:
        """Run until a signal stops the process.

        Raises:
            Failure: If a process cannot be started or dies.
        """
        production_checks.ensure_production_settings(self.settings)
        ensure_port_free(self.settings.host, self.settings.port)
        self.home.prepare()
        home_lock = lock_home(self.home)
        try:
            wait_for_guard(self.home)
            orphans.stop_all_processes(self.home)
            self.guard = Watchdog(self.home)
            try:
                self._start()
                self._watch()
            finally:
                self._stop()
        finally:
            home_lock.close()

    def _start(self) -> None:
        wanted = frontend.source_fingerprint()
        build = self._start_build(wanted)
        self._start_stores()
        ensure_keys(self.settings.secrets)
        migrations.run_migrations(self.environment["SP404_DATABASE_URL"])
        demo = self._start_demo()
        if build:
            self._start_workers()  # they warm up while the pages are built
            frontend.finish_build(self.home, build, wanted)
        self._start_web()
        if not build:
            self._start_workers()  # after the web server: warming up takes all cores
        if demo:
            demo.wait_until(lambda: demo.exit_code == 0, DEMO_TIMEOUT_S)
        self._print_addresses()

    def _start_build(self, wanted: str) -> Child | None:
        if self.reload and frontend.has_build_folder(self.home):
            return None  # `reflex run` builds the pages itself
        if not self.reload and frontend.has_pages(self.settings, self.home, wanted):
            return None
        print_line("Building the pages. The first time takes a minute or two …")
        build = frontend.build_process(self.home, self._marked("build"), wanted)
        build.start()
        return build

    def _start_stores(self) -> None:
        if not self.settings.database_url:
            database = postgresql.prepare_postgres(self.home, self._marked("database"))
            self.stores.append(database)
            database.start()
        if not self.settings.redis_url:
            queue = redis_server.prepare_redis(self.home, self._marked("redis"))
            self.stores.append(queue)
            queue.start()
            redis_server.wait_for_redis(queue, self.home)
        if not self.settings.database_url:
            postgresql.wait_for_postgres(self.stores[0], self.home)

    def _start_workers(self) -> None:
        self.crew = WorkerPool(
            self.home, self.environment, self.settings.workers, self._log("worker") is not None
        )
        self.crew.start()

    def _start_web(self) -> None:
        self.web = Child(
            name="web server",
            command=frontend.reload_command(self.settings)
            if self.reload
            else frontend.SERVE_COMMAND,
            environment=self._marked("web")
            | (frontend.reload_environment(self.home) if self.reload else {}),
            log=self._log("web"),
            folder=ROOT,
            stop_timeout_s=3.0,
        )
        self.web.start()
        self.web.wait_until(self._web_answers, WEB_START_TIMEOUT_S)

    def _start_demo(self) -> Child | None:
        if self.settings.in_production or not self.settings.demo:
            return None
        demo = Child(
            name="demo account job",
            command=[sys.executable, "-m", "sp404_app", "demo"],
            environment=self._marked("demo"),
            log=self.home.log("demo"),
            folder=ROOT,
        )
        demo.start()
        return demo

    def _watch(self) -> None:
        assert self.crew
        assert self.guard
        assert self.web
        self.crew.start_picture_worker()
        while True:
            for child in [*self.stores, self.web]:
                if child.exit_code is not None:
                    raise Failure(child.exit_message())
            for message in self.crew.restart_dead():
                print_line(message)
            if self.guard.has_ended:
                raise Failure("The watchdog process, which cleans up after a crash, was killed.")
            time.sleep(WATCH_INTERVAL_S)

    def _stop(self) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        stop_children(
            [*([self.web] if self.web else []), *(self.crew.workers if self.crew else [])]
        )
        stop_children(self.stores)
        if self.guard:
            self.guard.release()  # also stops what is left, such as an unfinished build

    def _marked(self, name: str) -> dict[str, str]:
        return self.environment | orphans.marker_variable(self.home, name)

    def _log(self, name: str) -> Path | None:
        # In production the platform collects stdout and stderr.
        return None if self.settings.in_production else self.home.log(name)

    def _web_answers(self) -> bool:
        host = "127.0.0.1" if self.settings.host in {"0.0.0.0", "::"} else self.settings.host  # noqa: S104
        connection = http.client.HTTPConnection(host, self.settings.port, timeout=5)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _print_addresses(self) -> None:
        print_line("")
        print_line(f"  Crate 404        {self.settings.origin}")
        credentials = self.home.cache / "demo-account"
        if credentials.exists() and not self.settings.in_production:
            print_line(f"  Demo account     {credentials.read_text().strip()}")
        print_line(f"  Data and logs    {self.home.root}")
        print_line("  Stop             Ctrl-C")


def serve(settings: Settings, *, reload: bool = False, with_parent: bool = False) -> int:
    """Run everything in the foreground and return the exit code."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    try:
        if with_parent:
            threading.Thread(target=_stop_with_parent, args=[os.getppid()], daemon=True).start()
        Supervisor(settings, reload).run()
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        print_line("Stopped.")
    return 0


def _stop_with_parent(parent_pid: int) -> None:
    """Stop this process when its parent has ended."""
    while os.getppid() == parent_pid:
        time.sleep(WATCH_INTERVAL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def print_line(line: str) -> None:
    """Print a line to stdout at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
