"""AIFF files that a SP-404SX wrote while it recorded: 512 bytes of header, then big-endian PCM.

| offset | bytes | content |
|---|---|---|
| 0 | 12 | `FORM`, file size − 8, `AIFF` |
| 12 | 26 | `COMM`, 18, channels (at 20), frames (22), bits (26), rate of 80 bits (28) |
| 38 | 8 | `APPL`, 450 |
| 46 | 12 | `RLND`, `roifspsx` |
| 58 | 4 | 4 |
| 62 | 4 | index of the pad, 0 (A1) to 119 (J12) |
| 66 | 430 | zeros |
| 496 | 16 | `SSND`, bytes of PCM + 8, two zero words |

Known from two descriptions. Such a file is given back as it came, with another index at most.
"""

import math
from struct import pack_into, unpack_from

from sp404_app.devices.capabilities import SX
from sp404_app.devices.device_pad import HEADER_BYTES
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sample_file import SampleFile, check_format, check_length, whole_frames

COMM_OFFSET, SSND_OFFSET, INDEX_OFFSET = 12, 496, 62


def parse_aiff_header(header: bytes, file_size: int) -> SampleFile:
    """Return what the first 512 bytes of an AIFF file of `file_size` bytes say.

    Raises:
        InvalidDeviceFile: If it is not an AIFF file as the device writes it, or if it is cut off.
    """
    if header[:4] != b"FORM" or header[8:12] != b"AIFF" or len(header) < HEADER_BYTES:
        raise InvalidDeviceFile("This is not an AIFF file of a SP-404SX.")
    name, size, data_offset, _ = unpack_from(">4sIII", header, SSND_OFFSET)
    if header[COMM_OFFSET : COMM_OFFSET + 4] != b"COMM" or name != b"SSND" or data_offset:
        raise InvalidDeviceFile("This AIFF file is not laid out as a SP-404SX does it.")
    channels, frames, bits, exponent, mantissa = unpack_from(">HIHHQ", header, COMM_OFFSET + 8)
    check_format(channels, _extended_to_rate(exponent, mantissa), bits, SX.rate)
    pcm_bytes = 2 * channels * frames
    if pcm_bytes + 8 > size:
        raise InvalidDeviceFile("The header of this AIFF file is damaged.")
    check_length(HEADER_BYTES + pcm_bytes, file_size)
    return SampleFile(channels, SX.rate, "big", whole_frames(pcm_bytes, channels))


def declared_pcm_bytes(header: bytes) -> int:
    """Return the bytes of audio that a header declares, with those after the last frame."""
    return int(unpack_from(">I", header, SSND_OFFSET + 4)[0]) - 8


def read_aiff_index(header: bytes) -> int:
    """Return the pad's index in a header."""
    return unpack_from(">I", header, INDEX_OFFSET)[0]


def change_aiff_index(header: bytes, index: int) -> bytes:
    """Return the header for another pad."""
    changed = bytearray(header)
    pack_into(">I", changed, INDEX_OFFSET, index)
    return bytes(changed)


def _extended_to_rate(exponent: int, mantissa: int) -> int:
    """Return a number of 80 bits as whole Hz; 0 if it is negative or far above any rate."""
    if exponent > 0x3FFF + 31:
        return 0
    return math.floor(math.ldexp(mantissa, exponent - 0x3FFF - 63))
