"""Worker hosts on one machine, and the network between them and the services (`cluster.py`).

Each host has names of networks, processes and machines of its own where the kernel allows it; the
file system and the clock are shared. A host gets no variable of this shell, and no secret except
the addresses of its services, the key of the bucket and the pepper, which decrypts mails.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil

from tests.product import ROOT, SLOTS

PEPPER_BYTES = 32
READY = "is ready"
PREFIX = f"s4{os.getpid() % 1_000_000}"  # names of interfaces have at most 15 characters
# 198.18.0.0/15 is reserved for benchmarks (RFC 2544).
SUBNET = f"198.18.{os.getpid() % 256}"


def ip(*arguments: str) -> None:
    """Run `ip`.

    Raises:
        CalledProcessError: If it is refused.
        FileNotFoundError: If this machine has none.
    """
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def bridge() -> Iterator[str]:
    """Yield the address of the services on a new bridge; "" if there can be no namespaces."""
    name = f"{PREFIX}b"
    try:
        try:
            ip("link", "add", name, "type", "bridge")
            ip("addr", "add", f"{SUBNET}.1/24", "dev", name)
            ip("link", "set", name, "up")
            ip("netns", "add", f"{PREFIX}probe")
            probe = ["ip", "netns", "exec", f"{PREFIX}probe", *_unshare("probe"), "true"]
            subprocess.run(probe, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            yield ""
        else:
            yield f"{SUBNET}.1"
    finally:
        for undo in (("netns", "del", f"{PREFIX}probe"), ("link", "del", name)):
            with suppress(OSError, subprocess.CalledProcessError):
                ip(*undo)


def _unshare(name: str) -> list[str]:
    """Return the start of a command that runs as the first process of a machine with this name."""
    own = ["unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return [*own, "sh", "-c", 'hostname "$0" && exec "$@"', name]


@dataclass(slots=True)
class Host:
    """One host with one worker."""

    number: int
    root: Path
    settings: Mapping[str, str]
    address: str  # of the services; "" without a network of its own
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        """Return the name of its network."""
        return f"{PREFIX}h{self.number}"

    @property
    def log(self) -> Path:
        """Return its output."""
        return self.root / f"{self.name}.log"

    @property
    def is_ready(self) -> bool:
        """Return whether its worker waits for jobs or runs one.

        Raises:
            RuntimeError: If the worker has ended.
        """
        said = self.log.read_text(errors="replace")
        if self.process and self.process.poll() is not None:
            raise RuntimeError(f"host {self.number} has ended: {said[-2000:]}")
        return READY in said

    def start(self) -> "Host":
        """Connect the host, start its worker and return at once."""
        command = [sys.executable, "-m", "sp404_app", "worker"]
        if self.address:
            self._connect()
            command = ["ip", "netns", "exec", self.name, *_unshare(self.name), *command]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def kill(self, *, power_cut: bool = False) -> None:
        """Kill all processes; after a power cut no peer is told, its connections stay open."""
        if self.process is None:
            return
        if self.address and power_cut:
            ip("link", "set", f"{self.name}o", "down")
        with suppress(psutil.NoSuchProcess):
            # RQ gives the process of a job a group of its own, so killing a group is not enough.
            first = psutil.Process(self.process.pid)
            for each in (first, *first.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.wait(60)
        self.process = None
        shutil.rmtree(self._home, ignore_errors=True)

    def remove(self) -> None:
        """Kill it and remove its network; not before the end, or no peer would hear of a kill."""
        self.kill()
        if self.address:
            ip("netns", "del", self.name)
            with suppress(subprocess.CalledProcessError):  # it ends with the network
                ip("link", "del", f"{self.name}o")

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of its processes, including those that have ended."""
        assert self.process
        first = psutil.Process(self.process.pid)
        found = [first, *first.children(recursive=True)]
        times = [each.cpu_times() for each in found if each.is_running()]
        own = sum(each.user + each.system for each in times)
        return own + sum(each.children_user + each.children_system for each in times)

    @property
    def _home(self) -> Path:
        return self.root / self.name

    def _connect(self) -> None:
        inner, outer = f"{self.name}i", f"{self.name}o"
        inside = ("-n", self.name)
        ip("netns", "add", self.name)
        ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name)
        ip("link", "set", outer, "master", f"{PREFIX}b", "up")
        ip(*inside, "addr", "add", f"{SUBNET}.{2 + self.number % 250}/24", "dev", inner)
        for interface in ("lo", inner):
            ip(*inside, "link", "set", interface, "up")

    def _environment(self) -> dict[str, str]:
        for folder in ("secrets", "tmp"):
            (self._home / folder).mkdir(parents=True, mode=0o700)
        pepper = self.root / "pepper"
        if not pepper.exists():
            pepper.write_bytes(secrets.token_bytes(PEPPER_BYTES))
        shutil.copy(pepper, self._home / "secrets" / "pepper")
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._home),
            "TMPDIR": str(self._home / "tmp"),
            "NUMBA_CACHE_DIR": str(SLOTS / "numba"),
            "SP404_HOME": str(self._home),
            **self.settings,
        }
