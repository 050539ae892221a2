"""What a device stores for a pad, a bank and a project, the same for both devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HEADER_BYTES = 512  # before the PCM of every sample file; byte offsets in pad records include it
BYTES_PER_SAMPLE = 2
MAX_FILE_BYTES = 2**32 - 1  # offsets are 32 bits wide


@dataclass(frozen=True, slots=True)
class DevicePad:
    """What a device stores for one pad that holds a sample.

    `settings` has every name of `pad_settings.SETTINGS`, with values in its ranges; what the
    device does not store has its default. Positions and `chops` are frames, `frames` is the length
    of the whole sample file. The SP-404SX stores no names and no chops.
    """

    name: str
    settings: Mapping[str, Any]
    chops: tuple[int, ...]
    channels: int
    frames: int


@dataclass(frozen=True, slots=True)
class DeviceBank:
    """What the SP-404MKII stores for a bank: tempo in BPM, volume 0-127, write protection."""

    tempo: float
    volume: int
    protect: bool


@dataclass(frozen=True, slots=True)
class DeviceProject:
    """What the SP-404MKII stores for a project; `tempo_source` is "project" or "bank"."""

    name: str
    tempo: float
    tempo_source: str
    banks: tuple[DeviceBank, ...]


def offset_of_frame(frame: int, channels: int) -> int:
    """Return the byte offset of a frame in a sample file."""
    return HEADER_BYTES + frame * BYTES_PER_SAMPLE * channels


def frame_at_offset(offset: int, channels: int) -> int:
    """Return the frame that a byte offset lies in; 0 for offsets inside the header."""
    return max(0, offset - HEADER_BYTES) // (BYTES_PER_SAMPLE * channels)
