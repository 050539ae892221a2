"""The chunks of WAV, RF64, BW64 and AIFF files, read as leniently as players read them.

Programs forget the pad byte behind a chunk of odd size, and a recorder that lost its power
leaves sizes of 0. Sources: the RIFF registry, EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), and
Apple's AIFF 1.3.
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
UNFINISHED_SIZES: Final = (0, 0xFFFFFFFF)  # of a sound whose writer did not get to its end
MAX_CHUNKS: Final = 4096
MAX_FORMAT_BYTES: Final = 4096  # bytes of `fmt ` and `COMM`
MAX_BLOCK_FRAMES: Final = 8192  # no codec in these files packs more into one block
PCM_TAGS: Final = (1, 3, 0xFFFE)  # of `fmt `: each frame stands for itself


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: where its content begins, and how long that is."""

    name: bytes
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class ChunkLayout:
    """The chunks of a form that begins at `start`.

    `regular` says that a strict reader finds them too.
    """

    start: int
    form: bytes
    kind: bytes
    chunks: tuple[Chunk, ...]
    regular: bool

    def find(self, *names: bytes) -> Chunk | None:
        """Return the first chunk of one of these names."""
        return next((chunk for chunk in self.chunks if chunk.name in names), None)


def read_chunk_layout(file: BinaryIO, at: int, end: int) -> ChunkLayout | None:
    """Read the chunks of a form that begins at `at`; None if it is no form that holds sound."""
    file.seek(at)
    head = file.read(12)
    form, kind = head[:4], head[8:12]
    if form not in FORMS or kind not in FORMS[form][1]:
        return None
    walk = ChunkReader(file, end, form)
    chunks = tuple(walk.chunks(at + 12))
    return ChunkLayout(at, form, kind, chunks, walk.regular)


class ChunkReader:
    """A walk from chunk to chunk."""

    def __init__(self, file: BinaryIO, end: int, form: bytes) -> None:
        self.file, self.end = file, end
        self.order, _, self.sound = FORMS[form]
        self.long_size: int | None = None  # of the sound, from `ds64`
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
            at = self.behind(chunk)

    def read(self, at: int, size: int) -> bytes:
        """Read at a position, within the file."""
        self.file.seek(at)
        return self.file.read(max(0, min(size, self.end - at)))

    def header(self, at: int) -> tuple[bytes, int] | None:
        """Return a name and a size, if they can be those of a chunk."""
        head = self.read(at, 8)
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return None
        return head[:4], struct.unpack(f"{self.order}I", head[4:])[0]

    def sized(self, name: bytes, size: int, start: int) -> Chunk:
        """Return a chunk that ends within the file; an unfinished sound ends with it."""
        if name == self.sound and size in UNFINISHED_SIZES:
            if size == UNFINISHED_SIZES[1] and self.long_size:
                self.regular = self.regular and self.long_size <= self.end - start
                return Chunk(name, start, min(self.long_size, self.end - start))
            after = self.header(start)
            if not (after and after[0] in KNOWN_CHUNKS) and start < self.end:
                self.regular = False
                size = self.end - start
        return Chunk(name, start, min(size, self.end - start))

    def behind(self, chunk: Chunk) -> int:
        """Return where the next chunk begins, whether or not there is a pad byte."""
        at = chunk.start + chunk.size
        if chunk.size % 2 == 0:
            return at
        padded, bare = self.header(at + 1), self.header(at)
        rather = bare is not None and (bare[0] in KNOWN_CHUNKS or padded is None)
        missing = rather and not (padded and padded[0] in KNOWN_CHUNKS)
        if missing:
            self.regular = False
        return at if missing else at + 1


def repair_chunks(file: BinaryIO, found: ChunkLayout, end: int) -> ConcatenatedFile | None:
    """Return the file as a strict reader wants it, or None if the sound cannot be found."""
    if (
        found.regular and found.chunks[:1] and found.chunks[0].name == b"ds64"
    ):  # BW64 is RF64 by another name, with chunks that say where speakers stand
        return ConcatenatedFile([b"RF64", FileSlice(file, found.start + 4, end)])
    describes, name = (b"COMM", b"SSND") if found.form == b"FORM" else (b"fmt ", b"data")
    description, sound = found.find(describes), found.find(name)
    if not description or not sound or description.size > MAX_FORMAT_BYTES:
        return None
    order = FORMS[found.form][0]
    file.seek(description.start)
    told = file.read(description.size)
    head = describes + struct.pack(f"{order}I", len(told)) + told + bytes(len(told) % 2)
    body = name + struct.pack(f"{order}I", min(sound.size, 0xFFFFFF00))
    total = 4 + len(head) + len(body) + min(sound.size, 0xFFFFFF00 - len(head))
    form = b"FORM" if found.form == b"FORM" else b"RIFF"
    outer = form + struct.pack(f"{order}I", min(total, 0xFFFFFFFF)) + found.kind
    return ConcatenatedFile(
        [outer + head + body, FileSlice(file, sound.start, sound.start + sound.size)]
    )


def read_fact(file: BinaryIO, found: ChunkLayout) -> tuple[int, int]:
    """Return how many frames `fact` counts and how many may fill up the end, or zeros.

    The last block of a packed sound is filled up, and libsndfile takes the pad byte for another
    one: only `fact` says where the sound ends.
    """
    fact, description = found.find(b"fact"), found.find(b"fmt ")
    if not fact or not description or fact.size < 4 or description.size < 16:
        return 0, 0
    file.seek(fact.start)
    (frames,) = struct.unpack("<I", file.read(4).ljust(4, b"\0"))
    file.seek(description.start)
    told = file.read(min(description.size, 20))
    if len(told) < 16 or struct.unpack_from("<H", told)[0] in PCM_TAGS:
        return 0, 0
    block = struct.unpack_from("<H", told, 18)[0] if len(told) >= 20 else 0
    return frames, 2 * min(block or MAX_BLOCK_FRAMES, MAX_BLOCK_FRAMES)
