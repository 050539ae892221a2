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
from sp404_app.devices.device_pad import HEADER_BYTES
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import smp
from sp404_app.devices.sample_file import SampleFile
from sp404_app.devices.sx import aiff, wave
from sp404_app.services.cards.device_config import MadeAudio
from sp404_app.services.cards.export_plan import PlannedPad

BLOCK_BYTES: Final = 1 << 20
PARSERS: Final = {
    "smp": smp.parse_smp_header,
    "sx_wav": wave.parse_wave_header,
    "sx_aiff": aiff.parse_aiff_header,
}


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
    made = source.made
    end = made.frames if pad.end is None else min(pad.end, made.frames)
    start = min(pad.start, end)
    frames = max(end - start, minimum_frames(pad.rate))
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


def file_blocks(audio: PadAudioFile, pad: PlannedPad, source_header: bytes) -> Iterator[bytes]:
    """Yield the bytes of a pad's file in the format of the plan.

    `source_header` is that of the file which the pad was read from, or empty. It is used again if
    it describes the same audio.

    Raises:
        InvalidDeviceFile: If the sample is too long for the format, or an AIFF file changed.
    """
    is_big_endian = pad.format in ("smp", "sx_aiff")
    if pad.format != "wav":
        yield device_header(audio.made, pad, source_header)
    with audio.path.open("rb") as file:
        if pad.format != "wav":
            file.seek(WAV_HEADER_BYTES)
        while block := file.read(BLOCK_BYTES):
            yield np.frombuffer(block, "<i2").byteswap().tobytes() if is_big_endian else block


def device_header(made: MadeAudio, pad: PlannedPad, source_header: bytes) -> bytes:
    """Return the 512 bytes before the audio."""
    is_same = _describes(source_header, made, pad.format)
    if pad.format == "smp":
        return source_header if is_same else smp.build_smp_header(made.channels, made.frames)
    if pad.format == "sx_aiff":
        if not is_same:
            raise InvalidDeviceFile("This AIFF file changed.")
        return aiff.change_aiff_index(source_header, pad.index)
    if is_same:
        return wave.change_wave_index(source_header, pad.index)
    return wave.build_wave_header(pad.index, made.channels, made.frames)


def _describes(header: bytes, made: MadeAudio, file_format: str) -> bool:
    """Return whether a header is whole and says the channels and the length of this audio."""
    pcm_bytes = 2 * made.channels * made.frames
    try:
        found: SampleFile = PARSERS[file_format](header, HEADER_BYTES + pcm_bytes)
    except InvalidDeviceFile:
        return False
    if file_format == "smp" and not smp.is_hash_right(header):
        return False
    is_exact = _declared_bytes(header, file_format) == pcm_bytes
    return is_exact and (found.channels, found.frames) == (made.channels, made.frames)


def _declared_bytes(header: bytes, file_format: str) -> int:
    """Return the bytes of audio that a header declares, with those after the last frame."""
    if file_format == "smp":
        return int.from_bytes(header[4:8], "big") + 8 - HEADER_BYTES
    if file_format == "sx_aiff":
        return aiff.declared_pcm_bytes(header)
    return int.from_bytes(header[508:512], "little")
