"""Write a ZIP archive whose bytes depend on its files only: stored, fixed times, given order.

Unlike `zipfile`, it can leave room for a file whose size is known before its content. The layout
is that of APPNOTE.TXT 6.3.10; ZIP64 fields are written where an offset needs them.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

DOS_DATE: Final = 1 << 5 | 1  # 1 January 1980, at midnight
VERSION, ZIP64_VERSION = 20, 45
MADE_ON_UNIX: Final = 3 << 8
REGULAR_FILE: Final = 0o100644 << 16
MAX_32_BIT: Final = 0xFFFFFFFF
MAX_ENTRIES: Final = 0xFFFF
LOCAL_HEADER: Final = struct.Struct("<4sHHHHHIIIHH")
CENTRAL_HEADER: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
CHECKS: Final = struct.Struct("<III")  # CRC and both sizes, at 14 in a local header
CHECKS_OFFSET: Final = 14


@dataclass(slots=True)
class Entry:
    """A file of the archive: its name, and where its header and content begin."""

    name: bytes
    header_at: int
    content_at: int
    size: int = 0
    crc: int = 0


class ZipWriter:
    """Writes entries to a seekable file, one after the other; `finish` writes the directory."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.entries: dict[str, Entry] = {}
        self.end = 0

    def add(self, path: str, blocks: Iterable[bytes | memoryview]) -> None:
        """Write a file.

        Raises:
            ValueError: If the archive has it already, or it is not below 4 GiB.
        """
        entry = self._begin(path)
        for block in blocks:
            self.file.write(block)
            entry.crc = zlib.crc32(block, entry.crc)
            entry.size += len(block)
        self.end = entry.content_at + entry.size
        self._write_checks(entry)

    def reserve(self, path: str, size: int) -> None:
        """Leave room for a file of this size; `fill` writes it later."""
        entry = self._begin(path)
        entry.size = size
        self.file.write(bytes(size))
        self.end = entry.content_at + size

    def fill(self, path: str, content: bytes) -> None:
        """Write a file for which there is room.

        Raises:
            ValueError: If its size differs.
        """
        entry = self.entries[path]
        if len(content) != entry.size:
            raise ValueError(f"{path} has {len(content)} bytes, not {entry.size}")
        entry.crc = zlib.crc32(content)
        self.file.seek(entry.content_at)
        self.file.write(content)
        self._write_checks(entry)

    def finish(self) -> int:
        """Write the directory; return the size of the archive."""
        begin = self.end
        for entry in self.entries.values():
            self._write(_central_header(entry))
        self._write(_end_records(len(self.entries), begin, self.end - begin))
        self.file.flush()
        return self.end

    def _begin(self, path: str) -> Entry:
        if path in self.entries:
            raise ValueError(f"two files have the name {path}")
        name = path.encode("ascii")
        entry = Entry(name, self.end, self.end + LOCAL_HEADER.size + len(name))
        self.entries[path] = entry
        fields = (VERSION, 0, 0, 0, DOS_DATE, 0, 0, 0, len(name), 0)
        self._write(LOCAL_HEADER.pack(b"PK\x03\x04", *fields) + name)
        return entry

    def _write_checks(self, entry: Entry) -> None:
        if entry.size > MAX_32_BIT:
            raise ValueError(f"{entry.name.decode()} is not below 4 GiB")
        self.file.seek(entry.header_at + CHECKS_OFFSET)
        self.file.write(CHECKS.pack(entry.crc, entry.size, entry.size))
        self.file.seek(self.end)

    def _write(self, content: bytes) -> None:
        self.file.write(content)
        self.end += len(content)


def _central_header(entry: Entry) -> bytes:
    extra, offset, version = b"", entry.header_at, VERSION
    if offset >= MAX_32_BIT:
        extra, offset = struct.pack("<HHQ", 1, 8, offset), MAX_32_BIT
        version = ZIP64_VERSION
    fields = (MADE_ON_UNIX | version, version, 0, 0, 0, DOS_DATE, entry.crc, entry.size, entry.size)
    lengths = (len(entry.name), len(extra), 0, 0, 0, REGULAR_FILE, offset)
    return CENTRAL_HEADER.pack(b"PK\x01\x02", *fields, *lengths) + entry.name + extra


def _end_records(count: int, begin: int, size: int) -> bytes:
    records = b""
    if begin + size >= MAX_32_BIT or count >= MAX_ENTRIES:
        fields = (44, MADE_ON_UNIX | ZIP64_VERSION, ZIP64_VERSION, 0, 0, count, count, size, begin)
        records = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", *fields)
        records += struct.pack("<4sIQI", b"PK\x06\x07", 0, begin + size, 1)
    short = min(count, MAX_ENTRIES)
    fields = (0, 0, short, short, min(size, MAX_32_BIT), min(begin, MAX_32_BIT), 0)
    return records + struct.pack("<4sHHHHIIH", b"PK\x05\x06", *fields)
