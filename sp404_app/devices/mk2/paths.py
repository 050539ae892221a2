"""Where the files of a SP-404MKII project lie on the card.

The folder of a project and the files in it are proven by exports of a device. Which folders the
device imports from is known from Roland's manual: `IMPORT/PROJECT_01`, `EXPORT/PROJECT/PROJECT_01`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from sp404_app.devices.mk2.padconf import PADS

PADS_PER_BANK = 16
FOLDERS = {"import": "IMPORT", "export": "EXPORT/PROJECT"}
PADCONF = "PADCONF.BIN"


class FileKind(StrEnum):
    """What a file of a project holds."""

    PADCONF = "padconf"
    SAMPLE = "sample"
    PATTERN = "pattern"
    CHAIN = "chain"
    START_IMAGE = "start_image"
    SCREEN_SAVER = "screen_saver"


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file of a project: its project's folder, what it holds, and the index of that.

    `index` counts pads and patterns from 0 (A1) to 159 (J16), chains from 0, pictures from 1.
    """

    folder: str
    kind: FileKind
    index: int = 0


PATTERNS = (
    (FileKind.PADCONF, re.compile(r"(?:(.*)/)?PADCONF\.BIN()()", re.ASCII | re.IGNORECASE)),
    (
        FileKind.SAMPLE,
        re.compile(r"(?:(.*)/)?SMPL/BANK(\d{1,2})-(\d\d)\.SMP", re.ASCII | re.IGNORECASE),
    ),
    (FileKind.PATTERN, re.compile(r"(?:(.*)/)?PTN/PTN(\d{5})\.BIN()", re.ASCII | re.IGNORECASE)),
    (
        FileKind.CHAIN,
        re.compile(r"(?:(.*)/)?PTN/PATTERNCHAIN_(\d\d)\.CHN()", re.ASCII | re.IGNORECASE),
    ),
    (
        FileKind.START_IMAGE,
        re.compile(r"(?:(.*)/)?PICTURE/startup_(\d)\.bmp()", re.ASCII | re.IGNORECASE),
    ),
    (
        FileKind.SCREEN_SAVER,
        re.compile(r"(?:(.*)/)?PICTURE/screen_saver_(\d{1,2})\.bmp()", re.ASCII | re.IGNORECASE),
    ),
)
INDEXES = {
    FileKind.CHAIN: range(100),
    FileKind.START_IMAGE: range(1, 3),
    FileKind.SCREEN_SAVER: range(1, 17),
}


def project_folder(place: str, slot: int) -> str:
    """Return the folder of a project on the card, for a place "import" or "export", slot 1-16."""
    return f"{FOLDERS[place]}/PROJECT_{slot:02}"


def sample_path(index: int) -> str:
    """Return the path of a pad's sample in the project's folder, for an index from 0 to 159."""
    bank, pad = divmod(index, PADS_PER_BANK)
    return f"SMPL/BANK{bank + 1}-{pad + 1:02}.SMP"


def pattern_path(index: int) -> str:
    """Return the path of a pattern in the project's folder, for an index from 0 to 159."""
    return f"PTN/PTN{index + 1:05}.BIN"


def chain_path(number: int) -> str:
    """Return the path of a pattern chain in the project's folder, for a number from 0 to 99."""
    return f"PTN/PATTERNCHAIN_{number:02}.CHN"


def start_image_path(number: int) -> str:
    """Return the path of a start image in the project's folder, for a number from 1 to 2."""
    return f"PICTURE/startup_{number}.bmp"


def screen_saver_path(number: int) -> str:
    """Return the path of a screen saver in the project's folder, for a number from 1 to 16."""
    return f"PICTURE/screen_saver_{number}.bmp"


def parse_path(path: str) -> ProjectFile | None:
    """Return what a file on a card is, by its path with slashes, or None for all other files."""
    for kind, pattern in PATTERNS:
        if match := pattern.fullmatch(path):
            return _parse_match(kind, match)
    return None


def _parse_match(kind: FileKind, match: re.Match[str]) -> ProjectFile | None:
    folder, first, second = match[1] or "", match[2], match[3]
    index = _index(kind, int(first or 0), int(second or 0))
    return None if index is None else ProjectFile(folder, kind, index)


def _index(kind: FileKind, first: int, second: int) -> int | None:
    """Return the index of a pad, pattern, chain or picture, or None if the device has none such."""
    if kind is FileKind.PADCONF:
        return 0
    if kind is FileKind.SAMPLE:
        is_pad = 1 <= first <= PADS // PADS_PER_BANK and 1 <= second <= PADS_PER_BANK
        return (first - 1) * PADS_PER_BANK + second - 1 if is_pad else None
    if kind is FileKind.PATTERN:
        return first - 1 if 1 <= first <= PADS else None
    return first if first in INDEXES[kind] else None
