"""Where the links of a chained Ogg file begin, streams that follow each other (RFC 3533)."""

from typing import BinaryIO, Final

from sp404_app.audio.parts import Stretch

MAGIC: Final = b"OggS"
HEAD: Final = 27
BEGINS: Final = 2  # flag of the first page of a stream
REACH: Final = 1 << 16
MOST_LINKS: Final = 1000


def links(file: BinaryIO, at: int, end: int) -> list[Stretch]:
    """Return the links of an Ogg file between two positions, at least one.

    Streams that run side by side begin together, and are one link.
    """
    starts = [at]
    beginning = True  # whether the last page began a stream
    while 0 <= at < end and len(starts) < MOST_LINKS:
        page = head(file, at)
        if page is None:
            at = following(file, at + 1)
            continue
        begins = bool(page[5] & BEGINS)
        if begins and not beginning:
            starts.append(at)
        beginning = begins
        at += len(page) + sum(page[HEAD:])
    return [
        Stretch(file, start, last) for start, last in zip(starts, [*starts[1:], end], strict=True)
    ]


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
