"""Write a sound file again as WAV or FLAC: its rate, its channels and its bit depth stay.

16-bit and 24-bit samples keep their values. 32-bit integers and 64-bit floats become 32-bit floats
in WAV, and 24 bits in FLAC. Lossy formats have no depth: they become 16 bits, dithered.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from sp404_app.audio.io.decode import open_audio
from sp404_app.audio.render.pcm_writer import Dither
from sp404_app.audio.render.wav_writer import STEPS_24, Depth, WavTooLong, WavWriter
from sp404_app.errors import ValidationFailed

Frames = npt.NDArray[np.float32]
Report = Callable[[float], None]

STEPS_16: Final = 1 << 15
# The depth that the name of a format states. ADPCM and other formats state none.
STATED_DEPTHS: Final = {
    "8-bit": Depth.INT16,
    "16-bit": Depth.INT16,
    "u-law": Depth.INT16,
    "a-law": Depth.INT16,
    "24-bit": Depth.INT24,
    "32-bit": Depth.FLOAT32,
    "32-bit float": Depth.FLOAT32,
    "64-bit float": Depth.FLOAT32,
}
MAX_FLAC_CHANNELS: Final = 8
COPY_FRAMES: Final = 1 << 14
TOO_LONG: Final = "This sound is too long for the format: a WAV file holds at most 4 GB."


def encode_wav(source: Path, target: Path, seed: bytes, progress: Report) -> None:
    """Write a sound as WAV; `seed` determines the dither of lossy formats.

    `progress` is called with 0..1, and stops the work by raising.

    Raises:
        BadAudio: If the file cannot be decoded.
        ValidationFailed: If the result would have 4 GB or more.
    """
    _write_wav(source, target, seed, progress, Depth.FLOAT32)


def encode_flac(source: Path, target: Path, seed: bytes, progress: Report) -> None:
    """Write a sound as FLAC of 16 or 24 bits, as `encode_wav` does.

    Raises:
        BadAudio: If the file cannot be decoded.
        ValidationFailed: If it has more than 8 channels, or 4 GB or more of samples.
    """
    with open_audio(source) as (header, _):
        if header.channels > MAX_FLAC_CHANNELS:
            raise ValidationFailed(
                f"FLAC holds at most {MAX_FLAC_CHANNELS} channels, and this sound has "
                f"{header.channels}. Choose WAV."
            )
    samples = target.with_suffix(".samples.wav")
    try:
        _write_wav(source, samples, seed, lambda share: progress(share / 2), Depth.INT24)
        _compress(samples, target, lambda share: progress((1 + share) / 2))
    finally:
        samples.unlink(missing_ok=True)


def kept_depth(path: Path) -> Depth | None:
    """Return the depth in which a file's samples keep their values, or None for a lossy file."""
    with open_audio(path) as (header, blocks):
        _, _, encoding = header.format.partition(" ")
        if encoding in STATED_DEPTHS:
            return STATED_DEPTHS[encoding]
        return _depth_of_samples(blocks)


def _depth_of_samples(blocks: Iterator[Frames]) -> Depth | None:
    depth = Depth.INT16
    for block in blocks:
        if depth is Depth.INT16 and not _is_on_grid(block, STEPS_16):
            depth = Depth.INT24
        if depth is Depth.INT24 and not _is_on_grid(block, STEPS_24):
            return None
    return depth


def _is_on_grid(block: Frames, steps: int) -> bool:
    scaled = block.astype(np.float64) * steps
    return bool(np.array_equal(np.rint(scaled), scaled))


def _write_wav(source: Path, target: Path, seed: bytes, progress: Report, most: Depth) -> None:
    depth = kept_depth(source)
    dither = Dither(seed) if depth is None else None
    depth = Depth.INT16 if depth is None else min(depth, most)
    with (
        open_audio(source) as (header, blocks),
        WavWriter(target, header.channels, header.sample_rate, depth) as writer,
    ):
        written = 0
        for block in blocks:
            try:
                writer.feed(_dithered(block, dither) if dither else block)
            except WavTooLong as error:
                raise ValidationFailed(TOO_LONG) from error
            written += len(block)
            progress(min(1.0, written / max(1, header.frames)))


def _dithered(block: Frames, dither: Dither) -> Frames:
    """Add noise of one step to the samples that are not 16-bit values."""
    steps = block.astype(np.float64) * STEPS_16
    off_grid = np.rint(steps) != steps
    return ((np.rint(steps + dither.noise(steps.shape) * off_grid)) / STEPS_16).astype(np.float32)


def _compress(source: Path, target: Path, progress: Report) -> None:
    """Write a WAV file of 16 or 24 bits as FLAC."""
    with (
        soundfile.SoundFile(source) as samples,
        soundfile.SoundFile(
            target,
            "w",
            samplerate=samples.samplerate,
            channels=samples.channels,
            format="FLAC",
            subtype=samples.subtype,
        ) as sound,
    ):
        while len(block := samples.read(COPY_FRAMES, "int32", always_2d=True)):
            sound.write(block)
            progress(min(1.0, samples.tell() / max(1, samples.frames)))
