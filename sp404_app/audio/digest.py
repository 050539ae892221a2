"""The digest of decoded sound: what a WAV and its FLAC have in common."""

import hashlib
import struct
from pathlib import Path

import numpy as np

from sp404_app.audio import decode


def of(path: Path) -> str:
    """Return the SHA-256 of the decoded sound, so that a WAV and its FLAC are the same.

    The hash runs over the rate and the channels (two little-endian 32-bit numbers), then the
    interleaved float32 samples.

    Raises:
        BadAudio: If nothing can be decoded.
    """
    with decode.opened(path) as (header, found):
        sha = hashlib.sha256(struct.pack("<II", header.sample_rate, header.channels))
        for block in found:
            sha.update(np.ascontiguousarray(block, dtype="<f4").data)
    return sha.hexdigest()
