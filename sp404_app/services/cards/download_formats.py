"""The formats in which a sample can be downloaded, and the keys of converted files."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import soundfile

from sp404_app.audio.render.edit import NO_EDIT
from sp404_app.audio.render.key import render_key
from sp404_app.devices.capabilities import MK2, SX, Device

# Increase it when a change of `audio.render.encode` or of the SX header changes any bytes.
ENCODER_VERSION: Final = 1


class DownloadFormat(StrEnum):
    """What a sample is converted to."""

    MK2 = "mk2"
    SX = "sx"
    WAV = "wav"
    FLAC = "flac"


@dataclass(frozen=True, slots=True)
class FormatDetails:
    """A format on pages, and its files; `device` is None if it is for none."""

    title: str
    hint: str
    extension: str
    media_type: str
    device: Device | None = None


FORMATS: Final = {
    DownloadFormat.MK2: FormatDetails(MK2.title, "WAV, 48 kHz, 16 bit", ".wav", "audio/wav", MK2),
    DownloadFormat.SX: FormatDetails(
        SX.title, "WAV, 44.1 kHz, 16 bit, with Roland’s header", ".WAV", "audio/wav", SX
    ),
    DownloadFormat.WAV: FormatDetails(
        "WAV", "At the original’s rate and bit depth", ".wav", "audio/wav"
    ),
    DownloadFormat.FLAC: FormatDetails(
        "FLAC", "Smaller without loss, up to 24 bit", ".flac", "audio/flac"
    ),
}


def pad_render_key(digest: str, device: Device) -> str:
    """Return the key of the render of a pad with this sound and without an edit."""
    return render_key(digest, NO_EDIT, rate=device.rate, loop=False)


def converted_key(digest: str, audio_format: str, wanted: DownloadFormat) -> str:
    """Return the SHA-256, in hex, that names the converted file of a sound.

    `digest` is the hash of the sound's samples. `audio_format` is the original's, such as
    "WAV 24-bit": it decides the bit depth where the device does not.
    """
    device = FORMATS[wanted].device
    made_from = pad_render_key(digest, device) if device else f"{digest} {audio_format}"
    encoder = f"{ENCODER_VERSION} {soundfile.__libsndfile_version__}"
    return hashlib.sha256(f"{wanted} {encoder} {made_from}".encode()).hexdigest()
