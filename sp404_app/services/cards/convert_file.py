"""Convert one sound file to a download format."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sp404_app.audio.render.edit import NO_EDIT
from sp404_app.audio.render.encode import encode_flac, encode_wav
from sp404_app.audio.render.pcm_writer import HEADER_BYTES
from sp404_app.audio.render.render import render
from sp404_app.devices.capabilities import Device, DeviceKind
from sp404_app.devices.sx.wave import build_wave_header
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Sample
from sp404_app.services.cards.download_formats import (
    FORMATS,
    DownloadFormat,
    converted_key,
    pad_render_key,
)
from sp404_app.services.infra import render_files, storage

Report = Callable[[float], None]

FIRST_PAD_INDEX: Final = 0  # in the header of the SX, which knows the pad of a file
COPY_BYTES: Final = 1 << 20


def convert_sample(
    sample: Sample, wanted: DownloadFormat, target: Path, progress: Report = lambda _: None
) -> None:
    """Write the sound of a sample to `target`, whose folder also holds temporary files.

    For a device, it has the bytes of a pad without an edit: a render that exists is taken.
    `progress` is called with 0..1, and stops the work by raising.

    Raises:
        BadAudio: If the sound cannot be decoded.
        NotFound: If its file is missing.
        ValidationFailed: If it is too long for the device or the format.
    """
    device = FORMATS[wanted].device
    check_length(sample, wanted)
    if device:
        _write_for_device(sample, device, target, progress)
        return
    seed = bytes.fromhex(converted_key(sample.digest, sample.format, wanted))
    encode = encode_flac if wanted is DownloadFormat.FLAC else encode_wav
    with storage.local_copy(sample.storage_key) as source:
        encode(source, target, seed, progress)


def check_length(sample: Sample, wanted: DownloadFormat) -> None:
    """Check that a device takes a sound of this length, as far as the length is known.

    Raises:
        ValidationFailed: If the sound is too long.
    """
    device = FORMATS[wanted].device
    if device:
        _check_frames(device, (sample.duration or 0.0) * device.rate)


def _write_for_device(sample: Sample, device: Device, target: Path, progress: Report) -> None:
    rendered = target.with_suffix(".render.wav")
    try:
        _find_or_render(sample, device, rendered, progress)
        frame_bytes, frames = _read_layout(rendered)
        _check_frames(device, frames)
        if device.kind is DeviceKind.SX:
            header = build_wave_header(FIRST_PAD_INDEX, frame_bytes // 2, frames)
            _replace_header(rendered, header, target)
        else:
            rendered.rename(target)
    finally:
        rendered.unlink(missing_ok=True)


def _find_or_render(sample: Sample, device: Device, target: Path, progress: Report) -> None:
    key = pad_render_key(sample.digest, device)
    if _copy_render(sample.user_id, key, target):
        return
    with storage.local_copy(sample.storage_key) as source:
        render(
            source,
            NO_EDIT,
            rate=device.rate,
            loop=False,
            seed=bytes.fromhex(key),
            target=target,
            progress=progress,
        )


def _copy_render(user_id: uuid.UUID, key: str, target: Path) -> bool:
    """Copy the render of a pad; return False if there is none."""
    try:
        with storage.local_copy(render_files.render_file_key(user_id, key)) as path:
            shutil.copyfile(path, target)
    except (NotFound, FileNotFoundError):
        return False
    return True


def _read_layout(rendered: Path) -> tuple[int, int]:
    """Return the bytes of a frame and the number of frames of a render."""
    with rendered.open("rb") as file:
        frame_bytes = int.from_bytes(file.read(HEADER_BYTES)[32:34], "little")
    return frame_bytes, (rendered.stat().st_size - HEADER_BYTES) // frame_bytes


def _check_frames(device: Device, frames: float) -> None:
    if frames > device.max_frames:
        minutes = device.max_frames // device.rate // 60
        raise ValidationFailed(
            f"This sound is longer than {minutes} minutes, which is the most that the "
            f"{device.title} takes."
        )


def _replace_header(source: Path, header: bytes, target: Path) -> None:
    with source.open("rb") as samples, target.open("wb") as file:
        samples.seek(HEADER_BYTES)
        file.write(header)
        shutil.copyfileobj(samples, file, COPY_BYTES)
