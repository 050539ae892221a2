"""A read-only file made of byte strings and slices of another file, without copying."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class FileSlice:
    """The bytes `start` to `end` (exclusive) of a file."""

    file: BinaryIO
    start: int
    end: int

    def __len__(self) -> int:
        return max(0, self.end - self.start)

    def read(self, at: int, size: int) -> bytes:
        """Return up to `size` bytes at offset `at`, not beyond the end."""
        left = len(self) - at
        if at < 0 or left <= 0:
            return b""
        self.file.seek(self.start + at)
        return self.file.read(min(size, left))


class ConcatenatedFile(io.RawIOBase):
    """Byte strings and file slices, concatenated to one seekable file."""

    def __init__(self, parts: Sequence[bytes | FileSlice]) -> None:
        super().__init__()
        self.parts = parts
        self.size = sum(map(len, parts))
        self.at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position; negative positions become 0."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(0, base + offset)
        return self.at

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer; read less only at the end of the file."""
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and (piece := self.read_part(len(view) - done)):
            view[done : done + len(piece)] = piece
            done += len(piece)
            self.at += len(piece)
        return done

    def read_part(self, size: int) -> bytes:
        """Return up to `size` bytes of the part at the position; none at the end."""
        at = self.at
        for part in self.parts:
            if at < len(part):
                return part.read(at, size) if isinstance(part, FileSlice) else part[at : at + size]
            at -= len(part)
        return b""
