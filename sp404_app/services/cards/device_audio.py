"""The audio files of a card: what their headers say, and their PCM as a plain WAV file.

The PCM is kept bit for bit; only its byte order changes. The hash of the decoded audio is that of
`audio.io.content_hash`, so that a sound which the library has is recognised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sp404_app.audio.io.content_hash import ContentHasher
from sp404_app.audio.io.header import Header
from sp404_app.audio.io.peaks import PeaksBuilder
from sp404_app.audio.render.pcm_writer import HEADER_BYTES as WAV_HEADER_BYTES
from sp404_app.audio.render.pcm_writer import wav_header
from sp404_app.devices.capabilities import DEVICES, DeviceKind
from sp404_app.devices.device_pad import HEADER_BYTES
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import smp
from sp404_app.devices.sample_file import SampleFile
from sp404_app.devices.sx import aiff, wave
from sp404_app.errors import BadAudio
from sp404_app.services.library import samples
from sp404_app.services.library.stored_files import StoredWaveform

BLOCK_BYTES: Final = 1 << 20  # a multiple of every frame size
MAX_TAIL_BYTES: Final = 1_024
WRONG_HASH: Final = "The header’s hash is wrong; the device may refuse this file."
NO_AUDIO: Final = "This file contains no sound."


@dataclass(frozen=True, slots=True)
class CardSound:
    """An audio file of a card.

    `file` is its layout, or None if it is not as the device writes it; such a file is kept as it is
    if a decoder can read it. `size` is that of the sample that it becomes, `refusal` why the device
    may refuse the file, or "". `header` are the first bytes of the file. `waveform` is drawn before
    the analysis; None of a file that is kept as it is. `tail` are the bytes after the last frame,
    None if they are more than `MAX_TAIL_BYTES`.
    """

    file: SampleFile | None
    audio: Header
    digest: str
    size: int
    header: bytes
    refusal: str = ""
    waveform: StoredWaveform | None = None
    tail: bytes | None = None


def parse_sample_header(header: bytes, size: int, device: DeviceKind) -> SampleFile:
    """Return the layout of a sample file of `size` bytes from its first 512 bytes.

    Raises:
        InvalidDeviceFile: If the device did not write it, or if it is cut off.
    """
    if device is DeviceKind.MK2:
        return smp.parse_smp_header(header, size)
    is_aiff = header[:4] == b"FORM"
    return (aiff.parse_aiff_header if is_aiff else wave.parse_wave_header)(header, size)


def why_refused(header: bytes, size: int, device: DeviceKind) -> str:
    """Return why the device may refuse a sample file, or ""."""
    try:
        file = parse_sample_header(header, size, device)
    except InvalidDeviceFile as error:
        return str(error)
    limits = DEVICES[device]
    if file.frames > limits.max_frames:
        return f"Longer than {limits.max_frames // limits.rate // 60} minutes."
    if device is DeviceKind.MK2 and not smp.is_hash_right(header):
        return WRONG_HASH
    return ""


def inspect_sound(path: Path, device: DeviceKind) -> CardSound:
    """Read a whole audio file of a card.

    Raises:
        BadAudio: If it contains no sound, or if no decoder can read it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    try:
        found = parse_sample_header(header, size, device)
    except InvalidDeviceFile as error:
        return _inspect_foreign(path, header, str(error))
    if not found.frames:
        raise BadAudio(NO_AUDIO)
    audio = Header(
        duration=found.frames / found.rate,
        frames=found.frames,
        sample_rate=found.rate,
        channels=found.channels,
        format="WAV 16-bit",
    )
    hasher, peaks = ContentHasher(audio), PeaksBuilder(found.rate)
    for block in pcm_blocks(path, found):
        scaled = block.astype(np.float32) / np.float32(32_768)
        hasher.feed(scaled.reshape(-1, found.channels))
        peaks.feed(scaled.reshape(-1, found.channels))
    drawn = peaks.done()
    waveform = StoredWaveform(drawn.to_bytes(), drawn.thumbnail())
    stored = WAV_HEADER_BYTES + 2 * found.channels * found.frames
    return CardSound(
        found,
        audio,
        hasher.done().digest,
        stored,
        header,
        why_refused(header, size, device),
        waveform,
        read_tail(path, found),
    )


def _inspect_foreign(path: Path, header: bytes, refusal: str) -> CardSound:
    """Read a file that the device did not write. Of a damaged one, the reason is the device's."""
    try:
        incoming = samples.inspect_file(path, path.name)
    except BadAudio:
        raise BadAudio(refusal) from None
    return CardSound(None, incoming.header, incoming.digest, incoming.size, header, refusal)


def pcm_blocks(path: Path, file: SampleFile) -> Iterator[npt.NDArray[Any]]:
    """Yield the samples of a file as little-endian 16-bit integers, interleaved."""
    left = 2 * file.channels * file.frames
    order = ">i2" if file.byte_order == "big" else "<i2"
    with path.open("rb") as source:
        source.seek(file.pcm_offset)
        while left and (block := source.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield np.frombuffer(block, order).astype("<i2", copy=False)


def read_tail(path: Path, file: SampleFile) -> bytes | None:
    """Return the bytes after the last whole frame of a file; None if they are too many to keep."""
    end = file.pcm_offset + file.pcm_bytes
    if path.stat().st_size - end > MAX_TAIL_BYTES:
        return None
    with path.open("rb") as opened:
        opened.seek(end)
        return opened.read(MAX_TAIL_BYTES)


def write_sample(source: Path, sound: CardSound, target: Path) -> Path:
    """Write the sample that a file becomes, and return its path: `target`, or the file itself."""
    if sound.file is None:
        return source
    with target.open("wb") as out:
        out.write(wav_header(sound.file.frames, sound.file.channels, sound.file.rate))
        for block in pcm_blocks(source, sound.file):
            out.write(block.tobytes())
    return target
