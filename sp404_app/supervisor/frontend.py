"""Build the pages if their sources have changed since the last build."""

import hashlib
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sp404_app.settings import Settings
from sp404_app.supervisor.environment import ROOT, link_node
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.process import Child

WITHOUT_PAGES = frozenset({"supervisor", "jobs", "cli", "telemetry", "__main__.py"})
SOURCE_SUFFIXES = frozenset({".py", ".js", ".jsx", ".ts", ".tsx", ".css", ".svg", ".md"})
BAKED_IN = (
    "PORT",
    "REFLEX_API_URL",
    "REFLEX_DEPLOY_URL",
    "SP404_BILLING",
)  # variables that end up in the build
STAMP = "built-from"  # file with the fingerprint of the sources
SERVE_COMMAND = (sys.executable, "-m", "sp404_app.supervisor.web")
BUILD_TIMEOUT_S = 900.0


def source_fingerprint(environment: Mapping[str, str]) -> str:
    """Return a digest of everything that a build depends on."""
    digest = hashlib.sha256()
    for path in page_sources():
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    baked = [environment.get(name, "") for name in BAKED_IN]
    versions = [importlib.metadata.version("reflex"), sys.version]
    digest.update("\0".join(baked + versions).encode())
    return digest.hexdigest()


def page_sources() -> Iterator[Path]:
    """Yield the source files of the pages."""
    package = ROOT / "sp404_app"
    for path in sorted(package.rglob("*")):
        in_pages = path.relative_to(package).parts[0] not in WITHOUT_PAGES
        if path.suffix in SOURCE_SUFFIXES and in_pages:
            yield path
    for path in sorted((ROOT / "assets").rglob("*")):
        if path.is_file() and "external" not in path.relative_to(ROOT).parts:
            yield path
    yield ROOT / "rxconfig.py"


def is_up_to_date(home: Home, wanted: str) -> bool:
    """Return whether the pages in the home were built from these sources."""
    stamp = home.web / STAMP
    return stamp.exists() and stamp.read_text() == wanted


def has_build_folder(home: Home) -> bool:
    """Return whether the build folder is set up, even if its pages are outdated."""
    return (home.web / "reflex.json").exists() and home.node.exists()


def invalidate_build(home: Home) -> None:
    """Mark the pages as not built."""
    (home.web / STAMP).unlink(missing_ok=True)


def reload_command(settings: Settings) -> list[str]:
    """Return the command that serves the pages and reloads changed code, on one port."""
    command = [sys.executable, "-m", "reflex", "run", "--env", "preview"]
    command += ["--backend-host", settings.host]
    return [*command, "--frontend-port", str(settings.port), "--backend-port", str(settings.port)]


def build_process(home: Home, environment: Mapping[str, str]) -> Child:
    """Return the process that builds the pages, not yet started."""
    invalidate_build(home)
    link_node(home)
    without_redis = {
        name: value for name, value in environment.items() if name != "REFLEX_REDIS_URL"
    }
    return Child(
        name="build of the pages",
        command=[sys.executable, "-m", "sp404_app.supervisor.build"],
        environment=without_redis,
        log=home.log("build"),
        folder=ROOT,
    )


def finish_build(home: Home, build: Child, wanted: str) -> None:
    """Wait for the build and save the fingerprint of its sources.

    Raises:
        Failure: If it fails.
    """
    build.wait_until(lambda: build.exit_code == 0, BUILD_TIMEOUT_S)
    (home.web / STAMP).write_text(wanted)
