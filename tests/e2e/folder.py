"""A musician's folder: real sounds in mixed formats, and five files that are broken."""

from pathlib import Path

import av
import numpy as np
import soundfile

from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds

FORMATS = (
    ("wav", {"subtype": "PCM_16"}),
    ("wav", {"subtype": "PCM_24"}),
    ("wav", {"subtype": "FLOAT"}),
    ("wav", {"subtype": "PCM_U8"}),
    ("aiff", {}),
    ("flac", {}),
    ("ogg", {"format": "OGG", "subtype": "VORBIS"}),
    ("mp3", {"format": "MP3"}),
    ("opus", {"format": "OGG", "subtype": "OPUS"}),
    ("m4a", {}),
)
BROKEN = ("empty.wav", "letter.wav", "zeros.flac", "cut.flac", "holiday.jpg")


def make(folder: Path, count: int = 25) -> list[DemoSound]:
    """Write `count` sounds, two folders deep, and the broken ones beside them."""
    kit = folder / "Dusty Crate" / "Kit One"
    kit.mkdir(parents=True)
    sounds = list(demo_sounds())[:count]
    for index, sound in enumerate(sounds):
        ending, options = FORMATS[index % len(FORMATS)]
        path = kit / f"{sound.name}.{ending}"
        if ending == "m4a":
            _m4a(path, sound)
        elif ending == "opus":
            _halved(path, sound, options)
        else:
            soundfile.write(path, sound.signal, sound.sample_rate, **options)
    _break(kit)
    return sounds


def good(folder: Path) -> list[Path]:
    """Return the WAV files of a folder that are sounds."""
    files = sorted((folder / "Dusty Crate" / "Kit One").glob("*.wav"))
    return [path for path in files if path.name not in BROKEN]


def _halved(path: Path, sound: DemoSound, options: dict[str, str]) -> None:
    """Opus takes 48 kHz and its fractions only."""
    soundfile.write(path, sound.signal, 48_000, **options)


def _m4a(path: Path, sound: DemoSound) -> None:
    mono = sound.signal if sound.signal.ndim == 1 else sound.signal.mean(axis=1)
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=sound.sample_rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(mono[np.newaxis], dtype=np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = sound.sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def _break(folder: Path) -> None:
    contents = {
        "empty.wav": b"",
        "letter.wav": b"Dear Sir or Madam, " * 40,
        "zeros.flac": bytes(4096),
        "cut.flac": b"fLaC" + bytes(38),
        "holiday.jpg": b"\xff\xd8\xff\xe0" + bytes(400),
    }
    for name in BROKEN:
        (folder / name).write_bytes(contents[name])
