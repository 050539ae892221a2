"""Find the first frame of an MP3 or ADTS file after tags and other leading data."""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import FileSlice

SEARCH_BYTES: Final = 1 << 16  # skipped at most in search of a frame
MAX_ZERO_BYTES: Final = 1 << 20
MAX_TAGS: Final = 16
# Consecutive frames required at the start of a file, and after other data: headerless samples
# look like a few frames by chance.
MIN_FRAMES_IN_A_ROW: Final = 3
MIN_FRAMES_AFTER_JUNK: Final = 24
HEADER_BYTES: Final = 8
MAX_FRAME_BYTES: Final = 2881  # MPEG 2.5, layer II, 160 kbit/s at 8 kHz, padded
MAX_TRAILING_TAG_BYTES: Final = 4096  # after the last frame; not counted by Xing
BITRATES: Final = {  # kbit/s by (MPEG 1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The size of a frame in bytes, and the properties that all frames of a stream share."""

    size: int
    stream: tuple[object, ...]


def skip_leading_tags(file: BinaryIO) -> tuple[int, list[FileSlice]]:
    """Return the position after zero bytes, ID3v2 and APE tags, and the tags found."""
    at, tags = 0, []
    for _ in range(MAX_TAGS):
        start = skip_zero_bytes(file, at)
        at = skip_tag(file, start)
        if at == start:
            break
        tags.append(FileSlice(file, start, at))
    return at, tags


def skip_zero_bytes(file: BinaryIO, at: int) -> int:
    """Return the position of the first non-zero byte; `at` if there are too many zeros."""
    file.seek(at)
    passed = 0
    while passed < MAX_ZERO_BYTES and (block := file.read(SEARCH_BYTES)):
        rest = block.lstrip(b"\0")
        passed += len(block) - len(rest)
        if rest:
            return at + passed
    return at


def skip_tag(file: BinaryIO, at: int) -> int:
    """Return the position after a tag that begins at `at`; `at` if there is none."""
    file.seek(at)
    head = file.read(32)
    if head[:3] == b"ID3" and len(head) >= 10 and all(byte < 128 for byte in head[6:10]):
        size = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        return at + 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) == 32:
        return at + 32 + int.from_bytes(head[12:16], "little")
    return at


def find_first_frame(file: BinaryIO, at: int) -> tuple[int, str] | None:
    """Return the position of the first frame at or after `at`, and "mp3" or "aac"."""
    file.seek(at)
    data = file.read(SEARCH_BYTES)
    place = data.find(b"\xff")
    while place >= 0:
        found = parse_frame_header(data[place : place + HEADER_BYTES])
        if found and frames_follow(file, at + place, found, behind=place > 0):
            return at + place, str(found.stream[0])
        place = data.find(b"\xff", place + 1)
    return None


def frames_follow(file: BinaryIO, at: int, first: FrameHeader, *, behind: bool) -> bool:
    """Return whether frames of the same stream follow, or the file ends after the frame.

    `behind` means that other data precedes the first frame; then more frames are required.
    """
    least = MIN_FRAMES_IN_A_ROW if behind else 1
    for count in range(1, MIN_FRAMES_AFTER_JUNK if behind else MIN_FRAMES_IN_A_ROW):
        at += first.size
        file.seek(at)
        head = file.read(HEADER_BYTES)
        if not head or head[:3] == b"TAG":
            return count >= least  # the file or its audio ends here
        found = parse_frame_header(head)
        if found is None or found.stream != first.stream:
            return False
        first = found
    return True


def parse_frame_header(head: bytes) -> FrameHeader | None:
    """Parse the header of an MPEG or ADTS frame."""
    if len(head) < HEADER_BYTES or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    return parse_adts_header(head) if head[1] & 0xF6 == 0xF0 else parse_mpeg_header(head)


def parse_adts_header(head: bytes) -> FrameHeader | None:
    """Parse the header of an AAC frame (ISO 13818-7)."""
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    rate = head[2] >> 2 & 15
    return FrameHeader(size, ("aac", head[1] & 8, rate)) if size > 7 and rate < 13 else None


def parse_mpeg_header(head: bytes) -> FrameHeader | None:
    """Parse the header of an MPEG audio frame (ISO 11172-3 and 13818-3)."""
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bits, rate, pad = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bits in (0, 15) or rate == 3:
        return None
    hertz = RATES[version][rate]
    kilobits = BITRATES[version == 3, layer][bits]
    if layer == 1:
        size = (12_000 * kilobits // hertz + pad) * 4
    else:
        half = layer == 3 and version != 3
        size = (72_000 if half else 144_000) * kilobits // hertz + pad
    return FrameHeader(size, ("mp3", version, layer, rate))


def xing_length_is_plausible(head: bytes, size: int) -> bool:
    """Return whether an MP3 file of `size` bytes begins with a Xing header that can be true.

    Concatenated files are longer than the first header states.
    """
    at = max(head.find(b"Xing", 0, 64), head.find(b"Info", 0, 64))
    if at < 0 or len(head) < at + 16 or head[at + 7] & 3 != 3:
        return False
    stated_frames, stated_bytes = struct.unpack_from(">II", head, at + 8)
    return (
        0 < stated_bytes <= stated_frames * MAX_FRAME_BYTES
        and size <= stated_bytes + MAX_TRAILING_TAG_BYTES
    )


def has_xing(head: bytes) -> bool:
    """Return whether the first frame of an MP3 file is a Xing header, true or not."""
    return b"Xing" in head[:64] or b"Info" in head[:64]
