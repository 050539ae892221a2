"""Where files lie on the card of a SP-404SX or SP-404A. Known from several descriptions."""

import re
from dataclasses import dataclass
from enum import StrEnum

from sp404_app.devices.capabilities import BANKS
from sp404_app.devices.sx.pad_info import PADS

PADS_PER_BANK = 12
FOLDER = "ROLAND/SP-404SX"
VOLUME_LABEL = "SP-404SX"  # the device expects the card to have this name
PAD_INFO = "SMPL/PAD_INFO.BIN"
EXTENSIONS = {"wav": "WAV", "aiff": "AIF"}


class FileKind(StrEnum):
    """What a file of a card holds."""

    PAD_INFO = "pad_info"
    SAMPLE = "sample"
    PATTERN = "pattern"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file of a card: the folder above SMPL and PTN, what it holds, and the index of its pad.

    `index` counts pads and patterns from 0 (A1) to 119 (J12). A `STATE` file (STPINFO.BIN) belongs
    to the device: it is never written, and never replaced.
    """

    folder: str
    kind: FileKind
    index: int = 0


PATH = re.compile(
    r"(?:(?P<folder>.*)/)?(?:"
    r"SMPL/(?P<info>PAD_INFO\.BIN)|SMPL/(?P<state>STPINFO\.BIN)"
    r"|SMPL/(?P<bank>[A-J])00000(?P<pad>\d\d)\.(?:WAV|AIFF?)"
    r"|PTN/PTN(?P<pattern>\d{5})\.BIN)",
    re.ASCII | re.IGNORECASE,
)


def sample_path(index: int, container: str = "wav") -> str:
    """Return the path of a pad's sample below `FOLDER`; `container` is "wav" or "aiff"."""
    bank, pad = divmod(index, PADS_PER_BANK)
    return f"SMPL/{BANKS[bank]}{pad + 1:07}.{EXTENSIONS[container]}"


def pattern_path(index: int) -> str:
    """Return the path of a pattern below `FOLDER`; its number is decimal."""
    return f"PTN/PTN{index + 1:05}.BIN"


def parse_path(path: str) -> CardFile | None:
    """Return what a file on a card is, by its path with slashes, or None for all other files."""
    match = PATH.fullmatch(path)
    if not match:
        return None
    folder = match["folder"] or ""
    if match["info"]:
        return CardFile(folder, FileKind.PAD_INFO)
    if match["state"]:
        return CardFile(folder, FileKind.STATE)
    if match["bank"]:
        pad = int(match["pad"])
        index = BANKS.index(match["bank"].upper()) * PADS_PER_BANK + pad - 1
        is_pad = 1 <= pad <= PADS_PER_BANK
        return CardFile(folder, FileKind.SAMPLE, index) if is_pad else None
    number = int(match["pattern"])
    return CardFile(folder, FileKind.PATTERN, number - 1) if 1 <= number <= PADS else None
