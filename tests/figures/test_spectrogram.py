"""Heat map figures: size, position and ticks."""

import json

import numpy as np
import pytest

from sp404_app.audio.picture import SHOWN_COLUMNS, Picture, View
from sp404_app.figures.palette import DARK
from sp404_app.figures.spectrogram import axis_ticks, format_tick, heat_map_figure


def picture(view: View, *, start: float = 0.0, end: float = 2.0) -> Picture:
    count = {View.SPECTRUM: 128, View.PULSE: 96, View.NOTES: 12}[view]
    rows = {
        View.SPECTRUM: np.geomspace(40, 18_000, count),
        View.PULSE: np.geomspace(40, 240, count),
        View.NOTES: np.arange(12),
    }[view]
    rng = np.random.default_rng(404)
    pixels = rng.integers(0, 256, (count, SHOWN_COLUMNS), dtype=np.uint8)
    return Picture(view, start, end, rows.astype(np.float32), pixels)


@pytest.mark.parametrize("view", list(View))
def test_the_largest_picture_stays_below_110_kb(view: View) -> None:
    figure = heat_map_figure(picture(view), DARK, duration=2.0, revision="one")
    assert len(json.dumps(json.loads(figure.to_json()))) <= 110_000  # as Reflex sends it
    assert figure.data[0].z.dtype == np.uint8


def test_a_picture_of_a_part_is_placed_at_its_time_range() -> None:
    shown = heat_map_figure(
        picture(View.SPECTRUM, start=10.0, end=20.24), DARK, duration=60.0, revision="one"
    )
    heat = shown.data[0]
    assert heat.dx == pytest.approx(0.02)
    assert heat.x0 == pytest.approx(10.01)
    assert tuple(shown.layout.xaxis.range) == (0, 60.0)


def test_frequency_ticks_lie_at_their_rows() -> None:
    drawn = picture(View.SPECTRUM)
    marks = dict(zip(axis_ticks(drawn)["ticktext"], axis_ticks(drawn)["tickvals"], strict=True))
    assert next(iter(marks)) == "100 Hz"
    assert list(marks)[-1] == "10 kHz"
    assert drawn.rows[round(marks["1 kHz"])] == pytest.approx(1000, rel=0.05)


def test_a_low_sample_rate_has_no_ticks_above_its_highest_band() -> None:
    rows = np.linspace(30, 3900, 128, dtype=np.float32)
    drawn = Picture(View.SPECTRUM, 0, 1, rows, np.zeros((128, 4), np.uint8))
    assert axis_ticks(drawn)["ticktext"][-1] == "2 kHz"


def test_all_twelve_notes_are_named_from_c() -> None:
    names = axis_ticks(picture(View.NOTES))["ticktext"]
    assert (len(names), names[0], names[9]) == (12, "C", "A")


@pytest.mark.parametrize(
    ("value", "view", "text"),
    [(200, View.SPECTRUM, "200 Hz"), (5000, View.SPECTRUM, "5 kHz"), (90, View.PULSE, "90 BPM")],
)
def test_ticks_are_formatted_with_their_unit(value: float, view: View, text: str) -> None:
    assert format_tick(value, view) == text
