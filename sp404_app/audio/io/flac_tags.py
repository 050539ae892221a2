"""Write tempo and key into the Vorbis comments of a FLAC file; its frames are copied.

Sources: RFC 9639 §8 (metadata blocks); xiph.org, "Ogg Vorbis I format specification: comment field
and header specification".
"""

import struct
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import FileSlice
from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags, pack_length

MAGIC: Final = b"fLaC"
COMMENTS: Final = 4  # the type of a metadata block
LAST: Final = 0x80  # flag of the last metadata block
MAX_BLOCKS: Final = 256
MAX_BLOCK_BYTES: Final = (1 << 24) - 1
VENDOR: Final = b"Crate 404"


def tag_flac(file: BinaryIO, end: int, tags: SoundTags) -> list[bytes | FileSlice]:
    """Return the parts of the file with tags, in their order.

    Raises:
        CannotHoldTags: If the metadata is damaged.
    """
    blocks, audio_at = _read_blocks(file, end)
    old = next((content.read(0, len(content)) for kind, content in blocks if kind == COMMENTS), b"")
    comments = (COMMENTS, write_comments(old, tags))
    others: list[tuple[int, bytes | FileSlice]] = [each for each in blocks if each[0] != COMMENTS]
    parts: list[bytes | FileSlice] = [MAGIC]
    # STREAMINFO is the first block.
    ordered = [others[0], comments, *others[1:]]
    for number, (kind, content) in enumerate(ordered):
        if len(content) > MAX_BLOCK_BYTES:
            raise CannotHoldTags("The comments of the file are too long.")
        flag = LAST if number == len(ordered) - 1 else 0
        parts += [bytes([kind | flag]) + len(content).to_bytes(3, "big"), content]
    return [*parts, FileSlice(file, audio_at, end)]


def _read_blocks(file: BinaryIO, end: int) -> tuple[list[tuple[int, FileSlice]], int]:
    """Return type and place of each metadata block, and where the frames begin."""
    file.seek(0)
    if file.read(4) != MAGIC:
        raise CannotHoldTags("The FLAC file begins with something else.")
    blocks: list[tuple[int, FileSlice]] = []
    at = len(MAGIC)
    for _ in range(MAX_BLOCKS):
        file.seek(at)
        head = file.read(4)
        start, at = at + 4, at + 4 + int.from_bytes(head[1:], "big")
        if len(head) < 4 or at > end:
            raise CannotHoldTags("The metadata of the file is truncated.")
        blocks.append((head[0] & ~LAST, FileSlice(file, start, at)))
        if head[0] & LAST:
            if blocks[0][0] != 0 or sum(kind == COMMENTS for kind, _ in blocks) > 1:
                break
            return blocks, at
    raise CannotHoldTags("The metadata of the file is damaged.")


def write_comments(old: bytes, tags: SoundTags) -> bytes:
    """Return Vorbis comments with tempo and key; the other comments stay.

    Raises:
        CannotHoldTags: If the old comments are damaged.
    """
    vendor, comments = _read_comments(old) if old else (VENDOR, [])
    kept = [each for each in comments if not tags.replaces(_name(each))]
    kept += [f"{name}={text}".encode() for name, text in tags.texts().items()]
    listed = b"".join(pack_length(each, "<I") for each in kept)
    return pack_length(vendor, "<I") + struct.pack("<I", len(kept)) + listed


def _name(comment: bytes) -> str:
    return comment.partition(b"=")[0].decode("ascii", "replace")


def _read_comments(block: bytes) -> tuple[bytes, list[bytes]]:
    try:
        vendor, at = _read_text(block, 0)
        (count,) = struct.unpack_from("<I", block, at)
        at += 4
        comments = []
        for _ in range(min(count, len(block))):
            text, at = _read_text(block, at)
            comments.append(text)
    except struct.error as error:
        raise CannotHoldTags("The comments of the file are damaged.") from error
    return vendor, comments


def _read_text(block: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from("<I", block, at)
    end = at + 4 + size
    if end > len(block):
        raise CannotHoldTags("The comments of the file are truncated.")
    return block[at + 4 : end], end
