"""PostgreSQL refuses to run as root, as which containers like to run everything."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

NAME = "sp404db"
SEARCH = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def user_for(data: Path) -> pwd.struct_passwd | None:
    """Return the user PostgreSQL runs as, or None for ourselves.

    Whoever owns the data already keeps it; a new user is made where that is possible.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        return pwd.getpwuid(owner)
    return _find(NAME) or _make() or pwd.getpwnam("nobody")


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd")
    if not useradd:
        return None
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    # Another instance may make the user at the same moment, so only the outcome counts.
    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed words
    return _find(NAME)


def let_through(path: Path) -> None:
    """Let other users pass the folders above `path`, which they still cannot list.

    Only the missing search bits are added, and only where root asks for it.
    """
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if mode & SEARCH != SEARCH:
            folder.chmod(stat.S_IMODE(mode) | SEARCH)


def give(path: Path, user: pwd.struct_passwd) -> None:
    """Hand a folder to the user PostgreSQL runs as, private to them."""
    os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700)
