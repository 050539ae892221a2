"""Start all processes of an installation in order, watch them, and stop them in reverse order.

SIGTERM, SIGINT and SIGHUP drain and stop, a second one stops at once. SIGUSR1 replaces the web
server by one with the code on the disk, without refusing a connection.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from sp404_app.settings import Settings
from sp404_app.supervisor import (
    bundle,
    frontend,
    listener,
    migrations,
    orphans,
    postgresql,
    production_checks,
    redis_server,
    restore_recovery,
    service_checks,
)
from sp404_app.supervisor.environment import ROOT, for_children
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home, lock_home, wait_for_guard
from sp404_app.supervisor.messages import say, say_error
from sp404_app.supervisor.preflight import ensure_keys, ensure_reachable
from sp404_app.supervisor.process import Child, stop_children
from sp404_app.supervisor.restarts import Restarter
from sp404_app.supervisor.watchdog import Watchdog
from sp404_app.supervisor.web_server import WebServer
from sp404_app.supervisor.worker_pool import WorkerPool
from sp404_app.telemetry import processes

WATCH_INTERVAL_S = 0.25
DEMO_TIMEOUT_S = 600.0


@dataclass(slots=True, repr=False)  # `signal.signal` calls repr, before all fields are set
class Supervisor:
    """All processes of one home."""

    settings: Settings
    reload: bool = False
    home: Home = field(init=False)
    environment: dict[str, str] = field(init=False)
    stores: list[Restarter] = field(default_factory=list, init=False)
    web: WebServer = field(init=False)
    crew: WorkerPool = field(init=False)
    replacement_wanted: bool = field(default=False, init=False)
    guard: Watchdog | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.settings.home)
        # Only children of one supervisor share the folder: their process ids differ.
        metrics = {processes.FOLDER_VARIABLE: str(self.home.metrics)}
        self.environment = for_children(self.settings, self.home) | metrics

    def run(self) -> None:
        """Run until a signal stops the process.

        Raises:
            Failure: If a process cannot be started or dies.
        """
        production_checks.ensure_production_settings(self.settings)
        production_checks.ensure_stripe_accepts_key(self.settings)
        self.web = self._web_server()
        signal.signal(signal.SIGUSR1, self._want_replacement)
        service_checks.ensure_services(self.settings)
        self.home.prepare()
        ensure_reachable(self.settings.secrets)
        home_lock = lock_home(self.home)
        try:
            wait_for_guard(self.home)
            orphans.stop_all_processes(self.home)
            processes.empty_folder(self.home.metrics)
            self.guard = Watchdog(self.home)
            try:
                self._start()
                self._watch()
            finally:
                self._stop()
        finally:
            home_lock.close()

    def _want_replacement(self, _number: int, _frame: FrameType | None) -> None:
        self.replacement_wanted = True

    def _start(self) -> None:
        self.crew = self._worker_pool()
        bundle.remove_unused_bundles(self.home)
        wanted = frontend.source_fingerprint(self.settings)
        build = self._start_build(wanted)
        self._start_stores()
        restore_recovery.ensure_recovered(self.settings, self.environment["SP404_DATABASE_URL"])
        ensure_keys(self.settings.secrets)
        migrations.run_migrations(
            self.environment["SP404_DATABASE_URL"],
            accept_newer=self.settings.accept_newer_database,
        )
        demo = self._start_demo()
        if build:
            self.crew.start()  # they warm up while the pages are built
            frontend.finish_build(self.home, build, wanted)
        self.web.start()
        self.crew.start_scheduler()
        if not build:
            self.crew.start()  # after the web server: warming up takes all cores
        if demo:
            demo.wait_until(lambda: demo.exit_code == 0, DEMO_TIMEOUT_S)
        self._print_addresses()

    def _start_build(self, wanted: str) -> Child | None:
        if self.reload and frontend.has_build_folder(self.home):
            return None  # `reflex run` builds the pages itself
        if not self.reload and frontend.has_pages(self.settings, self.home, wanted):
            return None
        say(frontend.BUILDING)
        build = frontend.build_process(self.home, self._marked("build"), wanted)
        build.start()
        return build

    def _start_stores(self) -> None:
        if not self.settings.database_url:
            database = postgresql.prepare_postgres(self.home, self._marked("database"))
            self.stores.append(
                Restarter(database, partial(postgresql.remove_stale_files, self.home))
            )
            database.start()
        if not self.settings.redis_url:
            queue = redis_server.prepare_redis(self.home, self._marked("redis"))
            self.stores.append(
                Restarter(queue, partial(redis_server.remove_stale_socket, self.home))
            )
            queue.start()
            redis_server.wait_for_redis(queue, self.home)
        if not self.settings.database_url:
            postgresql.wait_for_postgres(self.stores[0].child, self.home)

    def _worker_pool(self) -> WorkerPool:
        return WorkerPool(
            self.home,
            self.environment,
            self.settings.workers,
            self._log("worker") is not None,
            self.settings.drain_seconds,
        )

    def _web_server(self) -> WebServer:
        return WebServer(
            self.settings,
            self._marked("web") | (frontend.reload_environment(self.home) if self.reload else {}),
            self._log("web"),
            listener.bind(self.settings.host, self.settings.port),
            self.reload,
        )

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
        assert self.guard
        self.crew.start_picture_worker()
        self.web.on_takeover = self.crew.restart_when_idle
        while True:
            if self.replacement_wanted:
                self.replacement_wanted = False
                say(self._replace_web_server())
            stores = [store.restart_if_ended() for store in self.stores]
            for message in [*stores, *self.web.watch(), *self.crew.restart_dead()]:
                if message:
                    say(message)
            if self.guard.has_ended:
                raise Failure("The watchdog process, which cleans up after a crash, was killed.")
            time.sleep(WATCH_INTERVAL_S)

    def _stop(self) -> None:
        children = [*self.web.stop(), *self.crew.workers]

        def stop_at_once(_number: int, _frame: FrameType | None) -> None:
            for child in children:
                child.kill()

        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, stop_at_once)
        stop_children(children)
        stop_children([store.child for store in self.stores])
        if self.guard:
            self.guard.release()  # also stops what is left, such as an unfinished build

    def _replace_web_server(self) -> str:
        wanted = frontend.source_fingerprint(self.settings)
        try:
            has_pages = self.reload or frontend.has_pages(self.settings, self.home, wanted)
        except Failure as failure:
            return f"The web server was not replaced: {failure}"
        if not has_pages:
            return (
                "The web server was not replaced: the pages were built from other code than is on "
                "the disk now. Run `python -m sp404_app build`, then send the signal again."
            )
        return self.web.replace()

    def _marked(self, name: str) -> dict[str, str]:
        return self.environment | orphans.marker_variable(self.home, name)

    def _log(self, name: str) -> Path | None:
        # In production the platform collects stdout and stderr.
        return None if self.settings.in_production else self.home.log(name)

    def _print_addresses(self) -> None:
        if not self.settings.logs_are_collected:
            say("")
        say(f"  Crate 404        {self.settings.origin}")
        credentials = self.home.cache / "demo-account"
        if credentials.exists() and not self.settings.in_production:
            say(f"  Demo account     {credentials.read_text().strip()}")
        say(f"  Data and logs    {self.home.root}")
        say("  Stop             Ctrl-C")


def serve(settings: Settings, *, reload: bool = False, with_parent: bool = False) -> int:
    """Run everything in the foreground and return the exit code."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    try:
        if with_parent:
            threading.Thread(target=_stop_with_parent, args=[os.getppid()], daemon=True).start()
        Supervisor(settings, reload).run()
    except Failure as failure:
        say_error(str(failure))
        return failure.exit_code
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def _stop_with_parent(parent_pid: int) -> None:
    """Stop this process when its parent has ended."""
    while os.getppid() == parent_pid:
        time.sleep(WATCH_INTERVAL_S)
    os.kill(os.getpid(), signal.SIGTERM)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
