"""Names of the files and folders of an import pack, as a card and the SP-404MKII take them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sp404_app.devices.capabilities import BANKS, MK2
from sp404_app.services.projects.device_names import device_name, device_names
from sp404_app.services.projects.kit import Kit, PadPosition

IMPORT_FOLDER: Final = "IMPORT"
EXTENSION: Final = ".wav"
NAME_LENGTH: Final = MK2.max_pad_name - len("01 ")
# Names that Windows reserves, also with an extension (learn.microsoft.com, "Naming Files").
RESERVED: Final = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(?=[ .]|$)", re.IGNORECASE)


def safe_folder_name(name: str) -> str:
    """Return a folder name of 1 to 23 characters that every system and the device can open."""
    safe = device_name(name)
    return f"{safe[: MK2.max_pad_name - 1]}_" if RESERVED.match(safe) else safe


def bank_folder(bank: Mapping[str, Any]) -> str:
    """Return the folder of a bank: its letter, then its name."""
    return safe_folder_name(f"{bank['bank']} {bank['name']}".strip())


def file_names(names: Mapping[int, str]) -> dict[int, str]:
    """Return the file names of one bank's pads, without extension, by pad number.

    They begin with the number of the pad, so that the device lists them in this order. Equal names
    are numbered, whatever their case.
    """
    numbers = sorted(names)
    unique = device_names([names[number] for number in numbers], NAME_LENGTH)
    return {number: f"{number:02} {name}" for number, name in zip(numbers, unique, strict=True)}


def import_paths(kit: Kit) -> dict[PadPosition, str]:
    """Return the path of each pad's file in an import pack."""
    root = f"{IMPORT_FOLDER}/{safe_folder_name(kit.name)}"
    paths: dict[PadPosition, str] = {}
    for bank in range(len(BANKS)):
        pads = {at.pad: pad.name for at, pad in kit.pads.items() if at.bank == bank}
        folder = f"{root}/{bank_folder(kit.banks[bank])}"
        for number, name in file_names(pads).items():
            paths[PadPosition(bank, number)] = f"{folder}/{name}{EXTENSION}"
    return paths
