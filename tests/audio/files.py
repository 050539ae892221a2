"""Irregular audio files as programs write them: truncated, concatenated, padded, mislabelled."""

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.io import mpeg
from tests.audio.conftest import RATE


def packed(signal: npt.ArrayLike, rate: int = RATE, **options: Any) -> bytes:
    """Return a signal as the bytes of a file, in any format of libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, np.asarray(signal), rate, **options)
    return file.getvalue()


def mp3(signal: npt.ArrayLike, **options: Any) -> bytes:
    """Return an MP3 file."""
    return packed(signal, format="MP3", **options)


def without_xing(mp3_bytes: bytes) -> bytes:
    """Remove the Xing frame of an MP3 file."""
    first = mpeg.parse_frame_header(mp3_bytes)
    assert first
    assert b"Xing" in mp3_bytes[: first.size] or b"Info" in mp3_bytes[: first.size]
    return mp3_bytes[first.size :]


def xing_of(mp3_bytes: bytes, frames: int) -> bytes:
    """Set the frame count in the Xing header of an MP3 file."""
    at = max(mp3_bytes[:64].find(b"Xing"), mp3_bytes[:64].find(b"Info"))
    assert at > 0
    return mp3_bytes[: at + 8] + struct.pack(">I", frames) + mp3_bytes[at + 12 :]


def flac_of(flac_bytes: bytes, frames: int) -> bytes:
    """Set the frame count in the header of a FLAC file; 0 means unknown."""
    packed_ = int.from_bytes(flac_bytes[18:26], "big") >> 36 << 36 | frames
    return flac_bytes[:18] + packed_.to_bytes(8, "big") + flac_bytes[26:]


def chunk(name: bytes, body: bytes, order: str = "<", *, pad: bool = True) -> bytes:
    """Return a RIFF or AIFF chunk, with or without its pad byte."""
    return name + struct.pack(f"{order}I", len(body)) + body + bytes(len(body) % 2 * pad)


def pcm(signal: npt.NDArray[np.float32], order: str = "<") -> bytes:
    """Return a mono signal as 16-bit samples."""
    return (signal * 32767).astype(f"{order}i2").tobytes()


def fmt(rate: int = RATE) -> bytes:
    """Return the `fmt ` chunk of 16-bit mono."""
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16))


def comm(frames: int) -> bytes:
    """Return the `COMM` chunk of 16-bit mono at 44.1 kHz."""
    return chunk(b"COMM", struct.pack(">hIh", 1, frames, 16) + b"\x40\x0e\xac\x44" + bytes(6), ">")


def riff(*chunks: bytes, form: bytes = b"RIFF", size: int | None = None) -> bytes:
    """Return a WAV file with these chunks."""
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body) if size is None else size) + body


def aiff(*chunks: bytes, size: int | None = None) -> bytes:
    """Return an AIFF file with these chunks."""
    body = b"AIFF" + b"".join(chunks)
    return b"FORM" + struct.pack(">I", len(body) if size is None else size) + body


def ssnd(signal: npt.NDArray[np.float32], size: int | None = None) -> bytes:
    """Return the `SSND` chunk of a signal, optionally with a wrong size."""
    body = bytes(8) + pcm(signal, ">")
    return b"SSND" + struct.pack(">I", len(body) if size is None else size) + body


def syncsafe(number: int) -> bytes:
    """Return a number with seven bits per byte."""
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def id3_frame(name: bytes, text: bytes, version: int = 3) -> bytes:
    """Return a frame of an ID3v2 tag; `text` begins with its encoding byte."""
    size = syncsafe(len(text)) if version == 4 else struct.pack(">I", len(text))
    return name + size + bytes(2) + text


def id3(*frames: bytes, version: int = 3) -> bytes:
    """Return an ID3v2 tag."""
    body = b"".join(frames)
    return b"ID3" + bytes([version, 0, 0]) + syncsafe(len(body)) + body


def picture(size: int, version: int = 3) -> bytes:
    """Return the frame of a cover picture."""
    return id3_frame(b"APIC", b"\0image/jpeg\0\3\0\xff\xd8\xff" + bytes(size), version)


def ape(items: bytes = b"") -> bytes:
    """Return an APEv2 tag with a header and without a footer."""
    return b"APETAGEX" + struct.pack("<III", 2000, len(items), 0) + b"\0\0\0\xa0" + bytes(8) + items
