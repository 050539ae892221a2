"""Write tempo and key into the comments of an Ogg Vorbis or Opus file; its audio pages are copied.

Sources: RFC 3533 (pages of Ogg); xiph.org, "Vorbis I specification" §4.2 and §5; RFC 7845 (Opus).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from sp404_app.audio.io import ogg
from sp404_app.audio.io.flac_tags import write_comments
from sp404_app.audio.io.parts import FileSlice
from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags

# Of the first packet; then the start of the comments, their end, and how many packets follow them.
CODECS: Final = {
    b"\x01vorbis": (b"\x03vorbis", b"\x01", 1),
    b"OpusHead": (b"OpusTags", b"", 0),
}
SEGMENT_BYTES: Final = 255  # a packet ends with the first shorter segment
MAX_SEGMENTS: Final = 255  # of a page
CONTINUED: Final = 1  # flag of a page that begins inside a packet
MAX_HEADER_BYTES: Final = 1 << 24
MAX_PAGES: Final = 200_000
REVERSED_BYTES: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class OggPage:
    """A page: its place in the file, its 27 bytes and segment table, and its content."""

    start: int
    head: bytes
    body: bytes

    @property
    def end(self) -> int:
        """Return where the next page begins."""
        return self.start + len(self.head) + len(self.body)

    @property
    def serial(self) -> bytes:
        """Return what names the page's stream."""
        return self.head[14:18]


def tag_ogg(file: BinaryIO, end: int, tags: SoundTags) -> list[bytes | FileSlice]:
    """Return the parts of the file with tags, in their order.

    Raises:
        CannotHoldTags: If its headers are damaged or irregular, or it has several streams.
    """
    pages = _read_pages(file, 0, end)
    first = next(pages, None)
    codec = next((name for name in CODECS if first and first.body.startswith(name)), None)
    if first is None or codec is None:
        raise CannotHoldTags("The Ogg file holds neither Vorbis nor Opus.")
    start, framing, following = CODECS[codec]
    packets, last, count = _read_packets(pages, first, following + 1)
    if not packets[0].startswith(start):
        raise CannotHoldTags("The comments of the file are damaged.")
    packets[0] = start + write_comments(packets[0][len(start) :], tags) + framing
    headers = list(_write_pages(packets, first.serial))
    rest = FileSlice(file, last.end, end)
    if len(headers) == count:
        return [first.head + first.body, *headers, rest]
    audio = _renumber(file, rest, first.serial, len(headers) + 1)
    return [first.head + first.body, *headers, *audio]


def page_checksum(page: bytes) -> bytes:
    """Return the checksum of a page whose own four bytes of it are zero.

    Ogg's CRC-32 is that of zlib with reversed bits, and without inversion (RFC 3533 §6).
    """
    reversed_sum = zlib.crc32(page.translate(REVERSED_BYTES), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return reversed_sum.to_bytes(4, "big").translate(REVERSED_BYTES)


def _read_pages(file: BinaryIO, at: int, end: int) -> Iterator[OggPage]:
    """Yield the pages from a place on, which follow each other without a gap.

    Raises:
        CannotHoldTags: If one is damaged.
    """
    while at < end:
        head = ogg.read_page_header(file, at)
        if head is None or len(head) < ogg.HEADER_BYTES + head[26]:
            raise CannotHoldTags("The pages of the file are damaged.")
        size = sum(head[ogg.HEADER_BYTES :])
        file.seek(at + len(head))
        page = OggPage(at, head, file.read(size))
        blank = head[:22] + bytes(4) + head[26:]
        if len(page.body) < size or page_checksum(blank + page.body) != head[22:26]:
            raise CannotHoldTags("The pages of the file are damaged.")
        yield page
        at = page.end


def _read_packets(
    pages: Iterator[OggPage], first: OggPage, count: int
) -> tuple[list[bytes], OggPage, int]:
    """Return the packets after that of the first page, their last page, and how many pages."""
    packets, begun = list[bytes](), bytearray()
    for number, page in enumerate(pages, start=1):
        if page.serial != first.serial or len(begun) > MAX_HEADER_BYTES:
            break
        at = 0
        for segment in page.head[ogg.HEADER_BYTES :]:
            begun += page.body[at : at + segment]
            at += segment
            if segment < SEGMENT_BYTES:
                packets.append(bytes(begun))
                begun = bytearray()
        if len(packets) >= count:
            if len(packets) > count or begun:  # audio must begin on a page of its own
                break
            return packets, page, number
    raise CannotHoldTags("The headers of the file are damaged, or it has several streams.")


def _write_pages(packets: list[bytes], serial: bytes) -> Iterator[bytes]:
    """Yield the pages of header packets; the first has the number 1."""
    segments = [  # and whether a packet begins with it
        (packet[at : at + SEGMENT_BYTES], at == 0)
        for packet in packets
        for at in range(0, len(packet) + 1, SEGMENT_BYTES)
    ]
    for number, at in enumerate(range(0, len(segments), MAX_SEGMENTS), start=1):
        part = segments[at : at + MAX_SEGMENTS]
        ends = any(len(segment) < SEGMENT_BYTES for segment, _ in part)
        granule = (0 if ends else ogg.NO_GRANULE).to_bytes(8, "little", signed=True)
        flags = 0 if part[0][1] else CONTINUED
        table = bytes([len(part), *(len(segment) for segment, _ in part)])
        head = ogg.MAGIC + bytes([0, flags]) + granule + serial + number.to_bytes(4, "little")
        body = b"".join(segment for segment, _ in part)
        yield head + page_checksum(head + bytes(4) + table + body) + table + body


def _renumber(
    file: BinaryIO, rest: FileSlice, serial: bytes, number: int
) -> Iterator[bytes | FileSlice]:
    """Yield the pages of the audio, numbered from `number` on.

    Raises:
        CannotHoldTags: If a page is damaged, which its new checksum would hide, or of another
            stream.
    """
    for count, page in enumerate(_read_pages(file, rest.start, rest.end)):
        if page.serial != serial or count == MAX_PAGES:
            raise CannotHoldTags("The file has several streams, or too many pages.")
        start = page.head[:18] + (number + count).to_bytes(4, "little")
        table = page.head[26:]
        checksum = page_checksum(start + bytes(4) + table + page.body)
        yield start + checksum + table
        yield FileSlice(file, page.end - len(page.body), page.end)
