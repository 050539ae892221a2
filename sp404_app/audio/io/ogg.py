"""Find the links of a chained Ogg file: streams that follow each other (RFC 3533)."""

from collections.abc import Iterator
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import FileSlice

MAGIC: Final = b"OggS"
HEADER_BYTES: Final = 27
BEGIN_FLAG: Final = 2  # of the first page of a stream
NO_GRANULE: Final = -1  # of a page on which no packet ends
MAX_PAGE_FRAMES: Final = 255 * 8192  # packets per page times the largest packet of any codec
SEARCH_BYTES: Final = 1 << 16
MAX_LINKS: Final = 1000


def find_links(file: BinaryIO, at: int, end: int) -> list[FileSlice]:
    """Return the links of an Ogg file between two positions, at least one.

    Multiplexed streams begin together and form one link.
    """
    starts = [at]
    beginning = True  # whether the previous page began a stream
    for place, page in iter_pages(file, at, end):
        begins = bool(page[5] & BEGIN_FLAG)
        if begins and not beginning:
            starts.append(place)
        beginning = begins
        if len(starts) == MAX_LINKS:
            break
    return [
        FileSlice(file, start, last) for start, last in zip(starts, [*starts[1:], end], strict=True)
    ]


def granules_are_plausible(link: FileSlice) -> bool:
    """Return whether the frame counts of a link's pages increase by no more than a page holds."""
    highest = 0
    for _, page in iter_pages(link.file, link.start, link.end):
        count = int.from_bytes(page[6:14], "little", signed=True)
        if count != NO_GRANULE and not 0 <= count - highest <= MAX_PAGE_FRAMES:
            return False
        highest = max(highest, count)
    return True


def iter_pages(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield the position and the header of each page."""
    while 0 <= at < end:
        page = read_page_header(file, at)
        if page is None:
            at = find_next_page(file, at + 1)
            continue
        yield at, page
        at += len(page) + sum(page[HEADER_BYTES:])


def read_page_header(file: BinaryIO, at: int) -> bytes | None:
    """Return the header of a page with its segment table, or None if there is no page."""
    file.seek(at)
    page = file.read(HEADER_BYTES + 255)
    if len(page) < HEADER_BYTES or page[:4] != MAGIC:
        return None
    return page[: HEADER_BYTES + page[26]]


def find_next_page(file: BinaryIO, at: int) -> int:
    """Return the position of the next page after damage, or -1."""
    file.seek(at)
    while block := file.read(SEARCH_BYTES):
        place = block.find(MAGIC)
        if place >= 0:
            return at + place
        at += len(block) - len(MAGIC) + 1
        if len(block) < len(MAGIC):
            break
        file.seek(at)
        if len(block) < SEARCH_BYTES:
            break
    return -1
