"""PATTERNCHAIN_nn.CHN: the order in which a SP-404MKII plays patterns. Known from two descriptions.

It is XML without text: `<PTN NUMBER="1"/>` for each pattern, counted from 1 (A1) to 160 (J16), and
`<REPEAT VALUE="All"/>`, `<CURRENT VALUE="0"/>`, in `<ROLAND_SP404MKII_PATTERN_CHAIN>`.
"""

import re
from dataclasses import dataclass

from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2.padconf import PADS

ROOT = b"<ROLAND_SP404MKII_PATTERN_CHAIN>"
MAX_FILE_BYTES = 65_536
# An XML parser would also expand entities, which a device never writes.
PATTERN = re.compile(rb'<PTN\s{1,8}NUMBER="(\d{1,3})"')
REPEAT = re.compile(rb'<REPEAT\s{1,8}VALUE="(\w{1,16})"')


@dataclass(frozen=True, slots=True)
class PatternChain:
    """Indexes of patterns from 0 (A1) to 159 (J16) in their order, and the repeat mode's name."""

    patterns: tuple[int, ...]
    repeat: str


def decode_chain(data: bytes) -> PatternChain:
    """Return the patterns of a chain.

    Raises:
        InvalidDeviceFile: If it is not a chain, too long, or if it names a pattern that cannot be.
    """
    if ROOT not in data or len(data) > MAX_FILE_BYTES:
        raise InvalidDeviceFile("This is not a pattern chain of a SP-404MKII.")
    numbers = [int(number) for number in PATTERN.findall(data)]
    if not all(1 <= number <= PADS for number in numbers):
        raise InvalidDeviceFile("This pattern chain names a pattern that a SP-404MKII cannot have.")
    repeat = REPEAT.search(data)
    return PatternChain(
        tuple(number - 1 for number in numbers), repeat[1].decode("ascii") if repeat else ""
    )
