"""Pictures: which columns a stretch is cut from, and their file format."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sp404_app.audio.picture import SHOWN_COLUMNS, Picture, View


def picture(columns: int, *, start: float = 0.0, end: float = 10.0) -> Picture:
    """Return a picture whose one row counts its columns, modulo 256."""
    pixels = (np.arange(columns) % 256).astype(np.uint8)[None]
    return Picture(View.SPECTRUM, start, end, np.array([440], np.float32), pixels)


def test_a_cut_holds_the_columns_of_its_stretch() -> None:
    cut = picture(100).cut(2.0, 5.0)
    assert (cut.start, cut.end) == (pytest.approx(2.0), pytest.approx(5.0))
    assert cut.pixels[0].tolist() == list(range(20, 50))


def test_a_cut_is_widened_to_whole_columns() -> None:
    cut = picture(100, start=20.0, end=30.0).cut(22.05, 22.31)
    assert (cut.start, cut.end) == (pytest.approx(22.0), pytest.approx(22.4))
    assert cut.pixels[0].tolist() == [20, 21, 22, 23]


def test_merged_columns_keep_their_brightest_pixel() -> None:
    drawn = picture(8192)
    drawn.pixels[:] = 0
    drawn.pixels[0, 4100] = 200
    shown = drawn.cut(0.0, 10.0).pixels
    assert shown.shape == (1, SHOWN_COLUMNS)
    assert shown.max() == 200
    assert abs(int(shown.argmax()) - 4100 * SHOWN_COLUMNS // 8192) <= 1


@given(
    st.integers(1, 9000),
    st.floats(0, 10),
    st.floats(0, 10),
    st.sampled_from([1, 7, SHOWN_COLUMNS]),
)
def test_every_cut_covers_its_stretch_with_at_least_one_column(
    count: int, start: float, end: float, columns: int
) -> None:
    start, end = sorted((start, end))
    cut = picture(count).cut(start, end, columns)
    step = 10 / count
    assert 1 <= cut.pixels.shape[1] <= columns
    assert start - step - 1e-6 <= cut.start <= start + 1e-5 * step or cut.start >= 10 - step - 1e-6
    assert cut.end >= end - 1e-5 * step


def test_a_picture_is_equal_after_writing_and_reading(tmp_path: Path) -> None:
    drawn = picture(300, start=1.25, end=3.5)
    path = tmp_path / "picture.npz"
    path.write_bytes(drawn.to_bytes())
    read = Picture.from_file(path)
    assert (read.view, read.start, read.end) == (View.SPECTRUM, 1.25, 3.5)
    assert read.rows.dtype == np.float32
    np.testing.assert_array_equal(read.rows, drawn.rows)
    np.testing.assert_array_equal(read.pixels, drawn.pixels)
    assert read.pixels.dtype == np.uint8
