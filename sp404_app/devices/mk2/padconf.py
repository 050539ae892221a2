"""PADCONF.BIN: the settings of a SP-404MKII project and of its 160 pads, as raw bytes.

| offset, version 3 | version 2 | bytes | content |
|---|---|---|---|
| 0x0000 | 0x0000 | 4 | `RFPD` |
| 0x0004 | 0x0004 | 4 | 0xA0: 160 pads, or where the records of version 3 begin |
| 0x0008 | 0x0008 | 4 | version, then three zeros |
| 0x000C | 0x000C | 4 | 0x7A80, the size of records and names |
| 0x0010 | 0x0010 | 112 | settings, see `project_settings` |
| 0x0080 | none | 32 | project name |
| 0x00A0 | 0x0080 | 160 × 172 | pad records, see `pads` |
| 0x6C20 | 0x6C00 | 160 × 24 | pad names |
| 0x7B20 | none | 160 × 128 | 16 chops, then 16 zeros |

Version 3 is proven by files of devices, rebuilt byte for byte. Version 2, of older firmware, is
known from two descriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from struct import pack

from sp404_app.devices.capabilities import MK2
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.names import encode_name

MAGIC = b"RFPD"
HEADER_BYTES, SETTINGS_BYTES, PROJECT_NAME_BYTES = 16, 112, 32
RECORD_BYTES, NAME_BYTES, CHOPS_BYTES = 172, 24, 128
MAX_CHOPS = 16
PADS = MK2.pad_count
VERSION_BYTES = {2: 31_488, 3: 52_000}
MAX_TRAILING_BYTES = 65_536  # they are kept, so they need a bound
HEADER_V3 = MAGIC + pack(">I4BI", 0xA0, 3, 0, 0, 0, PADS * (RECORD_BYTES + NAME_BYTES))


@dataclass(frozen=True, slots=True)
class RawPad:
    """The bytes of one pad: record (172), name (24) and chops (128, none in version 2)."""

    record: bytes
    name: bytes
    chops: bytes


@dataclass(frozen=True, slots=True)
class Padconf:
    """The bytes of PADCONF.BIN in their parts; `pads` has 160, from A1 to J16."""

    version: int
    header: bytes
    settings: bytes
    name: bytes
    pads: tuple[RawPad, ...]
    trailing: bytes = b""


def _empty_record() -> bytes:
    """Return the record that the device stores for a pad without a sample."""
    defaults = {3: 127, 4: 1, 6: 1, 9: 9000, 16: 10_000, 17: 1, 18: 64, 20: 1, 21: 2, 23: 100}
    return pack(">43I", *(defaults.get(word, 0) for word in range(43)))


def _default_settings() -> bytes:
    """Return the settings of a new project: 90 BPM everywhere, full volume.

    The words 3-5 and 7-11 hold 64 and 32 in every file seen; what they mean is unknown.
    """
    banks = [18_000] * 10
    return pack(">28I", 9000, 0, 0, 64, 64, 64, 0, *[32] * 5, *banks, *[0] * 6)


EMPTY_CHOPS = pack(">16i16I", *[-1] * MAX_CHOPS, *[0] * 16)
EMPTY_PAD = RawPad(_empty_record(), b" " * 23 + b"\0", EMPTY_CHOPS)
DEFAULT_SETTINGS = _default_settings()


def create_padconf(name: str = "") -> Padconf:
    """Return a project without samples, with the settings of a new one."""
    raw_name = encode_name(name, PROJECT_NAME_BYTES)
    return Padconf(3, HEADER_V3, DEFAULT_SETTINGS, raw_name, (EMPTY_PAD,) * PADS)


def decode_padconf(data: bytes) -> Padconf:
    """Split PADCONF.BIN into its parts. Nothing is interpreted, everything is kept.

    Raises:
        InvalidDeviceFile: If it is not a PADCONF.BIN of version 2 or 3, or if it is cut off.
    """
    version = _check_header(data)
    parts = _Parts(data, HEADER_BYTES)
    settings = parts.take(SETTINGS_BYTES)
    name = parts.take(PROJECT_NAME_BYTES if version == 3 else 0)
    records = parts.take_pads(RECORD_BYTES)
    names = parts.take_pads(NAME_BYTES)
    chops = parts.take_pads(CHOPS_BYTES if version == 3 else 0)
    pads = tuple(map(RawPad, records, names, chops))
    return Padconf(version, data[:HEADER_BYTES], settings, name, pads, data[parts.position :])


def encode_padconf(padconf: Padconf) -> bytes:
    """Join the parts of PADCONF.BIN; `decode_padconf` gives them back."""
    parts = [padconf.header, padconf.settings, padconf.name]
    parts += [pad.record for pad in padconf.pads]
    parts += [pad.name for pad in padconf.pads]
    parts += [pad.chops for pad in padconf.pads]
    return b"".join([*parts, padconf.trailing])


def upgrade(padconf: Padconf, name: str = "") -> Padconf:
    """Return a project in version 3; one that is in version 2 gets a name and no chops."""
    if padconf.version == 3:
        return padconf
    pads = tuple(map(upgrade_pad, padconf.pads))
    raw_name = encode_name(name, PROJECT_NAME_BYTES)
    return Padconf(3, HEADER_V3, padconf.settings, raw_name, pads)


def upgrade_pad(raw: RawPad) -> RawPad:
    """Return the bytes of a pad in version 3."""
    return raw if raw.chops else replace(raw, chops=EMPTY_CHOPS)


def replace_pads(padconf: Padconf, changed: Mapping[int, RawPad]) -> Padconf:
    """Return a project of version 3 with other bytes for the pads of these indexes (0 to 159)."""
    padconf = upgrade(padconf)
    pads = tuple(changed.get(index, raw) for index, raw in enumerate(padconf.pads))
    return replace(padconf, pads=pads)


class _Parts:
    """Cuts consecutive parts from bytes."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position

    def take(self, size: int) -> bytes:
        self.position += size
        return self.data[self.position - size : self.position]

    def take_pads(self, size: int) -> list[bytes]:
        return [self.take(size) for _ in range(PADS)]


def _check_header(data: bytes) -> int:
    """Return the version.

    Raises:
        InvalidDeviceFile: If the file is something else, of an unknown version, cut off or long.
    """
    if data[:4] != MAGIC or len(data) < HEADER_BYTES:
        raise InvalidDeviceFile("This is not a PADCONF.BIN of a SP-404MKII.")
    version = data[8]
    if version not in VERSION_BYTES or data[9:12] != bytes(3):
        raise InvalidDeviceFile("This PADCONF.BIN has a version that is not known here.")
    if data[4:8] != HEADER_V3[4:8] or (version == 3 and data[12:16] != HEADER_V3[12:16]):
        raise InvalidDeviceFile("The header of this PADCONF.BIN is damaged.")
    missing = VERSION_BYTES[version] - len(data)
    if missing > 0:
        raise InvalidDeviceFile(f"This PADCONF.BIN is cut off: {missing} bytes are missing.")
    if -missing > MAX_TRAILING_BYTES:
        raise InvalidDeviceFile("This PADCONF.BIN is too long.")
    return version
