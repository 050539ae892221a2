"""Write tempo, key and root note into the chunks of a WAV or AIFF file.

A WAV gets `acid` (tempo, beats, root note, loop or one-shot), `smpl` (root note, loop) and `id3 `
(key), an AIFF `INST` (root note) and `ID3 `. All other chunks are copied byte for byte.

Sources: libsndfile, `src/wav.c` (`acid`); Microsoft, "Multimedia Standards Update" 1994 (`smpl`);
Apple, "Audio Interchange File Format" 1.3 (`INST`); for ID3 see `id3_writer.py`.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from sp404_app.audio.io.chunks import FORMS, Chunk, ChunkLayout
from sp404_app.audio.io.id3_writer import MAX_TAG_BYTES, write_id3
from sp404_app.audio.io.parts import FileSlice
from sp404_app.audio.io.sound_tags import MIDDLE_C, CannotHoldTags, SoundTags, pack_length

MAX_SIZE: Final = 0xFFFF_FFFF  # of the outer chunk
HEADER_BYTES: Final = 8
ACID: Final = struct.Struct("<IHHfIHHf")
ONE_SHOT, HAS_ROOT, STRETCHES = 1, 2, 4  # flags of `acid`
METER: Final = (4, 4)
SMPL: Final = struct.Struct("<9I")
SMPL_LOOP: Final = struct.Struct("<6I")
SMPL_ROOT_AT: Final = 12  # where the note is in `smpl`
INST: Final = struct.Struct(">6bh6h")
NANOSECONDS: Final = 10**9

Part = bytes | FileSlice


@dataclass(frozen=True, slots=True)
class _SoundLength:
    """Frames per second, and their number."""

    rate: int
    frames: int


def tag_chunks(file: BinaryIO, layout: ChunkLayout, end: int, tags: SoundTags) -> list[Part]:
    """Return the parts of the file with tags, in their order.

    Raises:
        CannotHoldTags: If the file is damaged, irregular, or would have more than 4 GB.
    """
    _ensure_plain(file, layout, end)
    new = _new_chunks(file, layout, tags)
    order = FORMS[layout.form][0]
    parts: list[Part] = []
    for chunk in layout.chunks:
        content = new.pop(chunk.name, None)
        if content is not None:
            parts.append(_pack_chunk(chunk.name, content, order))
        else:
            first = chunk.start - HEADER_BYTES
            parts.append(FileSlice(file, first, chunk.start + chunk.size))
            parts.append(bytes(chunk.size % 2))
    parts += [_pack_chunk(name, content, order) for name, content in new.items()]
    size = 4 + sum(map(len, parts))
    if size > MAX_SIZE:
        raise CannotHoldTags("The file would have more than 4 GB.")
    outer = layout.form + struct.pack(f"{order}I", size) + layout.kind
    return [outer, *parts, FileSlice(file, _end_of(layout.chunks[-1]), end)]


def _ensure_plain(file: BinaryIO, layout: ChunkLayout, end: int) -> None:
    """Refuse what a strict parser reads differently: a chunk could become audio, or the reverse."""
    if layout.form not in (b"RIFF", b"FORM") or layout.start or not layout.regular:
        raise CannotHoldTags("The chunks of the file are irregular.")
    if not layout.find(FORMS[layout.form][2]):
        raise CannotHoldTags("The file has no audio chunk.")
    order = FORMS[layout.form][0]
    for chunk in layout.chunks:
        file.seek(chunk.start - 4)
        (stated,) = struct.unpack(f"{order}I", file.read(4))
        if stated != chunk.size:
            raise CannotHoldTags("A chunk of the file is truncated.")
    names = [chunk.name for chunk in layout.chunks]
    if any(names.count(name) > 1 for name in (b"data", b"SSND", b"acid", b"smpl", b"INST")):
        raise CannotHoldTags("A chunk of the file is repeated.")
    if _end_of(layout.chunks[-1]) > end + 1:
        raise CannotHoldTags("A chunk of the file is truncated.")


def _new_chunks(file: BinaryIO, layout: ChunkLayout, tags: SoundTags) -> dict[bytes, bytes]:
    """Return the content of the chunks to write, by name."""
    tag = layout.find(b"id3 ", b"ID3 ")
    default_name = b"ID3 " if layout.form == b"FORM" else b"id3 "
    new = {}
    if tags.bpm or tags.key:
        old = _read(file, tag, MAX_TAG_BYTES) if tag else b""
        new[tag.name if tag else default_name] = write_id3(old, tags)
    if layout.form == b"FORM":
        if tags.root_note is not None:
            new[b"INST"] = _inst(_read(file, layout.find(b"INST")), tags.root_note)
        return new
    if tags.bpm or tags.root_note is not None:
        new[b"acid"] = _acid(_read(file, layout.find(b"acid")), tags)
    if tags.root_note is not None or tags.is_loop:
        length = _sound_length(file, layout)
        new[b"smpl"] = _smpl(_read(file, layout.find(b"smpl")), tags, length)
    return new


def _acid(old: bytes, tags: SoundTags) -> bytes:
    """Return `acid`: flags, root note, two unknown fields, beats, meter and tempo."""
    has_old = len(old) >= ACID.size
    flags, note, first, second, beats, denominator, numerator, bpm = (
        ACID.unpack_from(old) if has_old else (0, MIDDLE_C, 0x8000, 0.0, 0, *METER, 0.0)
    )
    if tags.is_loop is not None:
        flags = (flags | STRETCHES) & ~ONE_SHOT if tags.is_loop else (flags | ONE_SHOT) & ~STRETCHES
    if tags.root_note is not None:
        flags, note = flags | HAS_ROOT, tags.root_note
    if tags.bpm:
        bpm, beats = tags.bpm, tags.beats
    packed = ACID.pack(flags, note, first, second, beats, denominator, numerator, bpm)
    return packed + old[ACID.size :]


def _smpl(old: bytes, tags: SoundTags, length: _SoundLength) -> bytes:
    """Return `smpl` with the root note; the loops of an old one stay."""
    note = MIDDLE_C if tags.root_note is None else tags.root_note
    if len(old) >= SMPL.size:
        packed = old[SMPL_ROOT_AT : SMPL_ROOT_AT + 4]
        new = packed if tags.root_note is None else struct.pack("<I", note)
        return old[:SMPL_ROOT_AT] + new + old[SMPL_ROOT_AT + 4 :]
    has_loop = bool(tags.is_loop and 0 < length.frames <= MAX_SIZE)
    loop = SMPL_LOOP.pack(0, 0, 0, length.frames - 1, 0, 0) if has_loop else b""
    period = NANOSECONDS // length.rate
    return SMPL.pack(0, 0, period, note, 0, 0, 0, int(has_loop), 0) + loop


def _inst(old: bytes, note: int) -> bytes:
    """Return `INST` with the base note; all notes and velocities play the sound."""
    if len(old) >= INST.size:
        return bytes([note]) + old[1:]
    return INST.pack(note, 0, 0, 127, 1, 127, 0, 0, 0, 0, 0, 0, 0)


def _sound_length(file: BinaryIO, layout: ChunkLayout) -> _SoundLength:
    head = _read(file, layout.find(b"fmt "))[:16]
    data = layout.find(b"data")
    if len(head) < 16 or data is None:
        raise CannotHoldTags("The `fmt ` chunk of the file is damaged.")
    _, _, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", head)
    if not rate:
        raise CannotHoldTags("The `fmt ` chunk of the file is damaged.")
    is_counted = frame_bytes and bits >= 8  # in compressed formats a block has several frames
    return _SoundLength(rate, data.size // frame_bytes if is_counted else 0)


def _read(file: BinaryIO, chunk: Chunk | None, limit: int = 1 << 16) -> bytes:
    """Return the content of a chunk that is not larger than `limit`; empty without a chunk."""
    if chunk is None:
        return b""
    if chunk.size > limit:
        raise CannotHoldTags("A chunk of the file is too large.")
    file.seek(chunk.start)
    return file.read(chunk.size)


def _pack_chunk(name: bytes, content: bytes, order: str) -> bytes:
    return name + pack_length(content, f"{order}I") + bytes(len(content) % 2)


def _end_of(chunk: Chunk) -> int:
    return chunk.start + chunk.size + chunk.size % 2
