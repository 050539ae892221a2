"""SMP files, the samples of a SP-404MKII: a header of 512 bytes, then big-endian PCM.

| offset | bytes | content |
|---|---|---|
| 0x00 | 4 | `RFWV` |
| 0x04 | 4 | file size − 8 |
| 0x08 | 4 | rate, 48000 |
| 0x0C | 4 | channels, 1 or 2 |
| 0x10 | 4 | bits, 16 |
| 0x14 | 12 | zeros |
| 0x20 | 16 | MD5 of the bytes 0x04 to 0x13 |
| 0x30 | 464 | filler; every device file has another one |
| 0x200 | | PCM, signed 16 bit, interleaved |

All proven by files of devices. That a device ignores the filler is known from one import.
"""

import hashlib
from struct import pack, unpack_from

from sp404_app.devices.capabilities import MK2
from sp404_app.devices.device_pad import HEADER_BYTES, MAX_FILE_BYTES, offset_of_frame
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sample_file import SampleFile, check_format, check_length, whole_frames

MAGIC = b"RFWV"
FORMAT_PLACE = slice(0x04, 0x14)
HASH_PLACE = slice(0x20, 0x30)
FILLER = hashlib.shake_256(b"SMP filler").digest(HEADER_BYTES - HASH_PLACE.stop)


def parse_smp_header(header: bytes, file_size: int) -> SampleFile:
    """Return what the first 512 bytes of an SMP file of `file_size` bytes say.

    A wrong hash is not refused, see `is_hash_right`.

    Raises:
        InvalidDeviceFile: If it is not an SMP file, or if it is cut off.
    """
    if header[:4] != MAGIC or len(header) < HEADER_BYTES:
        raise InvalidDeviceFile("This is not an SMP file of a SP-404MKII.")
    size, rate, channels, bits = unpack_from(">4I", header, 4)
    check_format(channels, rate, bits, MK2.rate)
    if size + 8 < HEADER_BYTES:
        raise InvalidDeviceFile("The header of this SMP file is damaged.")
    check_length(size + 8, file_size)
    return SampleFile(channels, rate, "big", whole_frames(size + 8 - HEADER_BYTES, channels))


def build_smp_header(channels: int, frames: int) -> bytes:
    """Return the 512 bytes before `frames` frames of PCM; the same for the same arguments.

    Raises:
        InvalidDeviceFile: If the sample is too long for the format.
    """
    file_size = offset_of_frame(frames, channels)
    if file_size > MAX_FILE_BYTES:
        raise InvalidDeviceFile("This sample is too long for the format of the device.")
    words = pack(">4I", file_size - 8, MK2.rate, channels, 16)
    return MAGIC + words + bytes(12) + _hash(words) + FILLER


def is_hash_right(header: bytes) -> bool:
    """Return whether the MD5 in a header is that of its format words."""
    return header[HASH_PLACE] == _hash(header[FORMAT_PLACE])


def _hash(words: bytes) -> bytes:
    return hashlib.md5(words, usedforsecurity=False).digest()
