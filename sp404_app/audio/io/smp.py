"""Samples of a SP-404MKII (`.SMP`), for decoders: big-endian PCM behind a header of its own.

The header has 512 bytes: `RFWV`, then as 32-bit big-endian words the file size less 8, the rate,
channels and bits. Proven by files of devices.
"""

import struct
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice

MAGIC: Final = b"RFWV"
DISPLAY_NAME: Final = "SMP"
FORMAT_NAME: Final = "SMP 16-bit"
HEADER_BYTES: Final = 512
BITS: Final = 16
MAX_CHANNELS: Final = 2


def as_wav(file: BinaryIO, end: int) -> ConcatenatedFile | None:
    """Return an SMP file of `end` bytes as a big-endian WAV file (RIFX), or None if it is none.

    A file that is cut off ends where its bytes end.
    """
    file.seek(0)
    head = file.read(HEADER_BYTES)
    if head[:4] != MAGIC or len(head) < HEADER_BYTES:
        return None
    size, rate, channels, bits = struct.unpack_from(">4I", head, 4)
    if bits != BITS or not 1 <= channels <= MAX_CHANNELS or not rate:
        return None
    frame = channels * BITS // 8
    pcm = max(0, min(size + 8, end) - HEADER_BYTES) // frame * frame
    layout = struct.pack(">HHIIHH", 1, channels, rate, min(rate * frame, 0xFFFFFFFF), frame, BITS)
    chunks = b"fmt " + struct.pack(">I", len(layout)) + layout + b"data" + struct.pack(">I", pcm)
    riff = b"RIFX" + struct.pack(">I", 4 + len(chunks) + pcm) + b"WAVE"
    return ConcatenatedFile([riff + chunks, FileSlice(file, HEADER_BYTES, HEADER_BYTES + pcm)])
