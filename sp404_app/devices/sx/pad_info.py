"""PAD_INFO.BIN: the settings of the 120 pads of a SP-404SX or SP-404A, as raw bytes.

120 records of 32 bytes from A1 to J12, see `pads`. Proven by a file of a device.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sp404_app.devices.capabilities import SX
from sp404_app.devices.errors import InvalidDeviceFile

RECORD_BYTES = 32
PADS = SX.pad_count
FILE_BYTES = PADS * RECORD_BYTES
MAX_TRAILING_BYTES = 65_536  # they are kept, so they need a bound
EMPTY_RECORD = bytes.fromhex("00000200" * 4 + "7F000001" + "00010200" + "000004B0" * 2)


@dataclass(frozen=True, slots=True)
class PadInfo:
    """The bytes of PAD_INFO.BIN in their parts; `records` has 120, from A1 to J12."""

    records: tuple[bytes, ...] = (EMPTY_RECORD,) * PADS
    trailing: bytes = b""


def decode_pad_info(data: bytes) -> PadInfo:
    """Split PAD_INFO.BIN into its records. Nothing is interpreted, everything is kept.

    Raises:
        InvalidDeviceFile: If it is too short or too long. The format has nothing else to check.
    """
    if len(data) < FILE_BYTES:
        missing = FILE_BYTES - len(data)
        raise InvalidDeviceFile(f"This PAD_INFO.BIN is cut off: {missing} bytes are missing.")
    if len(data) > FILE_BYTES + MAX_TRAILING_BYTES:
        raise InvalidDeviceFile("This PAD_INFO.BIN is too long.")
    starts = range(0, FILE_BYTES, RECORD_BYTES)
    records = tuple(data[start : start + RECORD_BYTES] for start in starts)
    return PadInfo(records, data[FILE_BYTES:])


def encode_pad_info(pad_info: PadInfo) -> bytes:
    """Join the records of PAD_INFO.BIN; `decode_pad_info` gives them back."""
    return b"".join([*pad_info.records, pad_info.trailing])


def replace_records(pad_info: PadInfo, changed: Mapping[int, bytes]) -> PadInfo:
    """Return other records for the pads of these indexes, 0 (A1) to 119 (J12)."""
    records = tuple(changed.get(index, raw) for index, raw in enumerate(pad_info.records))
    return replace(pad_info, records=records)
