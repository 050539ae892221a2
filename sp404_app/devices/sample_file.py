"""What the header of a device's sample file says about its audio."""

from dataclasses import dataclass
from typing import Literal

from sp404_app.devices.device_pad import BYTES_PER_SAMPLE, HEADER_BYTES
from sp404_app.devices.errors import InvalidDeviceFile


@dataclass(frozen=True, slots=True)
class SampleFile:
    """Where the PCM of a sample file lies: signed 16 bit, interleaved, at `rate` Hz.

    `pcm_bytes` are whole frames; bytes after them belong to no frame.
    """

    channels: int
    rate: int
    byte_order: Literal["big", "little"]
    pcm_bytes: int
    pcm_offset: int = HEADER_BYTES

    @property
    def frames(self) -> int:
        """Return the number of frames."""
        return self.pcm_bytes // (BYTES_PER_SAMPLE * self.channels)


def whole_frames(size: int, channels: int) -> int:
    """Return the bytes of the whole frames in `size` bytes."""
    return size - size % (BYTES_PER_SAMPLE * channels)


def check_format(channels: int, rate: int, bits: int, device_rate: int) -> None:
    """Check the format of a sample file.

    Raises:
        InvalidDeviceFile: If the device cannot have written it.
    """
    if rate != device_rate:
        raise InvalidDeviceFile(f"This sample is at {rate} Hz; the device writes {device_rate} Hz.")
    if bits != 8 * BYTES_PER_SAMPLE:
        raise InvalidDeviceFile(f"This sample has {bits} bits; the device writes 16 bits.")
    if channels not in (1, 2):
        raise InvalidDeviceFile(f"This sample has {channels} channels; the device writes 1 or 2.")


def check_length(declared: int, actual: int) -> None:
    """Compare the length of the file that its header declares with the actual one, in bytes.

    Raises:
        InvalidDeviceFile: If the file is shorter.
    """
    if declared > actual:
        missing = declared - actual
        raise InvalidDeviceFile(f"This sample is cut off: {missing} bytes are missing.")
