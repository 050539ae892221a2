"""Build the pages if their sources have changed since the last build."""

import hashlib
import importlib.metadata
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sp404_app.settings import Settings
from sp404_app.supervisor import bundle, orphans
from sp404_app.supervisor.checkout import copy_checkout
from sp404_app.supervisor.environment import ROOT, for_children, link_node
from sp404_app.supervisor.home import Home
from sp404_app.supervisor.messages import say
from sp404_app.supervisor.process import Child

WITHOUT_PAGES = frozenset({"supervisor", "jobs", "cli", "telemetry", "__main__.py"})
SOURCE_SUFFIXES = frozenset({".py", ".js", ".jsx", ".ts", ".tsx", ".css", ".svg", ".md"})
PACKAGES = ("reflex", "reflex-base")
SERVE_COMMAND = (sys.executable, "-m", "sp404_app.supervisor.web")
BUILD_TIMEOUT_S = 900.0
BUILDING = "Building the pages. The first time takes a minute or two …"
BILLING = "SP404_BILLING"  # the only setting that changes what is built
BUILD_MARK = "build alone"  # not that of a build by `serve` in the same home
# Settings and the addresses of this host, which must not influence what is built.
NOT_FOR_BUILDS = ("SP404_", "REFLEX_API_URL", "REFLEX_DEPLOY_URL", "REFLEX_REDIS_URL", "PORT")


def source_fingerprint(settings: Settings) -> str:
    """Return a digest of everything that a build depends on."""
    digest = hashlib.sha256()
    for path in page_sources():
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    versions = [importlib.metadata.version(name) for name in PACKAGES]
    python = map(str, sys.version_info[:2])
    digest.update("\0".join([*versions, *python, str(settings.billing)]).encode())
    return digest.hexdigest()


def page_sources() -> Iterator[Path]:
    """Yield the source files of the pages."""
    package = ROOT / "sp404_app"
    for path in sorted(package.rglob("*")):
        in_pages = path.relative_to(package).parts[0] not in WITHOUT_PAGES
        if path.suffix in SOURCE_SUFFIXES and in_pages:
            yield path
    for folder in ("assets", "reflex.lock"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "external" not in path.relative_to(ROOT).parts:
                yield path
    yield ROOT / "rxconfig.py"


def has_pages(settings: Settings, home: Home, wanted: str) -> bool:
    """Return whether pages of these sources are there; the next web server serves them then.

    Raises:
        Failure: If SP404_BUNDLE_DIR was built from other sources.
    """
    if settings.bundle_dir:
        bundle.ensure_bundle_matches(settings.bundle_dir, wanted)
        return True
    if bundle.fingerprint_of(bundle.folder_for(home, wanted)) != wanted:
        return False
    bundle.select_bundle(home, wanted)
    return True


def has_build_folder(home: Home) -> bool:
    """Return whether the build folder is set up, even if its pages are outdated."""
    return (home.web / "reflex.json").exists() and home.node.exists()


def reload_command(settings: Settings) -> list[str]:
    """Return the command that serves the pages and reloads changed code, on one port."""
    command = [sys.executable, "-m", "reflex", "run", "--env", "preview"]
    command += ["--backend-host", settings.host]
    return [*command, "--frontend-port", str(settings.port), "--backend-port", str(settings.port)]


def reload_environment(home: Home) -> dict[str, str]:
    """Return the variables of `reload_command`, which builds and serves in one folder."""
    return {"REFLEX_WEB_WORKDIR": str(home.web)}


def build_process(
    home: Home, environment: Mapping[str, str], wanted: str, zips: Path | None = None
) -> Child:
    """Return the process that builds the pages, not yet started.

    Raises:
        Failure: If Node is missing, or the home cannot be written.
    """
    link_node(home)
    target = bundle.folder_for(home, wanted)
    return Child(
        name="build of the pages",
        command=[
            *(sys.executable, "-m", "sp404_app.supervisor.build", target, wanted),
            *([zips] if zips else []),
        ],
        environment={
            **{
                name: value
                for name, value in environment.items()
                if name == BILLING or not name.startswith(NOT_FOR_BUILDS)
            },
            "SP404_HOME": str(home.root),
            "REFLEX_WEB_WORKDIR": str(home.web),
            "PYTHONHASHSEED": "0",  # Reflex names components after hashes of strings
        },
        log=home.log("build"),
        folder=copy_checkout(home),
    )


def finish_build(home: Home, build: Child, wanted: str) -> None:
    """Wait for the build and let the next web server serve its pages.

    Raises:
        Failure: If it fails.
    """
    build.wait_until(lambda: build.exit_code == 0, BUILD_TIMEOUT_S)
    bundle.select_bundle(home, wanted)


def build_pages(settings: Settings, folder: Path | None, zips: Path | None = None) -> Path:
    """Build the pages in the home if they have changed, copy them to a folder, and return it.

    Args:
        settings: The home, and whether there is billing.
        folder: Where the bundle is copied to; it stays in the home by default.
        zips: A folder for `frontend.zip` and `backend.zip`.

    Raises:
        Failure: If the build fails or a folder cannot be written.
    """
    home, wanted = Home(settings.home), source_fingerprint(settings)
    home.prepare()
    built = bundle.folder_for(home, wanted)
    if zips or bundle.fingerprint_of(built) != wanted:
        variables = for_children(settings, home) | orphans.marker_variable(home, BUILD_MARK)
        say(BUILDING)
        build = build_process(home, variables, wanted, zips)
        build.start()
        try:
            build.wait_until(lambda: build.exit_code == 0, BUILD_TIMEOUT_S)
        finally:
            build.send_stop_signal()
            orphans.kill_descendants(home, BUILD_MARK)
    if folder is None:
        bundle.select_bundle(home, wanted)
        return built
    bundle.copy_bundle(built, folder)
    return folder
