"""Write secrets to files that only the owner may read."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, content: bytes) -> bool:
    """Write a file nobody else may read, whole or not at all; say no if it is there already."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, refuses to replace what another process made
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
