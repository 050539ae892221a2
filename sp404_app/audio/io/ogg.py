"""Where the links of a chained Ogg file begin, streams that follow each other (RFC 3533)."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import Stretch

MAGIC: Final = b"OggS"
HEAD: Final = 27
BEGINS: Final = 2  # flag of the first page of a stream
NO_COUNT: Final = -1  # of a page on which no packet ends
MOST_FRAMES: Final = 255 * 8192  # of a page: packets, by the most that any codec puts into one
REACH: Final = 1 << 16
MOST_LINKS: Final = 1000


def links(file: BinaryIO, at: int, end: int) -> list[Stretch]:
    """Return the links of an Ogg file between two positions, at least one.

    Streams that run side by side begin together, and are one link.
    """
    starts = [at]
    beginning = True  # whether the last page began a stream
    for place, page in pages(file, at, end):
        begins = bool(page[5] & BEGINS)
        if begins and not beginning:
            starts.append(place)
        beginning = begins
        if len(starts) == MOST_LINKS:
            break
    return [
        Stretch(file, start, last) for start, last in zip(starts, [*starts[1:], end], strict=True)
    ]


def counts_up(link: Stretch) -> bool:
    """Whether the pages of a link count frames upwards, by no more than they can hold."""
    highest = 0
    for _, page in pages(link.file, link.start, link.end):
        count = int.from_bytes(page[6:14], "little", signed=True)
        if count != NO_COUNT and not 0 <= count - highest <= MOST_FRAMES:
            return False
        highest = max(highest, count)
    return True


def pages(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the header of each page."""
    while 0 <= at < end:
        page = head(file, at)
        if page is None:
            at = following(file, at + 1)
            continue
        yield at, page
        at += len(page) + sum(page[HEAD:])


def head(file: BinaryIO, at: int) -> bytes | None:
    """Return the header of a page with its table of sizes, or None if there is no page."""
    file.seek(at)
    page = file.read(HEAD + 255)
    if len(page) < HEAD or page[:4] != MAGIC:
        return None
    return page[: HEAD + page[26]]


def following(file: BinaryIO, at: int) -> int:
    """Return where the next page begins behind damage, or -1."""
    file.seek(at)
    while block := file.read(REACH):
        place = block.find(MAGIC)
        if place >= 0:
            return at + place
        at += len(block) - len(MAGIC) + 1
        if len(block) < len(MAGIC):
            break
        file.seek(at)
        if len(block) < REACH:
            break
    return -1
