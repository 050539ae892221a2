"""Build the image of deploy/Dockerfile without a daemon and without a registry of images.

buildah executes the Dockerfile. Its base image would come from a registry of images, so debootstrap
makes the nearest thing: the same release of Debian with Debian's Python of the same minor version.
What differs from `python:3.11-slim-bookworm`: the patch release of Python, its place (/usr/bin
instead of /usr/local/bin, where a link is), and about 150 MB of documentation and lists of packages
that the official image leaves out.

Run as a program it mounts file systems: start it by `build`, in a mount namespace of its own.
"""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ops.shipping import NETWORK
from tests.product import ROOT, SLOTS

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
PACKAGES = ("buildah", "debootstrap", "libgpgme11")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
ACCEPT_ALL = '{"default": [{"type": "insecureAcceptAnything"}]}'  # nothing is pulled
LEFT_OUT = ("constraint", "disable-pip-version-check", "no-cache-dir")  # the Dockerfile's choice


class CannotBuild(Exception):
    """This machine cannot build an image; the message says why."""


@dataclass(frozen=True, slots=True)
class Image:
    """An unpacked image: its root file system, and what the Dockerfile says about starting it."""

    root: Path
    config: dict[str, Any]

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that the Dockerfile sets, without those of the base image."""
        pairs = dict(each.split("=", 1) for each in self.config["Env"])
        base = json.loads(self.root.with_name("base.json").read_text())
        return {name: value for name, value in pairs.items() if base.get(name) != value}


def build(work: Path, *arguments: str) -> Image:
    """Build the final stage and unpack it.

    Args:
        work: an empty folder; it takes 4 GB.
        arguments: options of `buildah bud`, such as `--build-arg`.

    Raises:
        CannotBuild: If this machine has no means to.
    """
    fetch_programs(work / "tools")
    command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", __name__]
    with (work / "log").open("wb") as log:
        done = subprocess.run(
            [*command, work, *arguments], cwd=ROOT, check=False, stdout=log, stderr=log
        )
    assert done.returncode == 0, (work / "log").read_text(errors="replace")[-4000:]
    shutil.rmtree(work / "store")  # now that no file system is mounted in it
    found = json.loads((work / "image.json").read_text())
    return Image(work / "root", found["Docker"]["config"])


def fetch_programs(folder: Path) -> None:
    """Unpack the programs from Debian's packages, without installing them.

    Raises:
        CannotBuild: If they cannot be had.
    """
    if os.geteuid():
        raise CannotBuild("building an image needs root: it mounts file systems")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        raise CannotBuild("the kernel forbids mount namespaces, in which an image is built")
    folder.mkdir()
    if shutil.which("buildah") and shutil.which("debootstrap"):
        return
    if not unpack(folder, *PACKAGES):
        raise CannotBuild("apt has neither buildah nor debootstrap here: apt-get install both")


def unpack(folder: Path, *packages: str) -> bool:
    """Unpack packages of Debian into a folder, and return whether apt has them."""
    try:
        fetched = subprocess.run(
            ["apt-get", "download", *packages], cwd=folder, check=False, capture_output=True
        )
    except FileNotFoundError:
        return False
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return not fetched.returncode


class Builder:
    """What `build` does in its mount namespace; all mounts end with it."""

    def __init__(self, work: Path) -> None:
        self.work = work
        name, suite = _base_image()
        self.base_name, self.python, self.suite = name, name.split(":")[1].rsplit("-")[0], suite
        (work / "policy.json").write_text(ACCEPT_ALL)

    def mount_programs(self) -> None:
        """Show the unpacked packages at the paths where their programs expect each other."""
        if (tools := self.work / "tools" / "usr").exists():
            option = f"lowerdir={tools}:/usr"
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o", option, "/usr"], check=True)

    def buildah(self, command: str, *arguments: str | Path) -> str:
        """Run buildah on images of its own and return its last line."""
        stores = ["--root", self.work / "store", "--runroot", self.work / "run"]
        policy = ["--signature-policy", self.work / "policy.json"]
        policy = policy if command in {"from", "commit", "bud"} else []
        done = subprocess.run(
            ["buildah", *stores, command, *policy, *arguments],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        sys.stdout.write(done.stdout)
        return done.stdout.strip().rpartition("\n")[2]

    def make_base(self) -> None:
        """Commit Debian with Python and this machine's way to the package registries."""
        container = self.buildah("from", "scratch")
        root = Path(self.buildah("mount", container))
        self._unpack_debian(root)
        python = f"usr/bin/python{self.python}"
        assert (root / python).exists(), f"{self.suite} has another Python"
        (root / "usr/local/bin/python").symlink_to(f"/{python}")
        environment = _network_of_this_machine()
        if authorities := ssl.get_default_verify_paths().cafile:
            shutil.copy(authorities, root / CERTIFICATES[1:])
            environment |= dict.fromkeys(CERTIFICATE_VARIABLES, CERTIFICATES)
        (self.work / "base.json").write_text(json.dumps(environment))
        for name, value in environment.items():
            self.buildah("config", "--env", f"{name}={value}", container)
        self.buildah("umount", container)
        self.buildah("commit", "--rm", container, f"docker.io/library/{self.base_name}")

    def _unpack_debian(self, root: Path) -> None:
        """Install Debian, or unpack what an earlier run installed: that takes minutes."""
        kept = SLOTS / f"debian-{self.suite}.tar"
        if kept.exists():
            subprocess.run(["tar", "--extract", "--directory", root, "--file", kept], check=True)
            return
        include = "--include=ca-certificates,netbase,tzdata,python3,python3-venv"
        subprocess.run(
            ["debootstrap", "--variant=minbase", include, self.suite, root, _mirror(self.suite)],
            check=True,
        )
        SLOTS.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        subprocess.run(["tar", "--create", "--directory", root, "--file", new, "."], check=True)
        new.rename(kept)

    def make_image(self, *arguments: str) -> None:
        """Execute the Dockerfile and copy its final stage to the folder `root`."""
        volumes = [f"--volume={path}:{path}:ro" for path in _local_packages()]
        self.buildah(
            "bud",
            *("--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker"),
            *("--ignorefile", ROOT / ".dockerignore", "--file", DOCKERFILE, "--tag", "crate404"),
            *volumes,
            *arguments,
            ROOT,
        )
        container = self.buildah("from", "--pull-never", "crate404")
        described = ["buildah", "--root", self.work / "store", "--runroot", self.work / "run"]
        described += ["inspect", "--type", "image", "crate404"]
        (self.work / "image.json").write_bytes(
            subprocess.run(described, check=True, capture_output=True).stdout
        )
        root = self.buildah("mount", container)
        subprocess.run(["cp", "-a", f"{root}/.", self.work / "root"], check=True)
        self.buildah("umount", container)


