"""WAV files of a SP-404SX card: a header of 512 bytes, then little-endian PCM.

| offset | bytes | content |
|---|---|---|
| 0 | 12 | `RIFF`, file size − 8, `WAVE` |
| 12 | 26 | `fmt `, 18, format 1, channels, 44100, bytes per second and frame, 16, 0 |
| 38 | 8 | `RLND`, 458 |
| 46 | 8 | `roifspsx` |
| 54 | 4 | 4 |
| 58 | 4 | index of the pad, 0 (A1) to 119 (J12) |
| 62 | 442 | zeros |
| 504 | 8 | `data`, bytes of PCM |

Proven by files of Roland's converter, rebuilt byte for byte. Files of other programs have their PCM
at 512 with a `fmt ` chunk of 16 bytes; those are read, too.
"""

from struct import pack, pack_into, unpack_from

from sp404_app.devices.capabilities import SX
from sp404_app.devices.device_pad import HEADER_BYTES, MAX_FILE_BYTES, offset_of_frame
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.sample_file import SampleFile, check_format, check_length, whole_frames

PCM_FORMAT = 1
FORMAT_BYTES = 18
ROLAND_MARK = b"roifspsx"
INDEX_OFFSET = 58


def parse_wave_header(header: bytes, file_size: int) -> SampleFile:
    """Return what the first 512 bytes of a WAV file of `file_size` bytes say.

    Raises:
        InvalidDeviceFile: If it is no WAV file whose PCM begins at 512 in the device's format, or
            if it is cut off.
    """
    if header[:4] != b"RIFF" or header[8:12] != b"WAVE" or len(header) < HEADER_BYTES:
        raise InvalidDeviceFile("This is not a WAV file of a SP-404SX.")
    chunks = _find_chunks(header)
    if chunks.get(b"data") != HEADER_BYTES or b"fmt " not in chunks:
        raise InvalidDeviceFile("The audio of this WAV file does not begin where a SP-404SX reads.")
    place = chunks[b"fmt "]
    tag, channels, rate, _, _, bits = unpack_from("<HHIIHH", header, place)
    if tag != PCM_FORMAT:
        raise InvalidDeviceFile("This WAV file does not hold plain PCM.")
    check_format(channels, rate, bits, SX.rate)
    (pcm_bytes,) = unpack_from("<I", header, HEADER_BYTES - 4)
    check_length(HEADER_BYTES + pcm_bytes, file_size)
    return SampleFile(channels, rate, "little", whole_frames(pcm_bytes, channels))


def build_wave_header(index: int, channels: int, frames: int) -> bytes:
    """Return the 512 bytes before `frames` frames of PCM, for the pad of an index from 0 to 119.

    Raises:
        InvalidDeviceFile: If the sample is too long for the format.
    """
    file_size = offset_of_frame(frames, channels)
    if file_size > MAX_FILE_BYTES:
        raise InvalidDeviceFile("This sample is too long for the format of the device.")
    frame_bytes = 2 * channels
    per_second = SX.rate * frame_bytes
    chunks = [
        pack("<4sI4s", b"RIFF", file_size - 8, b"WAVE"),
        pack("<4sI", b"fmt ", FORMAT_BYTES),
        pack("<HHIIHHH", PCM_FORMAT, channels, SX.rate, per_second, frame_bytes, 16, 0),
        pack("<4sI8sII442x", b"RLND", 458, ROLAND_MARK, 4, index),
        pack("<4sI", b"data", file_size - HEADER_BYTES),
    ]
    return b"".join(chunks)


def read_wave_index(header: bytes) -> int | None:
    """Return the pad's index in a header of Roland, or None in one of another program."""
    if header[46:54] != ROLAND_MARK:
        return None
    return unpack_from("<I", header, INDEX_OFFSET)[0]


def change_wave_index(header: bytes, index: int) -> bytes:
    """Return the header for another pad; a header of another program stays as it is."""
    if read_wave_index(header) is None:
        return header
    changed = bytearray(header)
    pack_into("<I", changed, INDEX_OFFSET, index)
    return bytes(changed)


def _find_chunks(header: bytes) -> dict[bytes, int]:
    """Return where the content of each chunk begins, up to 512."""
    chunks: dict[bytes, int] = {}
    place = 12
    while place + 8 <= HEADER_BYTES:
        name, size = unpack_from("<4sI", header, place)
        chunks.setdefault(name, place + 8)
        place += 8 + size + size % 2
    return chunks
