"""Run commands of an unpacked image as compose does, by the means of the kernel alone.

Like a container: the image's user without capabilities and new privileges, process 1 of its own
namespace, a read-only root file system, a volume, a `tmpfs` on /tmp, secrets as files, and only the
variables that are named. Unlike one: it uses the network of the machine.
"""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.ops.image_builder import Image


@dataclass(slots=True)
class Containers:
    """Containers of one image that share volumes, secrets and settings."""

    image: Image
    log: Path
    volumes: dict[str, Path]  # path in the container, folder outside
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in ("proc", "dev", "tmp", *self.volumes):
            (self.image.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)

    @property
    def user(self) -> list[int]:
        """Return the numbers of the user and group."""
        return [int(number) for number in self.image.config["User"].split(":")]

    def command(self, name: str, arguments: list[str], settings: dict[str, str]) -> list[str]:
        """Return a command that makes the namespaces, then becomes the process."""
        root = self.image.root
        folder = self.image.config["WorkingDir"]
        variables = self.image.environment | self.settings | settings
        uid, gid = self.user
        steps = [
            f"hostname {name}",
            f"mount --bind {root} {root}",
            *(f"mount --bind {outside} {root}{path}" for path, outside in self.volumes.items()),
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f"mount -t tmpfs tmpfs {root}/tmp",  # noqa: S108 - that of the container
            f"mount -o remount,bind,ro {root}",
        ]
        process = [
            *("chroot", root, "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"),
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
            *("env", "--ignore-environment", f"--chdir={folder}"),
            *(f"{variable}={value}" for variable, value in variables.items()),
            *arguments,
        ]
        script = "\n".join([*steps, f"exec {shlex.join(map(str, process))}"])
        spaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
        return ["unshare", *spaces, "sh", "-e", "-c", script]

    def run(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run another command than the image's in a new container, and wait for its end."""
        return subprocess.run(
            self.command("once", list(arguments), settings),
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
        )

    @contextmanager
    def started(self, name: str, *command: str, **settings: str) -> Iterator["Container"]:
        """Run the entry point with a command; without one, with that of the image."""
        arguments = [*self.image.config["Entrypoint"], *(command or self.image.config["Cmd"])]
        with self.log.open("ab") as output:
            outside = subprocess.Popen(
                self.command(name, arguments, settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield Container(outside, self.log)
        finally:
            # The kernel ends a namespace with its first process.
            for child in psutil.Process(outside.pid).children() if outside.poll() is None else []:
                child.kill()
            outside.wait(60)


@dataclass(slots=True)
class Container:
    """A running container."""

    outside: "subprocess.Popen[bytes]"
    log: Path

    @property
    def first_process(self) -> psutil.Process:
        (found,) = psutil.Process(self.outside.pid).children()
        return found

    def stop(self) -> int:
        """Send SIGTERM to process 1, as `docker stop` does, and return the exit code."""
        self.first_process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait until it ends, and return the exit code."""
        return self.outside.wait(120)

    def said(self) -> str:
        """Return the last output of all containers, for a failing test."""
        return self.log.read_text(errors="replace")[-8000:]
