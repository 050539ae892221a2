"""ZIP archives: valid ones, and malformed ones as attackers make them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence


def zipped(
    *files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return an archive of files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content, method)
    return target.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    """Return an entry that is a symbolic link."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = 0o120777 << 16
    return entry


def by_hand(
    names: Sequence[bytes],
    content: bytes,
    *,
    flags: int = 0,
    method: int = 8,
    extra: bytes = b"",
    size: int | None = None,
    overlap: bool = False,
) -> bytes:
    """Return an archive with the same content under each name, with any values in its headers.

    With `overlap` all entries share the same compressed bytes.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush() if method == 8 else content
    shape = struct.pack("<HHHHHIII", 20, flags, method, 0, 0x21, zlib.crc32(content), len(packed),
                        len(content) if size is None else size)  # fmt: skip
    body, directory = b"", b""
    for number, name in enumerate(names):
        at = 0 if overlap else len(body)
        if number == 0 or not overlap:
            lengths = struct.pack("<HH", len(name), len(extra))
            body += b"PK\3\4" + shape + lengths + name + extra + packed
        tail = struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, 0, at)
        directory += b"PK\1\2" + struct.pack("<H", 20) + shape + tail + name + extra
    count = min(len(names), 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end