def _base_image() -> tuple[str, str]:
    """Return the base image of the Dockerfile and its release of Debian."""
    found = re.search(r"^FROM (python:[\d.]+-slim-(\w+))", DOCKERFILE.read_text(), re.MULTILINE)
    assert found, "the base image is no longer python:…-slim-…"
    return found[1], found[2]


def _mirror(suite: str) -> str:
    """Return the mirror from which apt has this release.

    Raises:
        CannotBuild: If apt has none.
    """
    formatted = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)"]
    lines = subprocess.run(formatted, check=True, capture_output=True, text=True).stdout
    sites = [line.split()[0] for line in lines.splitlines() if line.split()[1:] == [suite]]
    if not sites:
        raise CannotBuild(f"apt has no source of Debian {suite}")
    return sites[0]


def _pip_options() -> dict[str, str]:
    """Return where pip is told to find packages: option and value."""
    listed = [sys.executable, "-m", "pip", "config", "list"]
    lines = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    pairs = [line.partition("=")[::2] for line in lines]
    return {
        name.rpartition(".")[2]: shlex.split(value)[0]
        for name, value in pairs
        if name.rpartition(".")[2] not in LEFT_OUT
    }


def _network_of_this_machine() -> dict[str, str]:
    """Return the variables by which pip and npm reach the registries from here."""
    found = {n: v for n, v in os.environ.items() if any(part in n.upper() for part in NETWORK)}
    pip = {f"PIP_{name.replace('-', '_').upper()}": v for name, v in _pip_options().items()}
    return found | pip


def _local_packages() -> set[str]:
    """Return the folders of this machine in which pip is told to look for packages."""
    words = " ".join(_pip_options().values()).split()
    paths = {word.removeprefix("file://").removesuffix("/simple") for word in words}
    return {path for path in paths if path.startswith("/") and Path(path).is_dir()}


def main() -> None:
    """Build in this mount namespace."""
    work, *arguments = sys.argv[1:]
    builder = Builder(Path(work))
    builder.mount_programs()
    builder.make_base()
    builder.make_image(*arguments)


if __name__ == "__main__":
    main()
