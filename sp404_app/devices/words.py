"""Tables of big-endian numbers in records: each row names offset, meaning, range and evidence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Evidence(StrEnum):
    """How the meaning of a field is known."""

    PROVEN = "files saved by a device before and after one change"
    TWO_SOURCES = "two independent descriptions"
    ONE_SOURCE = "one description"


PROVEN, TWO_SOURCES, ONE_SOURCE = Evidence


class Codec(NamedTuple):
    """Conversion between a stored number and a value."""

    decode: Callable[[int], Any]
    encode: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Word:
    """A number in a record: `width` bytes at `offset`, of which the bits in `mask` count."""

    offset: int
    name: str
    codec: Codec
    evidence: Evidence
    mask: int = 0xFFFF_FFFF
    width: int = 4
    shift: int = field(init=False)  # the lowest bit of `mask`
    place: slice = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shift", (self.mask & -self.mask).bit_length() - 1)
        object.__setattr__(self, "place", slice(self.offset, self.offset + self.width))

    def write(self, record: bytearray, value: Any) -> None:
        """Store a value in a record; bits outside of `mask` stay."""
        kept = int.from_bytes(record[self.place], "big") & ~self.mask
        number = kept | ((self.codec.encode(value) << self.shift) & self.mask)
        record[self.place] = number.to_bytes(self.width, "big")


def read_words(record: bytes, words: Iterable[Word]) -> dict[str, Any]:
    """Return the values of a record by name."""
    from_bytes = int.from_bytes
    return {
        word.name: word.codec.decode(
            (from_bytes(record[word.place], "big") & word.mask) >> word.shift
        )
        for word in words
    }


def write_words(record: bytearray, words: Iterable[Word], values: Mapping[str, Any]) -> None:
    """Store the values of the words that `values` names."""
    for word in words:
        if word.name in values:
            word.write(record, values[word.name])


def read_u32(record: bytes, offset: int) -> int:
    """Return the big-endian number of 32 bits at an offset."""
    return int.from_bytes(record[offset : offset + 4], "big")


def write_u32(record: bytearray, offset: int, number: int) -> None:
    """Store a big-endian number of 32 bits."""
    record[offset : offset + 4] = number.to_bytes(4, "big")


def integer(low: int, high: int) -> Codec:
    """Store a number as it is; wild numbers are read as the nearest in the range."""
    return shifted(low, high, zero=0)


def signed(low: int, high: int) -> Codec:
    """Store a number as 32 bits in two's complement."""

    def decode(raw: int) -> int:
        return max(low, min(high, raw - 2**32 if raw >= 2**31 else raw))

    return Codec(decode, lambda value: value & 0xFFFF_FFFF)


def shifted(low: int, high: int, zero: int) -> Codec:
    """Store a number plus `zero`."""

    def decode(raw: int) -> int:
        number = raw - zero
        return number if low <= number <= high else max(low, min(high, number))

    return Codec(decode, lambda value: value + zero)


def decimal(low: int, high: int, parts: int) -> Codec:
    """Store a number in tenths (`parts` 10) or hundredths (100)."""
    lowest, highest = low * parts, high * parts

    def decode(raw: int) -> float:
        return (raw if lowest <= raw <= highest else max(lowest, min(highest, raw))) / parts

    return Codec(decode, lambda value: round(value * parts))


def switch(on: int = 1) -> Codec:
    """Store `on` or 0; any other number is read as on."""
    return Codec(lambda raw: raw != 0, lambda value: on if value else 0)


def choice(names: Mapping[int, str], default: str) -> Codec:
    """Store a number for a name; unknown numbers are read as the default."""
    numbers = {name: number for number, name in names.items()}
    return Codec(lambda raw: names.get(raw, default), lambda value: numbers[value])
