"""Write tempo and key into an ID3v2 tag; its other frames stay as they are.

Sources: id3.org, "ID3 tag version 2.3.0" and "2.4.0" (structure of tag and frames, `TBPM`, `TKEY`).
Tags with an extended header, unsynchronisation or a footer are rare and are refused, as is
version 2.2.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags

HEADER_BYTES: Final = 10
MAX_TAG_BYTES: Final = 1 << 25  # with its pictures
VERSIONS: Final = (3, 4)
FRAME_NAME: Final = re.compile(rb"[A-Z][A-Z0-9]{3}")
LATIN_1: Final = b"\0"  # the encoding of a text frame


def tag_length(head: bytes) -> int:
    """Return the length of the ID3v2 tag that begins with `head`; 0 if there is none."""
    if len(head) < HEADER_BYTES or head[:3] != b"ID3":
        return 0
    return HEADER_BYTES + _unpack_syncsafe(head[6:10])


def write_id3(old: bytes, tags: SoundTags) -> bytes:
    """Return a tag with the tempo and key, and with the other frames of an old tag, if any.

    Raises:
        CannotHoldTags: If the old tag is damaged or of a rare kind.
    """
    if 0 < len(old) < HEADER_BYTES:
        raise CannotHoldTags("The ID3 tag is truncated.")
    version = old[3] if old else VERSIONS[0]
    new = {b"TBPM": tags.bpm_text, b"TKEY": tags.key_text if tags.key else ""}
    written = {name: text for name, text in new.items() if text}
    frames = [frame for frame in _frames(old) if frame[:4] not in written] if old else []
    frames += [_text_frame(name, text) for name, text in written.items()]
    body = b"".join(frames)
    if len(body) > MAX_TAG_BYTES:
        raise CannotHoldTags("The tag is too long.")
    return b"ID3" + bytes([version, 0, 0]) + _pack_syncsafe(len(body)) + body


def _frames(tag: bytes) -> Iterator[bytes]:
    """Yield each frame with its header."""
    version, flags = tag[3], tag[5]
    if version not in VERSIONS or flags or len(tag) != tag_length(tag):
        raise CannotHoldTags("The ID3 tag is damaged or of a rare kind.")
    at = HEADER_BYTES
    while at < len(tag) and any(tag[at : at + HEADER_BYTES]):
        name, packed = tag[at : at + 4], tag[at + 4 : at + 8]
        is_syncsafe = version == VERSIONS[1]
        if len(packed) < 4 or (is_syncsafe and any(byte > 127 for byte in packed)):
            raise CannotHoldTags("A frame of the ID3 tag is damaged.")
        size = _unpack_syncsafe(packed) if is_syncsafe else struct.unpack(">I", packed)[0]
        end = at + HEADER_BYTES + size
        if not FRAME_NAME.fullmatch(name) or end > len(tag):
            raise CannotHoldTags("A frame of the ID3 tag is damaged.")
        yield tag[at:end]
        at = end
    if any(tag[at:]):
        raise CannotHoldTags("The padding of the ID3 tag holds data.")


def _text_frame(name: bytes, text: str) -> bytes:
    content = LATIN_1 + text.encode("latin-1")
    # Shorter than 128 bytes, so the size is the same in both versions.
    return name + struct.pack(">IH", len(content), 0) + content


def _pack_syncsafe(number: int) -> bytes:
    """Return a number of 28 bits with seven bits in each byte."""
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def _unpack_syncsafe(packed: bytes) -> int:
    number = 0
    for byte in packed:
        number = number << 7 | byte & 127
    return number
