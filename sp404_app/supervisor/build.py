"""Build the pages: `python -m sp404_app.supervisor.build BUNDLE FINGERPRINT [FOLDER OF ZIPS]`.

It runs in a copy of the checkout (see `checkout`), with REFLEX_WEB_WORKDIR as the build folder.
"""

import fcntl
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from reflex.utils import build as reflex_build
from reflex.utils import export, prerequisites
from reflex_base import constants
from reflex_base.environment import environment

from sp404_app.supervisor import bundle

LOCK_FILE = "package-lock.json"
INSTALLED = "reflex.install_frontend_packages.cached"  # Reflex installs again without this file
# The installed packages, which the lock file determines. All else is made again: files of pages
# that are gone would remain in the bundle.
KEPT = frozenset({"node_modules", "package.json", LOCK_FILE, INSTALLED})


def main(arguments: Sequence[str]) -> None:
    """Compile and bundle the pages, and write the bundle and, if asked, Reflex's two zip files."""
    folder, fingerprint, zips = Path(arguments[0]), arguments[1], arguments[2:]
    web = prerequisites.get_web_dir()
    with (web.parent / "run" / "build.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a build that the operator starts while another runs
        clean_build_folder(web)
        environment.REFLEX_COMPILE_CONTEXT.set(constants.CompileContext.EXPORT)
        prerequisites.initialize_reflex_user_directory()
        prerequisites.initialize_frontend_dependencies()
        export.export(zipping=False, frontend=True, backend=False, env=constants.Env.PROD)
        bundle.write_bundle(web, folder, fingerprint)
        for target in zips:
            Path(target).mkdir(parents=True, exist_ok=True)
            reflex_build.zip_app(zip_dest_dir=target)


def clean_build_folder(web: Path) -> None:
    """Remove everything but the installed packages, and those, too, if the lock file changed."""
    locked = Path(constants.Bun.ROOT_LOCKFILE_DIR) / LOCK_FILE
    if not _same_bytes(locked, web / LOCK_FILE):
        (web / INSTALLED).unlink(missing_ok=True)
    for path in list(web.iterdir()):
        if path.name in KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _same_bytes(one: Path, two: Path) -> bool:
    return one.exists() and two.exists() and one.read_bytes() == two.read_bytes()


if __name__ == "__main__":
    os.umask(0o022)  # a bundle may be served by another user
    main(sys.argv[1:])
