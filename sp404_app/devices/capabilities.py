"""What each SP-404 can hold: banks, pads, sample rate, voices, lengths and names.

Sources: Roland's reference manuals, and files saved by the devices. A value that no manual states
says so.
"""

from dataclasses import dataclass
from enum import StrEnum

BANKS = "ABCDEFGHIJ"
PAD_COLUMNS = 4


class DeviceKind(StrEnum):
    """The device that a project is made for."""

    MK2 = "mk2"
    SX = "sx"


@dataclass(frozen=True, slots=True)
class Device:
    """Limits of one device. Lengths are frames at `rate`, tempos BPM, storage bytes.

    `min_frames`: the SX refuses samples up to 100 ms. The MKII states no minimum; its smallest
    region is 1,000 frames.
    """

    kind: DeviceKind
    title: str
    rate: int
    pads_per_bank: int
    voices: int
    min_frames: int
    max_frames: int
    storage_bytes: int
    max_pad_name: int
    max_project_name: int

    @property
    def pad_count(self) -> int:
        """Return the number of pads in all banks."""
        return len(BANKS) * self.pads_per_bank


MK2 = Device(
    kind=DeviceKind.MK2,
    title="SP-404MKII",
    rate=48_000,
    pads_per_bank=16,
    voices=32,
    min_frames=1_000,
    max_frames=16 * 60 * 48_000,
    storage_bytes=16 * 10**9,
    max_pad_name=23,
    max_project_name=31,
)
SX = Device(
    kind=DeviceKind.SX,
    title="SP-404SX/A",
    rate=44_100,
    pads_per_bank=12,
    voices=12,
    min_frames=4_411,
    max_frames=180 * 60 * 44_100,
    storage_bytes=32 * 10**9,
    max_pad_name=23,
    max_project_name=31,
)
DEVICES = {device.kind: device for device in (MK2, SX)}
