"""Start the whole product for a test: `python -m sp404_app serve` with its own SP404_HOME."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session, create_engine

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home

ROOT = Path(__file__).resolve().parents[1]
SLOTS = ROOT / "build" / "tests"
READY = "Ctrl-C"
START_TIMEOUT_S = 300.0
PAGES = ("web", "bundles")  # where a home builds its pages, and keeps those that are built
UNSET_PREFIXES = ("SP404_", "REFLEX_", "PORT", "PYTEST_", "OTEL_")


@dataclass(slots=True)
class Product:
    """One instance of the product."""

    home: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)
    checkout: Path = ROOT
    process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def said(self) -> str:
        """Return the output so far."""
        return self._output.read_text() if self._output.exists() else ""

    @property
    def running(self) -> subprocess.Popen[bytes]:
        assert self.process
        return self.process

    @property
    def _output(self) -> Path:
        return self.home.with_name(f"{self.home.name}.out")

    def launch(self, *arguments: str) -> None:
        """Start the process and return at once."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(UNSET_PREFIXES)
        }
        environment |= {"SP404_HOME": str(self.home), "PORT": str(self.port)}
        # All homes share one cache of code that numba compiled: compiling takes half a minute.
        environment |= {"NUMBA_CACHE_DIR": str(SLOTS / "numba"), **self.extra}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sp404_app", "serve", "--with-parent", *arguments],
                cwd=self.checkout,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def start(self, seconds: float = START_TIMEOUT_S) -> "Product":
        """Start the process and wait until it is ready."""
        self.launch()
        until = time.monotonic() + seconds
        while READY not in self.said:
            assert self.running.poll() is None, self.said + self.logs()
            assert time.monotonic() < until, self.said + self.logs()
            time.sleep(0.05)
        return self

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        """Stop the process as Ctrl-C does and return its exit code."""
        if self.running.poll() is None:
            self.running.send_signal(sign)
        return self.running.wait(30)

    def logs(self) -> str:
        """Return the last lines of all logs, for a failing test."""
        ends = []
        for path in sorted((self.home / "logs").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-15:]
            ends.append("\n".join([f"--- {path.name}", *lines]))
        return "\n".join(ends)


def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def slot(kind: str = "") -> Iterator[Path]:
    """Lock a folder of built pages, reused by later runs; concurrent runs get different folders.

    `kind` keeps pages that settings make different in folders of their own.
    """
    with ExitStack() as stack:
        for number in range(100):
            folder = SLOTS / f"{kind}{number}"
            folder.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / "lock").open("a"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return


@contextmanager
def home_in(folder: Path) -> Iterator[Product]:
    """Create an empty home that reuses the pages of `folder`."""
    root = Path(tempfile.mkdtemp(prefix="sp404p-"))
    home = root / "home"
    home.mkdir()
    for name in PAGES:
        (folder / name).mkdir(exist_ok=True)
        (home / name).symlink_to(folder / name)
    try:
        yield Product(home, free_port())
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def product_database(product: Product) -> Iterator[Session]:
    """Open one transaction in the product's database."""
    engine = create_engine(
        postgresql.postgres_url(Home(product.home)).replace("://", "+psycopg://", 1)
    )
    with Session(engine) as session, session.begin():
        yield session
    engine.dispose()
