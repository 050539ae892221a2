"""Frames that are written once in order and read at random: in memory, or in a temporary file."""

import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]

MEMORY_BYTES: Final = 8 << 20  # 22 s of stereo at 48 kHz; more goes to a file


class FrameStore:
    """Stores float32 frames of shape (frames, channels); a large store is a file in `folder`."""

    def __init__(self, channels: int, folder: Path) -> None:
        self.channels, self.folder = channels, folder
        self.frames = 0
        self.memory = np.empty((MEMORY_BYTES // (4 * channels), channels), np.float32)
        self.file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the file; nothing can be read afterwards."""
        self.memory = self.memory[:0].copy()
        if self.file is not None:
            self.file.close()

    def append(self, block: Frames) -> None:
        """Add frames at the end."""
        if self.file is None and self.frames + len(block) > len(self.memory):
            self.move_to_file()
        self.put(self.frames, block)
        self.frames += len(block)

    def replace_tail(self, block: Frames) -> None:
        """Overwrite the last `len(block)` frames."""
        self.put(self.frames - len(block), block)

    def put(self, at: int, block: Frames) -> None:
        """Write frames at a position."""
        if self.file is None:
            self.memory[at : at + len(block)] = block
        else:
            self.file.seek(at * 4 * self.channels)
            self.file.write(np.ascontiguousarray(block, np.float32).data)

    def move_to_file(self) -> None:
        """Move what is in memory to a new file, which is deleted when it is closed."""
        file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115  `close` closes it
        self.file = cast("BinaryIO", file)
        self.file.write(self.memory[: self.frames].data)
        self.memory = self.memory[:0].copy()

    def read(self, start: int, count: int) -> Frames:
        """Return up to `count` frames from `start`; fewer at the end."""
        count = max(0, min(count, self.frames - start))
        if self.file is None:
            return self.memory[start : start + count]
        block = np.empty((count, self.channels), np.float32)
        if count:
            self.file.seek(start * 4 * self.channels)
            self.file.readinto(block.data.cast("B"))  # type: ignore[attr-defined]
        return block
