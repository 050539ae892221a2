"""Content hash of decoded audio: equal for a WAV and its FLAC."""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sp404_app.audio.io import decode
from sp404_app.audio.io.header import Header


@dataclass(frozen=True, slots=True)
class ContentHash:
    """The SHA-256 of the decoded audio and the number of frames decoded."""

    digest: str
    frames: int


class ContentHasher:
    """Hashes the sample rate and channels (little-endian 32-bit integers), then the samples.

    Samples are interleaved float32, so that a WAV and its FLAC have the same hash.
    """

    def __init__(self, header: Header) -> None:
        self.sha = hashlib.sha256(struct.pack("<II", header.sample_rate, header.channels))
        self.frames = 0

    def feed(self, block: npt.NDArray[np.float32]) -> None:
        """Add a block of shape (frames, channels)."""
        self.sha.update(np.ascontiguousarray(block, dtype="<f4").data)
        self.frames += len(block)

    def done(self) -> ContentHash:
        """Return the hash of everything fed."""
        return ContentHash(self.sha.hexdigest(), self.frames)


def hash_file(path: Path) -> tuple[Header, ContentHash]:
    """Decode a whole file; return its header with the decoded length, and its content hash.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with decode.open_audio(path) as (header, blocks):
        hasher = ContentHasher(header)
        for block in blocks:
            hasher.feed(block)
    return header.counted(hasher.frames), hasher.done()
