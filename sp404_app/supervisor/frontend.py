"""Decide whether the pages must be built again, and build them."""

import hashlib
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sp404_app.settings import Settings
from sp404_app.supervisor.environment import ROOT, link_node
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

PARTS_OF_NO_PAGE = frozenset({"supervisor", "jobs", "cli", "__main__.py"})
KINDS = frozenset({".py", ".js", ".jsx", ".ts", ".tsx", ".css", ".svg", ".md"})
BAKED_IN = ("PORT", "REFLEX_API_URL", "REFLEX_DEPLOY_URL")
STAMP = "built-from"
SERVING = (sys.executable, "-m", "sp404_app.supervisor.web")
SECONDS = 900.0


def fingerprint(environment: Mapping[str, str]) -> str:
    """Return a digest of everything a build depends on."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    baked = [environment.get(name, "") for name in BAKED_IN]
    versions = [importlib.metadata.version("reflex"), sys.version]
    digest.update("\0".join(baked + versions).encode())
    return digest.hexdigest()


def sources() -> Iterator[Path]:
    """Yield the files that decide how the pages look."""
    package = ROOT / "sp404_app"
    for path in sorted(package.rglob("*")):
        if path.suffix in KINDS and path.relative_to(package).parts[0] not in PARTS_OF_NO_PAGE:
            yield path
    for path in sorted((ROOT / "assets").rglob("*")):
        if path.is_file() and "external" not in path.relative_to(ROOT).parts:
            yield path
    yield ROOT / "rxconfig.py"


def built(home: Home, wanted: str) -> bool:
    """Say whether the pages in the home are the ones these sources make."""
    stamp = home.web / STAMP
    return stamp.exists() and stamp.read_text() == wanted


def prepared(home: Home) -> bool:
    """Say whether the folder was built in before, whatever from."""
    return (home.web / "reflex.json").exists() and home.node.exists()


def forget(home: Home) -> None:
    """Have the pages built again at the next start."""
    (home.web / STAMP).unlink(missing_ok=True)


def reloading(settings: Settings) -> list[str]:
    """Return the command that serves and takes up changes, all on the one port as well."""
    command = [sys.executable, "-m", "reflex", "run", "--env", "preview"]
    command += ["--backend-host", settings.host]
    return [*command, "--frontend-port", str(settings.port), "--backend-port", str(settings.port)]


def builder(home: Home, environment: Mapping[str, str]) -> Child:
    """Return the process that builds the pages, not yet started."""
    forget(home)
    link_node(home)
    apart = {name: value for name, value in environment.items() if name != "REFLEX_REDIS_URL"}
    return Child(
        name="build of the pages",
        command=[sys.executable, "-m", "sp404_app.supervisor.build"],
        environment=apart,
        log=home.log("build"),
        folder=ROOT,
    )


def finish(home: Home, build: Child, wanted: str) -> None:
    """Wait for the build and remember what it was made from.

    Raises:
        Failure: when it fails.
    """
    build.wait_until(lambda: build.code == 0, SECONDS)
    (home.web / STAMP).write_text(wanted)
