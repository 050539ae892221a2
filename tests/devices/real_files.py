"""Files of real devices, which are not part of the project. Tests that need them skip without.

`SP404_DEVICE_FILES` names another folder with `mk2` and `sx`.
"""

import os
from pathlib import Path

import pytest

DEFAULT_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "devices"
FOLDER = Path(os.environ.get("SP404_DEVICE_FILES") or DEFAULT_FOLDER)
needs_real_files = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the folder with files of devices does not exist"
)


def real_file(path: str) -> bytes:
    return (FOLDER / path).read_bytes()


def real_padconfs() -> list[str]:
    return sorted(f"mk2/{path.name}" for path in FOLDER.glob("mk2/PADCONF*.BIN"))
