"""Pictures of a sample over time: their kinds, their pixels and their file format."""

import io
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

SHOWN_COLUMNS: Final = 512  # of one figure: about 100 kB of JSON with 128 rows


class View(StrEnum):
    """What the rows of a picture stand for: frequencies, tempi or pitch classes."""

    SPECTRUM = "spectrum"
    PULSE = "pulse"
    NOTES = "notes"


@dataclass(frozen=True, slots=True)
class Picture:
    """A matrix of brightness values 0..255 over `start` to `end` seconds.

    `pixels` is uint8 (rows, columns), lowest row first. `rows` is float32 (rows,): Hz, BPM, or
    pitch classes from 0 for C.
    """

    view: View
    start: float
    end: float
    rows: npt.NDArray[np.float32]
    pixels: npt.NDArray[np.uint8]

    def cut(self, start: float, end: float, columns: int = SHOWN_COLUMNS) -> "Picture":
        """Return the part from `start` to `end` seconds in at most `columns` columns.

        The part is widened to whole columns. Where columns are merged, the brightest pixel stays.
        """
        count = self.pixels.shape[1]
        step = (self.end - self.start) / count
        first = min(max(0, int((start - self.start) / step + 1e-6)), count - 1)
        last = min(max(first + 1, int(np.ceil((end - self.start) / step - 1e-6))), count)
        pixels = self.pixels[:, first:last]
        edges = np.linspace(0, last - first, min(columns, last - first) + 1)[:-1].astype(np.int64)
        return Picture(
            self.view,
            self.start + first * step,
            self.start + last * step,
            self.rows,
            np.maximum.reduceat(pixels, edges, axis=1),
        )

    def to_bytes(self) -> bytes:
        """Pack the picture as a compressed NumPy archive."""
        file = io.BytesIO()
        span = np.array([self.start, self.end])
        np.savez_compressed(file, view=self.view, span=span, rows=self.rows, pixels=self.pixels)
        return file.getvalue()

    @classmethod
    def from_file(cls, path: Path) -> "Picture":
        """Read what `to_bytes` packed."""
        with np.load(path, allow_pickle=False) as file:
            start, end = file["span"].tolist()
            return cls(View(str(file["view"])), start, end, file["rows"], file["pixels"])
