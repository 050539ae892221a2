"""Audio files for tests: small ones, all supported formats, and damaged ones."""

import io
import struct
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.db import transaction
from sp404_app.services.library import samples

RATE = 22_050


def tone(hertz: float = 440.0, seconds: float = 0.2, rate: int = RATE) -> npt.NDArray[np.float32]:
    """Return a sine wave."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def write(path: Path, signal: npt.ArrayLike, rate: int = RATE, **options: str) -> Path:
    """Write an audio file in any format that libsndfile supports."""
    soundfile.write(path, np.asarray(signal), rate, **options)
    return path


def wav(hertz: float = 440.0, seconds: float = 0.2) -> bytes:
    """Return a small WAV file; each frequency is a different sound."""
    file = io.BytesIO()
    soundfile.write(file, tone(hertz, seconds), RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def keep(
    user_id: uuid.UUID, folder: Path, name: str = "Kick.wav", hertz: float = 440.0
) -> uuid.UUID:
    """Add a sample with this frequency to a user's library; return its id."""
    path = write(folder / f"{uuid.uuid4().hex}.wav", tone(hertz), subtype="PCM_16")
    incoming = samples.inspect_file(path, name)
    with transaction() as session:
        return samples.add_sample(session, user_id, incoming)


def write_m4a(path: Path) -> Path:
    """Write AAC in an M4A container."""
    with av.open(str(path), "w", format="ipod") as file:
        stream = file.add_stream("aac", rate=44_100)
        stream.layout = "mono"
        signal = tone(440, 0.5, 44_100)
        for at in range(0, len(signal) - 1024, 1024):
            frame = av.AudioFrame.from_ndarray(
                signal[None, at : at + 1024].copy(), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44_100, at
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def write_webm_recording(path: Path, signal: npt.NDArray[np.float32]) -> Path:
    """Write a recording as browsers make it: Opus in unseekable WebM, without length in its header.

    `signal` is mono at 48 kHz.
    """
    with path.open("wb") as file:
        unseekable = SimpleNamespace(write=file.write)
        with av.open(unseekable, "w", format="webm") as container:
            stream = container.add_stream("libopus", rate=48_000, layout="mono")
            for at in range(0, len(signal) - 959, 960):
                part = signal[None, at : at + 960].copy()
                frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
                frame.sample_rate, frame.pts = 48_000, at
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def riff(channels: int, rate: int, body: bytes, bits: int = 16) -> bytes:
    """Build a PCM WAV file with any values in its header."""
    block = max(1, channels * bits // 8)
    head = struct.pack("<HHIIHH", 1, channels, rate, (rate * block) % 2**32, block % 2**16, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def silent_flac(path: Path, seconds: int) -> Path:
    """Write silence, which compresses to almost nothing."""
    block = np.zeros(RATE * 600, np.int16)
    with soundfile.SoundFile(path, "w", RATE, 1, format="FLAC", subtype="PCM_16") as file:
        for _ in range(0, seconds, 600):
            file.write(block)
    return path


def good_files(folder: Path) -> dict[str, Path]:
    """Write one file of every supported kind; return paths by kind."""
    sound = tone()
    libsndfile: dict[str, tuple[str, dict[str, str]]] = {
        "8-bit": ("wav", {"subtype": "PCM_U8"}),
        "16-bit": ("wav", {"subtype": "PCM_16"}),
        "24-bit": ("wav", {"subtype": "PCM_24"}),
        "32-bit": ("wav", {"subtype": "PCM_32"}),
        "float": ("wav", {"subtype": "FLOAT"}),
        "extensible": ("wav", {"format": "WAVEX", "subtype": "PCM_24"}),
        "aiff": ("aiff", {"subtype": "PCM_16"}),
        "aifc": ("aifc", {"format": "AIFF", "subtype": "FLOAT"}),
        "flac": ("flac", {}),
        "vorbis": ("ogg", {}),
        "mp3": ("mp3", {}),
    }
    files = {
        kind: write(folder / f"{kind}.{ending}", sound * (0.5 + 0.04 * number), **options)
        for number, (kind, (ending, options)) in enumerate(libsndfile.items())
    }
    opus = tone(220, 0.2, 48_000)
    files["opus"] = write(folder / "opus.opus", opus, 48_000, format="OGG", subtype="OPUS")
    files["high rate"] = write(folder / "high rate.wav", tone(rate=384_000), 384_000)
    files["one sample"] = write(folder / "one sample.wav", np.array([0.5]))
    files["silent"] = write(folder / "silent.wav", np.zeros(RATE // 4))
    files["not numbers"] = write(folder / "nan.wav", np.full(RATE, np.nan), subtype="FLOAT")
    files["infinite"] = write(folder / "inf.wav", np.full(RATE // 2, np.inf), subtype="FLOAT")
    files["m4a"] = write_m4a(folder / "m4a.m4a")
    files["wrongly named"] = folder / "wrongly named.mp3"
    files["wrongly named"].write_bytes(wav(523))
    files["cut off"] = folder / "cut off.wav"
    files["cut off"].write_bytes(wav(300, 1.0)[:9000])
    return files


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Write files that must be rejected; return paths and parts of the message by kind."""
    whole = write(folder / "whole.flac", tone(seconds=1.0))
    flac = whole.read_bytes()
    whole.unlink()
    contents: dict[str, tuple[bytes, str]] = {
        "empty": (b"", "empty"),
        "zeros": (bytes(5000), "zero bytes"),
        "text": (b"This is a shopping list.\n" * 50, "not a sound file"),
        "page": (b"<html><script>alert(1)</script>", "not a sound file"),
        "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "not a sound file"),
        "playlist": (b"#EXTM3U\nhttp://127.0.0.1/secret\n", "not a sound file"),
        "no channels": (riff(0, 44_100, bytes(1000)), "no channels"),
        "20 channels": (riff(20, 44_100, bytes(4000)), "20 channels"),
        "no rate": (riff(1, 0, bytes(1000)), ""),
        "too fast": (riff(1, 4_000_000, bytes(1000)), "sample rate"),
        "no frames": (riff(1, 44_100, b""), "no sound"),
        "head of wav": (wav()[:30], "damaged"),
        "head of flac": (flac[:60], ""),
        "noise in ogg": (b"OggS" + bytes(range(256)) * 8, "damaged"),
        "noise in m4a": (b"\0\0\0 ftypM4A " + bytes(range(256)) * 8, "damaged"),
    }
    found: dict[str, tuple[Path, str]] = {}
    for kind, (content, reason) in contents.items():
        path = folder / f"{kind}.wav"
        path.write_bytes(content)
        found[kind] = path, reason
    return found


Keep = Callable[..., uuid.UUID]
