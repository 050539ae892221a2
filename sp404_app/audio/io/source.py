"""Prepare an audio file for decoding: detect its container, repair it, and choose the decoder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final, cast

from sp404_app.audio.io import chunks, mpeg, ogg, smp
from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice

# FFmpeg also opens playlists, which refer to other files and URLs. The demuxer is chosen here
# from the first bytes, so that an upload cannot make the server fetch anything (SSRF).
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
# AU and W64: only libsndfile reads them, and they are not searched for MPEG frames.
AU_AND_W64_MAGIC: Final = (b".snd", b"riff\x2e\x91\xcf\x11")
FRAME_FORMATS: Final = {"mp3": "MP3", "aac": "AAC"}
# The lengths in these headers are unreliable. FFmpeg decodes to the end of the file, libsndfile
# only to the stated length.
COUNTED_DEMUXERS: Final = frozenset({"mp3", "aac", "flac"})


@dataclass(frozen=True, slots=True)
class AudioSource:
    """An open audio file.

    `demuxer` is FFmpeg's name, None if FFmpeg must not open the file; `display_name` is the
    container's name for users. `fact_frames` counts the frames of a compressed WAV, followed by up
    to `padding_frames` of padding; both are 0 if unknown. `length_known` means that the header's
    length was counted, not guessed from a bit rate, `continuous` that packet times have no gaps.
    `chain` holds the links of a chained Ogg, including the first.
    """

    file: BinaryIO
    demuxer: str | None
    display_name: str
    fact_frames: int = 0
    padding_frames: int = 0
    length_known: bool = True
    continuous: bool = True
    chain: tuple[BinaryIO, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the length is only known by decoding."""
        return self.demuxer in COUNTED_DEMUXERS or bool(self.chain)

    def links(self) -> Iterator["AudioSource"]:
        """Yield the sources to decode one after the other."""
        for file in self.chain or (self.file,):
            yield replace(self, file=file)


@contextmanager
def open_source(path: Path) -> Iterator[AudioSource]:
    """Open a file for a strict decoder: repaired, and starting where the audio begins."""
    with path.open("rb", buffering=0) as raw:
        yield detect_source(cast("BinaryIO", raw))


def detect_source(file: BinaryIO) -> AudioSource:
    """Detect the format of an open file from its first bytes."""
    end = file.seek(0, 2)
    if device_sample := smp.as_wav(file, end):
        return AudioSource(cast("BinaryIO", device_sample), None, smp.DISPLAY_NAME)
    after_tags, _ = mpeg.skip_leading_tags(file)
    for at in dict.fromkeys((0, after_tags)):
        if container := detect_container(file, at):
            return container_source(file, at, end, *container)
    frames = None if is_au_or_w64(file) else mpeg.find_first_frame(file, after_tags)
    if frames is None:
        return AudioSource(repair_unfinished_au(file, end) or rewound(file), None, "")
    at, demuxer = frames
    file.seek(at)
    head = file.read(256)
    length_known = demuxer == "mp3" and mpeg.xing_length_is_plausible(head, end - at)
    continuous = length_known or demuxer != "mp3" or not mpeg.has_xing(head)
    display_name = FRAME_FORMATS[demuxer]
    return AudioSource(
        from_offset(file, at, end),
        demuxer,
        display_name,
        length_known=length_known,
        continuous=continuous,
    )


def detect_container(file: BinaryIO, at: int) -> tuple[str, str] | None:
    """Return the demuxer and display name of a container at a position."""
    file.seek(at)
    head = file.read(16)
    for place, magic, demuxer, display_name in DEMUXERS:
        if head[place : place + len(magic)] == magic:
            return demuxer, display_name
    return None


def is_au_or_w64(file: BinaryIO) -> bool:
    """Return whether a file is AU or W64."""
    file.seek(0)
    return file.read(8).startswith(AU_AND_W64_MAGIC)


def container_source(
    file: BinaryIO, at: int, end: int, demuxer: str, display_name: str
) -> AudioSource:
    """Return the source of a known container; WAV and AIFF are repaired if necessary."""
    if demuxer == "ogg":
        links = ogg.find_links(file, at, end)
        # libsndfile reads a single stream exactly, if the frame count in its last page is right.
        if len(links) > 1 or not ogg.granules_are_plausible(links[0]):
            chain = tuple(cast("BinaryIO", ConcatenatedFile([link])) for link in links)
            return AudioSource(chain[0], demuxer, display_name, chain=chain)
    layout = chunks.read_chunk_layout(file, at, end)
    if layout is None:
        return AudioSource(from_offset(file, at, end), demuxer, display_name)
    fact_frames, padding_frames = chunks.read_fact(file, layout)
    strict = layout.regular and layout.form != b"BW64"
    repaired = None if strict else chunks.repair_chunks(file, layout, end)
    return AudioSource(
        cast("BinaryIO", repaired) or from_offset(file, at, end),
        demuxer,
        display_name,
        fact_frames,
        padding_frames,
    )


def repair_unfinished_au(file: BinaryIO, end: int) -> BinaryIO | None:
    """Return an AU file with size 0 as one that extends to the end of the file."""
    file.seek(0)
    head = file.read(24)
    if head[:4] != b".snd" or head[8:12] != bytes(4):
        return None
    return cast(
        "BinaryIO", ConcatenatedFile([head[:8] + b"\xff\xff\xff\xff", FileSlice(file, 12, end)])
    )


def from_offset(file: BinaryIO, at: int, end: int) -> BinaryIO:
    """Return the file from a position on."""
    return cast("BinaryIO", ConcatenatedFile([FileSlice(file, at, end)])) if at else rewound(file)


def rewound(file: BinaryIO) -> BinaryIO:
    """Return the file, rewound to its beginning."""
    file.seek(0)
    return file
