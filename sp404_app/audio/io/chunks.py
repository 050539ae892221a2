"""Lenient parser for the chunks of WAV, RF64, BW64 and AIFF files.

Some programs omit the pad byte after a chunk of odd size, and interrupted recordings have sizes
of 0. Sources: the RIFF registry, EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Apple's AIFF 1.3.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice

FORMS: Final = {
    b"RIFF": ("<", (b"WAVE",), b"data"),
    b"RF64": ("<", (b"WAVE",), b"data"),
    b"BW64": ("<", (b"WAVE",), b"data"),
    b"FORM": (">", (b"AIFF", b"AIFC"), b"SSND"),
}
KNOWN_CHUNKS: Final = frozenset(
    {
        b"fmt ", b"data", b"fact", b"LIST", b"acid", b"smpl", b"inst", b"cue ", b"bext", b"iXML",
        b"id3 ", b"ID3 ", b"junk", b"JUNK", b"PAD ", b"FLLR", b"PEAK", b"_PMX", b"cart", b"axml",
        b"chna", b"ds64", b"strc", b"plst", b"afsp", b"DISP", b"LGWV", b"umid", b"minf", b"elm1",
        b"COMM", b"SSND", b"MARK", b"INST", b"MIDI", b"AESD", b"APPL", b"COMT", b"NAME", b"AUTH",
        b"(c) ", b"ANNO", b"FVER", b"CHAN", b"basc", b"trns", b"cate",
    }
)  # fmt: skip
UNFINISHED_SIZES: Final = (0, 0xFFFFFFFF)  # of a file whose writer was interrupted
MAX_CHUNKS: Final = 4096
MAX_FORMAT_BYTES: Final = 4096  # of `fmt ` and `COMM`
MAX_BLOCK_FRAMES: Final = 8192  # no codec in these files has larger blocks
PCM_TAGS: Final = (1, 3, 0xFFFE)  # of `fmt `: uncompressed, so without block padding


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its name, and the position and size of its content in bytes."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class ChunkLayout:
    """The chunks of a RIFF or AIFF form that begins at `start`.

    `regular` means that a strict parser finds the same chunks.
    """

    start: int
    form: bytes
    kind: bytes
    chunks: tuple[Chunk, ...]
    regular: bool

    def find(self, *names: bytes) -> Chunk | None:
        """Return the first chunk with one of these names."""
        return next((chunk for chunk in self.chunks if chunk.name in names), None)


def read_chunk_layout(file: BinaryIO, at: int, end: int) -> ChunkLayout | None:
    """Read the chunks of the form at `at`; None if it is not an audio form."""
    file.seek(at)
    head = file.read(12)
    form, kind = head[:4], head[8:12]
    if form not in FORMS or kind not in FORMS[form][1]:
        return None
    walk = ChunkReader(file, end, form)
    chunks = tuple(walk.chunks(at + 12))
    return ChunkLayout(at, form, kind, chunks, walk.regular)


class ChunkReader:
    """Reads chunk after chunk of one form."""

    def __init__(self, file: BinaryIO, end: int, form: bytes) -> None:
        self.file, self.end = file, end
        self.order, _, self.audio_name = FORMS[form]
        self.long_size: int | None = None  # of the audio chunk, from `ds64`
        self.regular = True

    def chunks(self, at: int) -> Iterator[Chunk]:
        """Yield the chunks from `at` on."""
        for _ in range(MAX_CHUNKS):
            found = self.header(at)
            if found is None:
                return
            chunk = self.sized(*found, at + 8)
            if chunk.name == b"ds64" and chunk.size >= 16:
                (self.long_size,) = struct.unpack("<Q", self.read(chunk.start + 8, 8))
            yield chunk
            at = self.next_position(chunk)

    def read(self, at: int, size: int) -> bytes:
        """Read up to `size` bytes at a position, within the file."""
        self.file.seek(at)
        return self.file.read(max(0, min(size, self.end - at)))

    def header(self, at: int) -> tuple[bytes, int] | None:
        """Return the name and size at a position if they can be a chunk header."""
        head = self.read(at, 8)
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return None
        return head[:4], struct.unpack(f"{self.order}I", head[4:])[0]

    def sized(self, name: bytes, size: int, start: int) -> Chunk:
        """Return a chunk limited to the file; an unfinished audio chunk ends with the file."""
        if name == self.audio_name and size in UNFINISHED_SIZES:
            if size == UNFINISHED_SIZES[1] and self.long_size:
                self.regular = self.regular and self.long_size <= self.end - start
                return Chunk(name, start, min(self.long_size, self.end - start))
            next_header = self.header(start)
            if not (next_header and next_header[0] in KNOWN_CHUNKS) and start < self.end:
                self.regular = False
                size = self.end - start
        return Chunk(name, start, min(size, self.end - start))

    def next_position(self, chunk: Chunk) -> int:
        """Return where the next chunk begins, with or without a pad byte."""
        at = chunk.start + chunk.size
        if chunk.size % 2 == 0:
            return at
        padded, bare = self.header(at + 1), self.header(at)
        unpadded_likely = bare is not None and (bare[0] in KNOWN_CHUNKS or padded is None)
        missing = unpadded_likely and not (padded and padded[0] in KNOWN_CHUNKS)
        if missing:
            self.regular = False
        return at if missing else at + 1


def repair_chunks(file: BinaryIO, layout: ChunkLayout, end: int) -> ConcatenatedFile | None:
    """Return the file as a strict parser expects it, or None if there is no audio chunk."""
    # BW64 is RF64 plus chunks with speaker positions.
    if layout.regular and layout.chunks[:1] and layout.chunks[0].name == b"ds64":
        return ConcatenatedFile([b"RF64", FileSlice(file, layout.start + 4, end)])
    format_name, audio_name = (b"COMM", b"SSND") if layout.form == b"FORM" else (b"fmt ", b"data")
    description, audio = layout.find(format_name), layout.find(audio_name)
    if not description or not audio or description.size > MAX_FORMAT_BYTES:
        return None
    order = FORMS[layout.form][0]
    file.seek(description.start)
    format_chunk = file.read(description.size)
    head = (
        format_name
        + struct.pack(f"{order}I", len(format_chunk))
        + format_chunk
        + bytes(len(format_chunk) % 2)
    )
    body = audio_name + struct.pack(f"{order}I", min(audio.size, 0xFFFFFF00))
    total = 4 + len(head) + len(body) + min(audio.size, 0xFFFFFF00 - len(head))
    form = b"FORM" if layout.form == b"FORM" else b"RIFF"
    outer = form + struct.pack(f"{order}I", min(total, 0xFFFFFFFF)) + layout.kind
    return ConcatenatedFile(
        [outer + head + body, FileSlice(file, audio.start, audio.start + audio.size)]
    )


def read_fact(file: BinaryIO, layout: ChunkLayout) -> tuple[int, int]:
    """Return the frame count of the `fact` chunk and the maximum padding after it, or zeros.

    The last block of a compressed file is padded, and libsndfile takes the pad byte for another
    block; only `fact` gives the true length.
    """
    fact, description = layout.find(b"fact"), layout.find(b"fmt ")
    if not fact or not description or fact.size < 4 or description.size < 16:
        return 0, 0
    file.seek(fact.start)
    (frames,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
    file.seek(description.start)
    format_chunk = file.read(min(description.size, 20))
    if len(format_chunk) < 16 or struct.unpack_from("<H", format_chunk)[0] in PCM_TAGS:
        return 0, 0
    block = struct.unpack_from("<H", format_chunk, 18)[0] if len(format_chunk) >= 20 else 0
    return frames, 2 * min(block or MAX_BLOCK_FRAMES, MAX_BLOCK_FRAMES)
