"""The bytes of a sound file as a decoder wants them, and which decoder that is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from sp404_app.audio.io import chunks, mpeg, ogg
from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice

# FFmpeg also opens playlists that name other files and addresses. We choose the demuxer from
# the first bytes ourselves, so that an upload can never make the server fetch anything.
DEMUXERS: Final = (
    (4, b"ftyp", "mov", "M4A"),
    (0, b"\x1aE\xdf\xa3", "matroska", "WebM"),
    (0, b"0&\xb2u", "asf", "WMA"),
    (0, b"RIFF", "wav", "WAV"),
    (0, b"RF64", "wav", "WAV"),
    (0, b"BW64", "wav", "WAV"),
    (0, b"FORM", "aiff", "AIFF"),
    (0, b"caff", "caf", "CAF"),
    (0, b"OggS", "ogg", "OGG"),
    (0, b"fLaC", "flac", "FLAC"),
)
# AU and W64: what libsndfile alone reads, and no place to search for frames.
AU_AND_W64_MAGIC: Final = (b".snd", b"riff\x2e\x91\xcf\x11")
FRAME_FORMATS: Final = {"mp3": "MP3", "aac": "AAC"}
# What these packers write about their length is not believed: FFmpeg reads them to their end,
# libsndfile to where the header says.
COUNTED_DEMUXERS: Final = frozenset({"mp3", "aac", "flac"})


@dataclass(frozen=True, slots=True)
class Source:
    """An open sound file.

    `demuxer` is FFmpeg's, None where the bytes are of no kind that it may open; `shown` is the
    container's name for people. `fact` counts the frames of a packed WAV, which at most
    `filling` more follow; both are 0 where they are not written. `measured` says that the
    length in the header was counted by who wrote it, and not guessed from a bit rate, `steady` that
    the times of its packets leave no gaps. `chain` are the files of a chained Ogg that follow
    each other, the first one included.
    """

    file: BinaryIO
    demuxer: str | None
    shown: str
    fact: int = 0
    filling: int = 0
    measured: bool = True
    steady: bool = True
    chain: tuple[BinaryIO, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether only decoding tells how long the sound is."""
        return self.demuxer in COUNTED_DEMUXERS or bool(self.chain)

    def links(self) -> Iterator["Source"]:
        """Yield the sources to decode one after the other."""
        for file in self.chain or (self.file,):
            yield replace(self, file=file)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file so that a strict decoder reads it: mended, and from where the sound begins."""
    with path.open("rb", buffering=0) as raw:
        yield detect_source(cast("BinaryIO", raw))


def detect_source(file: BinaryIO) -> Source:
    """Look at the first bytes of an open file."""
    end = file.seek(0, 2)
    behind, _ = mpeg.skip_leading_tags(file)
    for at in dict.fromkeys((0, behind)):
        if known := detect_container(file, at):
            return container_source(file, at, end, *known)
    frames = None if is_au_or_w64(file) else mpeg.find_first_frame(file, behind)
    if frames is None:
        return Source(repair_unfinished_au(file, end) or rewound(file), None, "")
    at, demuxer = frames
    file.seek(at)
    head = file.read(256)
    measured = demuxer == "mp3" and mpeg.xing_length_is_plausible(head, end - at)
    steady = measured or demuxer != "mp3" or not mpeg.has_xing(head)
    shown = FRAME_FORMATS[demuxer]
    return Source(from_offset(file, at, end), demuxer, shown, measured=measured, steady=steady)


def detect_container(file: BinaryIO, at: int) -> tuple[str, str] | None:
    """Return the demuxer and the name of a container that begins at a position."""
    file.seek(at)
    head = file.read(16)
    for place, magic, demuxer, shown in DEMUXERS:
        if head[place : place + len(magic)] == magic:
            return demuxer, shown
    return None


def is_au_or_w64(file: BinaryIO) -> bool:
    """Whether a file is AU or W64."""
    file.seek(0)
    return file.read(8).startswith(AU_AND_W64_MAGIC)


def container_source(file: BinaryIO, at: int, end: int, demuxer: str, shown: str) -> Source:
    """Return a file of a known container; WAV and AIFF mended where they need it."""
    if demuxer == "ogg":
        links = ogg.find_links(file, at, end)
        # libsndfile reads one stream to where its last page says: exactly, if that is true.
        if len(links) > 1 or not ogg.granules_are_plausible(links[0]):
            chain = tuple(cast("BinaryIO", ConcatenatedFile([link])) for link in links)
            return Source(chain[0], demuxer, shown, chain=chain)
    layout = chunks.read_chunk_layout(file, at, end)
    if layout is None:
        return Source(from_offset(file, at, end), demuxer, shown)
    fact, filling = chunks.read_fact(file, layout)
    strict = layout.regular and layout.form != b"BW64"
    mended = None if strict else chunks.repair_chunks(file, layout, end)
    return Source(
        cast("BinaryIO", mended) or from_offset(file, at, end), demuxer, shown, fact, filling
    )


def repair_unfinished_au(file: BinaryIO, end: int) -> BinaryIO | None:
    """Return an AU file whose size was left at 0 as one that lasts to its end."""
    file.seek(0)
    head = file.read(24)
    if head[:4] != b".snd" or head[8:12] != bytes(4):
        return None
    return cast(
        "BinaryIO", ConcatenatedFile([head[:8] + b"\xff\xff\xff\xff", FileSlice(file, 12, end)])
    )


def from_offset(file: BinaryIO, at: int, end: int) -> BinaryIO:
    """Return a file from a position on."""
    return cast("BinaryIO", ConcatenatedFile([FileSlice(file, at, end)])) if at else rewound(file)


def rewound(file: BinaryIO) -> BinaryIO:
    """Return a file at its beginning."""
    file.seek(0)
    return file
