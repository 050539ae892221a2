"""Write secret files that only their owner may read (mode 0600)."""

import os
import secrets
from pathlib import Path


def write_secret(path: Path, content: bytes) -> bool:
    """Create a file atomically with mode 0600; return False if it exists already."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, fails if another process has created the file
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
