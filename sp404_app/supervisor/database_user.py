"""The system user for the embedded PostgreSQL, which refuses to run as root (as containers do)."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

USER_NAME = "sp404db"
SEARCH = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH  # permission to pass a folder


def postgres_user(data: Path) -> pwd.struct_passwd | None:
    """Return the user that PostgreSQL runs as, or None for the current user.

    The owner of existing data is kept; otherwise a system user is created if possible.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        return pwd.getpwuid(owner)
    return _find_user(USER_NAME) or _create_user() or pwd.getpwnam("nobody")


def _find_user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create_user() -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd")
    if not useradd:
        return None
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", USER_NAME]
    # Another instance may create the user at the same moment, so the exit code is ignored.
    subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed arguments
    return _find_user(USER_NAME)


def make_traversable(path: Path) -> None:
    """Add missing search bits (`a+x`) to the folders above `path`; nothing becomes readable."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if mode & SEARCH != SEARCH:
            folder.chmod(stat.S_IMODE(mode) | SEARCH)


def give_folder(path: Path, user: pwd.struct_passwd) -> None:
    """Make a folder private to the user that PostgreSQL runs as."""
    os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(0o700)
