"""Start everything in order, watch it, and stop it in the opposite order."""

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
from sp404_app.supervisor.home import Home, lock, wait_for_guard
from sp404_app.supervisor.preflight import ensure_keys, see_port_free
from sp404_app.supervisor.process import Child, stop
from sp404_app.supervisor.watchdog import Guard
from sp404_app.supervisor.worker_pool import Crew

WATCH_SECONDS = 0.25
WEB_SECONDS = 120.0
DEMO_SECONDS = 600.0


@dataclass(slots=True)
class Supervisor:
    """Everything that runs for one home."""

    settings: Settings
    reload: bool = False
    home: Home = field(init=False)
    environment: dict[str, str] = field(init=False)
    stores: list[Child] = field(default_factory=list, init=False)
    web: Child | None = field(default=None, init=False)
    crew: Crew | None = field(default=None, init=False)
    guard: Guard | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.settings.home)
        self.environment = for_children(self.settings, self.home)

    def run(self) -> None:
        """Serve until somebody stops us.

        Raises:
            Failure: when something cannot be started or dies.
        """
        production_checks.refuse_defaults(self.settings)
        see_port_free(self.settings.host, self.settings.port)
        self.home.prepare()
        claim = lock(self.home)
        try:
            wait_for_guard(self.home)
            orphans.end_all(self.home)
            self.guard = Guard(self.home)
            try:
                self._start()
                self._watch()
            finally:
                self._stop()
        finally:
            claim.close()

    def _start(self) -> None:
        wanted = frontend.fingerprint(self.environment)
        build = self._start_build(wanted)
        self._start_stores()
        ensure_keys(self.settings.secrets)
        migrations.upgrade(self.environment["SP404_DATABASE_URL"])
        demo = self._start_demo()
        if build:
            self._start_crew()  # they warm up while the pages are built
            frontend.finish(self.home, build, wanted)
        self._start_web()
        if not build:
            self._start_crew()  # warming up takes all cores, and somebody waits for the page
        if demo:
            demo.wait_until(lambda: demo.code == 0, DEMO_SECONDS)
        self._greet()

    def _start_build(self, wanted: str) -> Child | None:
        if self.reload:
            frontend.forget(self.home)  # what reloading leaves is not what was built from `wanted`
            if frontend.prepared(self.home):
                return None  # it builds by itself, in a folder that is ready
        if frontend.built(self.home, wanted):
            return None
        say("Building the pages; the first time takes a minute or two …")
        build = frontend.builder(self.home, self._marked("build"))
        build.start()
        return build

    def _start_stores(self) -> None:
        if not self.settings.database_url:
            database = postgresql.prepare(self.home, self._marked("database"))
            self.stores.append(database)
            database.start()
        if not self.settings.redis_url:
            queue = redis_server.prepare(self.home, self._marked("redis"))
            self.stores.append(queue)
            queue.start()
            redis_server.wait(queue, self.home)
        if not self.settings.database_url:
            postgresql.wait(self.stores[0], self.home)

    def _start_crew(self) -> None:
        self.crew = Crew(
            self.home, self.environment, self.settings.workers, self._log("worker") is not None
        )
        self.crew.start()

    def _start_web(self) -> None:
        self.web = Child(
            name="web server",
            command=frontend.reloading(self.settings) if self.reload else frontend.SERVING,
            environment=self._marked("web"),
            log=self._log("web"),
            folder=ROOT,
            patience=3.0,
        )
        self.web.start()
        self.web.wait_until(self._web_answers, WEB_SECONDS)

    def _start_demo(self) -> Child | None:
        if self.settings.in_production or not self.settings.demo:
            return None
        demo = Child(
            name="making of the demo account",
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
                if child.code is not None:
                    raise Failure(child.obituary())
            for event in self.crew.replace_dead():
                say(event)
            if self.guard.gone:
                raise Failure("The guard that would clean up after a crash was killed.")
            time.sleep(WATCH_SECONDS)

    def _stop(self) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        stop([*([self.web] if self.web else []), *(self.crew.members if self.crew else [])])
        stop(self.stores)
        if self.guard:
            self.guard.release()  # what is left, such as a half-done build, goes with it

    def _marked(self, name: str) -> dict[str, str]:
        return self.environment | orphans.mark(self.home, name)

    def _log(self, name: str) -> Path | None:
        # In production somebody collects what we print.
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

    def _greet(self) -> None:
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
            threading.Thread(target=_follow, args=[os.getppid()], daemon=True).start()
        Supervisor(settings, reload).run()
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def _follow(parent: int) -> None:
    """Stop this process when the one that started it is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def say(line: str) -> None:
    """Tell the person at the keyboard."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
