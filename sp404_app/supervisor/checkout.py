"""A copy of the sources that a build runs in, because Reflex edits the folder it runs in.

It links scripts into `assets/external`, adds lines to `.gitignore` and writes `reflex.lock`. The
checkout may be read-only, or shared by several instances.
"""

import shutil
from pathlib import Path

from sp404_app.supervisor.environment import ROOT
from sp404_app.supervisor.errors import explain_os_errors
from sp404_app.supervisor.home import Home

FOLDERS = ("sp404_app", "stripe_emulator", "assets", "alembic", "reflex.lock")
FILES = ("rxconfig.py", "alembic.ini", "requirements.txt", "constraints.txt", ".gitignore")
MADE_AGAIN = shutil.ignore_patterns("__pycache__", "external", "*.pyc")


def copy_checkout(home: Home) -> Path:
    """Copy the sources into the home and return their folder; `.web` in it is the build folder.

    Raises:
        Failure: If the copy cannot be written.
    """
    folder = home.cache / "checkout"
    with explain_os_errors(folder):
        shutil.rmtree(folder, ignore_errors=True)
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=MADE_AGAIN)
        for name in FILES:
            if (ROOT / name).exists():
                shutil.copy2(ROOT / name, folder / name)
        for path in (folder, *folder.rglob("*")):
            path.chmod(path.stat().st_mode | 0o600)
        (folder / ".web").symlink_to(home.web)
    return folder
