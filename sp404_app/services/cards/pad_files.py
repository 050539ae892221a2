"""The audio file of a pad as its device stores it, made from the pad's render."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.render.length import minimum_frames
from sp404_app.audio.render.pcm_writer import HEADER_BYTES as WAV_HEADER_BYTES
from sp404_app.audio.render.pcm_writer import wav_header
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import smp
from sp404_app.devices.sx import aiff, wave
from sp404_app.models import PadSource
from sp404_app.services.cards.device_config import MadeAudio
from sp404_app.services.cards.export_plan import PlannedPad

BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PadAudioFile:
    """The audio of a pad: a plain WAV file, of which `made` tells the measurements."""

    path: Path
    made: MadeAudio


def read_render(path: Path, sha256: str) -> PadAudioFile | None:
    """Return a render that the store has, or None if it is not the file that was rendered."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(WAV_HEADER_BYTES)
    if len(header) < WAV_HEADER_BYTES:
        return None
    channels, rate = header[22], int.from_bytes(header[24:28], "little")
    frames = (size - WAV_HEADER_BYTES) // max(1, 2 * channels)
    if header != wav_header(frames, channels, rate) or not frames:
        return None
    return PadAudioFile(path, MadeAudio(frames, channels, sha256))


def bake_region(source: PadAudioFile, pad: PlannedPad, target: Path) -> PadAudioFile:
    """Write the region of a pad that plays, backwards if it plays so, padded to the minimum."""
    end = source.made.frames if pad.end is None else min(pad.end, source.made.frames)
    start = min(pad.start, end)
    frames = max(end - start, minimum_frames(pad.rate))
    return _write_part(source, pad, target, start, end, frames)


def cut_silence(source: PadAudioFile, pad: PlannedPad, target: Path) -> PadAudioFile:
    """Write a render without the silence that fills it up to the minimum."""
    assert pad.read_frames
    return _write_part(source, pad, target, 0, pad.read_frames, pad.read_frames)


def _write_part(
    source: PadAudioFile, pad: PlannedPad, target: Path, start: int, end: int, frames: int
) -> PadAudioFile:
    """Write the frames from `start` to `end`, then silence up to `frames`."""
    made = source.made
    width = 2 * made.channels
    sha = hashlib.sha256()
    with source.path.open("rb") as file, target.open("wb") as out:
        blocks = _region_blocks(file, start, end, width, backwards=pad.backwards)
        silence = bytes((frames - (end - start)) * width)
        for block in chain([wav_header(frames, made.channels, pad.rate)], blocks, [silence]):
            out.write(block)
            sha.update(block)
    return PadAudioFile(target, MadeAudio(frames, made.channels, sha.hexdigest()))


def _region_blocks(
    file: BinaryIO, start: int, end: int, width: int, *, backwards: bool
) -> Iterator[bytes]:
    size = BLOCK_BYTES // width
    for begin in range(start, end, size):
        first, last = begin, min(begin + size, end)
        if backwards:
            first, last = start + end - last, start + end - first
        file.seek(WAV_HEADER_BYTES + first * width)
        block = file.read((last - first) * width)
        yield _reversed_frames(block, width) if backwards else block


def _reversed_frames(block: bytes, width: int) -> bytes:
    frames: npt.NDArray[Any] = np.frombuffer(block, np.uint8).reshape(-1, width)
    return frames[::-1].tobytes()


def file_blocks(audio: PadAudioFile, pad: PlannedPad, source: PadSource | None) -> Iterator[bytes]:
    """Yield the bytes of a pad's file in the format of the plan.

    `source` is what the pad was read from. Its header and what follows the last frame are used
    again if the plan gives its file back.

    Raises:
        InvalidDeviceFile: If the sample is too long for the format, or an AIFF file changed.
    """
    read = source if pad.read_frames is not None else None
    is_big_endian = pad.format in ("smp", "sx_aiff")
    if pad.format != "wav":
        yield device_header(audio.made, pad, read)
    with audio.path.open("rb") as file:
        if pad.format != "wav":
            file.seek(WAV_HEADER_BYTES)
        while block := file.read(BLOCK_BYTES):
            yield np.frombuffer(block, "<i2").byteswap().tobytes() if is_big_endian else block
    if read and read.audio_tail:
        yield read.audio_tail


def device_header(made: MadeAudio, pad: PlannedPad, read: PadSource | None) -> bytes:
    """Return the 512 bytes before the audio: those of the file that is given back, or new ones."""
    if pad.format == "smp":
        return read.audio_header if read else smp.build_smp_header(made.channels, made.frames)
    if pad.format == "sx_aiff":
        if read is None:
            raise InvalidDeviceFile("This AIFF file changed.")
        return aiff.change_aiff_index(read.audio_header, pad.index)
    if read:
        return wave.change_wave_index(read.audio_header, pad.index)
    return wave.build_wave_header(pad.index, made.channels, made.frames)
