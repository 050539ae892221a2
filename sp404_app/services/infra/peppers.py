"""The pepper, a secret file outside the database, and its predecessors; rotation.

`pepper` is used for everything new. Files like `pepper.20261127145300` are former ones, named after
the second they were replaced in. They are accepted until they are retired. All processes notice a
change at once, because they look at the folder at each use.
"""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Final

from sp404_app.models.columns import now
from sp404_app.services.infra.secret_files import write_secret
from sp404_app.settings import settings

PEPPER_BYTES: Final = 32
NAME: Final = "pepper"
FORMER: Final = f"{NAME}.*"


def peppers() -> tuple[bytes, ...]:
    """Return the present pepper, created on first use, and the former ones, newest first."""
    folder = settings().secrets
    path = folder / NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_secret(path, secrets.token_bytes(PEPPER_BYTES))  # the first process to write wins
    former = tuple(sorted((found.name for found in folder.glob(FORMER)), reverse=True))
    # A rotation replaces the file, and a retirement changes the names. A number of an inode is used
    # again, so the time belongs to it.
    state = path.stat()
    return _read_peppers(folder, former, (state.st_ino, state.st_mtime_ns))


def rotate_pepper() -> None:
    """Use a new pepper from now on; the present one becomes a former one.

    Raises:
        OSError: If the folder cannot be written.
    """
    present = peppers()[0]
    folder = settings().secrets
    # In this order, so that at no moment a pepper is missing.
    write_secret(folder / f"{NAME}.{now():%Y%m%d%H%M%S%f}", present)
    draft = folder / f".{NAME}.{secrets.token_hex(4)}"
    write_secret(draft, secrets.token_bytes(PEPPER_BYTES))
    draft.replace(folder / NAME)


def retire_former_peppers() -> int:
    """Delete the former peppers; return how many.

    Raises:
        OSError: If the folder cannot be written.
    """
    former = list(settings().secrets.glob(FORMER))
    for path in former:
        path.unlink()
    return len(former)


@lru_cache(maxsize=8)
def _read_peppers(
    folder: Path, former: tuple[str, ...], _state: tuple[int, int]
) -> tuple[bytes, ...]:
    # One that is retired meanwhile changes the names, so the next use reads again.
    paths = [path for name in (NAME, *former) if (path := folder / name).exists()]
    return tuple(path.read_bytes() for path in paths)
