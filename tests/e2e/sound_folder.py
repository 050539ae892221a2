"""A folder of sounds in mixed formats, and five broken files."""

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
BROKEN_FILES = ("empty.wav", "letter.wav", "zeros.flac", "cut.flac", "holiday.jpg")


def create_folder(folder: Path, count: int = 25) -> list[DemoSound]:
    """Write `count` sounds, two folders deep, and the broken files beside them."""
    kit = folder / "Dusty Crate" / "Kit One"
    kit.mkdir(parents=True)
    sounds = list(demo_sounds())[:count]
    for index, sound in enumerate(sounds):
        ending, options = FORMATS[index % len(FORMATS)]
        path = kit / f"{sound.name}.{ending}"
        if ending == "m4a":
            _write_m4a(path, sound)
        elif ending == "opus":
            _write_opus(path, sound, options)
        else:
            soundfile.write(path, sound.signal, sound.sample_rate, **options)
    _write_broken_files(kit)
    return sounds


def valid_wavs(folder: Path) -> list[Path]:
    """Return the valid WAV files of the folder."""
    files = sorted((folder / "Dusty Crate" / "Kit One").glob("*.wav"))
    return [path for path in files if path.name not in BROKEN_FILES]


def _write_opus(path: Path, sound: DemoSound, options: dict[str, str]) -> None:
    """Write an Opus file at 48 kHz, as Opus allows no 44.1 kHz."""
    soundfile.write(path, sound.signal, 48_000, **options)


def _write_m4a(path: Path, sound: DemoSound) -> None:
    mono = sound.signal if sound.signal.ndim == 1 else sound.signal.mean(axis=1)
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=sound.sample_rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(mono[np.newaxis], dtype=np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = sound.sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def _write_broken_files(folder: Path) -> None:
    contents = {
        "empty.wav": b"",
        "letter.wav": b"Dear Sir or Madam, " * 40,
        "zeros.flac": bytes(4096),
        "cut.flac": b"fLaC" + bytes(38),
        "holiday.jpg": b"\xff\xd8\xff\xe0" + bytes(400),
    }
    for name in BROKEN_FILES:
        (folder / name).write_bytes(contents[name])
