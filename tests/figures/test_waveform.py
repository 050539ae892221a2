"""Waveform figures: size, position, scale and marks."""

import json

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import pytest

from sp404_app.figures.palette import DARK, LIGHT, palette_of_theme
from sp404_app.figures.waveform import (
    MAX_LINES,
    Marks,
    WaveformEnvelope,
    marks_within,
    number_bars,
    waveform_figure,
)

UNMARKED = Marks()
LOW, HIGH, ONSETS, BEATS, BARS, NUMBERS = range(6)


def envelope(
    count: int = 700, *, start: float = 0.0, end: float = 8.0, duration: float = 8.0
) -> WaveformEnvelope:
    rng = np.random.default_rng(404)
    high = rng.uniform(0, 1, count).astype(np.float32)
    return WaveformEnvelope(start, end, duration, np.stack([-high, high], axis=1))


def drawn(shown: WaveformEnvelope, marks: Marks = UNMARKED, top: float = 1.0) -> go.Figure:
    return waveform_figure(shown, marks, DARK, top=top, revision="one")


def upright(figure: go.Figure, trace: int) -> list[float]:
    """Return the positions of a trace's vertical lines."""
    return np.asarray(figure.data[trace].x, np.float64)[::3].round(4).tolist()


def test_a_full_screen_with_all_marks_stays_below_20_kb() -> None:
    marks = np.linspace(0, 8, MAX_LINES).tolist()
    figure = drawn(envelope(980), Marks(marks, 0, marks))
    sent = json.dumps(json.loads(figure.to_json()))  # as Reflex sends it
    assert 15_000 < len(sent) <= 20_000


def test_the_waveform_is_placed_at_its_time_range() -> None:
    figure = drawn(envelope(100, start=2.0, end=4.0))
    for trace in figure.data[:2]:
        assert trace.x0 == pytest.approx(2.01)
        assert trace.dx == pytest.approx(0.02)
        assert len(trace.y) == 100
        assert trace.y.dtype == np.float32
    points = envelope(100).points
    np.testing.assert_allclose(figure.data[LOW].y, points[:, 0], atol=1e-5)
    np.testing.assert_allclose(figure.data[HIGH].y, points[:, 1], atol=1e-5)
    assert figure.data[HIGH].fill == "tonexty"


@pytest.mark.parametrize("top", [1.0, 0.05, 1.8])
def test_quiet_and_loud_sounds_fill_the_height(top: float) -> None:
    low, high = drawn(envelope(), top=top).layout.yaxis.range
    assert high == -low
    assert top < high < 1.1 * top


def test_silence_is_not_scaled_up() -> None:
    silent = WaveformEnvelope(0, 1, 1, np.zeros((10, 2), np.float32))
    assert drawn(silent, top=0.0).layout.yaxis.range[1] == pytest.approx(1e-3, rel=0.1)


def test_the_axis_range_is_always_the_whole_sample() -> None:
    zoomed = drawn(envelope(start=2.0, end=2.01))
    assert tuple(zoomed.layout.xaxis.range) == (0, 8.0)
    assert zoomed.layout.uirevision == "one"


def test_every_fourth_beat_from_the_first_downbeat_is_strong() -> None:
    beats = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    figure = drawn(envelope(), Marks(beats, downbeat=1))
    assert upright(figure, BARS) == [0.5, 2.5]
    assert upright(figure, BEATS) == [0.0, 1.0, 1.5, 2.0, 3.0]
    strong, weak = figure.data[BARS].line, figure.data[BEATS].line
    assert strong.width > weak.width
    assert strong.color != weak.color


def test_bar_numbers_count_from_the_first_bar_of_the_sample() -> None:
    marks = Marks(np.arange(0, 8, 0.5).tolist(), downbeat=0)
    assert number_bars(marks, 3.9, 6.5) == [(4.0, 3), (6.0, 4)]
    figure = drawn(envelope(start=3.9, end=6.5), marks)
    assert list(figure.data[NUMBERS].text) == ["3", "4"]
    assert max(figure.data[NUMBERS].y) < figure.layout.yaxis.range[1]


def test_long_stretches_have_at_most_forty_bar_numbers() -> None:
    marks = Marks(np.arange(0, 600, 0.5).tolist(), 0)
    text = drawn(envelope(end=600, duration=600), marks).data[NUMBERS].text
    assert 10 <= len(text) <= 40
    assert text[0] == "1"


def test_marks_outside_the_stretch_are_not_sent() -> None:
    shown = marks_within(Marks([0.0, 1.0, 2.0, 3.0, 4.0], 0, [0.2, 2.2]), 1.5, 3.5)
    assert (shown.beats, shown.onsets) == ([2.0, 3.0], [2.2])
    assert shown.downbeat == 2  # the beat at 4.0, the third from here, begins the next bar


@pytest.mark.parametrize(
    ("count", "expected"),
    [(MAX_LINES, MAX_LINES), (4 * MAX_LINES, MAX_LINES), (4 * MAX_LINES + 4, 0)],
)
def test_too_many_beats_are_reduced_to_bars_and_then_to_none(count: int, expected: int) -> None:
    beats = np.linspace(0, 100, count).tolist()
    assert len(marks_within(Marks(beats), 0, 100).beats) == expected


def test_too_many_onsets_are_left_out() -> None:
    assert marks_within(Marks(onsets=np.linspace(0, 1, MAX_LINES + 1).tolist()), 0, 1).onsets == []


def test_lines_are_separated_by_nan() -> None:
    y: npt.NDArray[np.float32] = drawn(envelope(), Marks([1.0, 2.0])).data[BEATS].y
    assert np.isnan(y[2::3]).all()
    assert np.isfinite(y[::3]).all()


def test_an_empty_sample_can_be_drawn() -> None:
    nothing = WaveformEnvelope(0, 0, 0, np.zeros((0, 2), np.float32))
    assert json.loads(drawn(nothing).to_json())["data"]


def test_the_light_theme_has_its_own_palette_and_unknown_themes_are_dark() -> None:
    assert palette_of_theme("light") is LIGHT
    assert palette_of_theme("dark") is palette_of_theme("<script>") is DARK
    bright = waveform_figure(envelope(), Marks(), LIGHT, top=1, revision="one")
    assert bright.data[HIGH].fillcolor != drawn(envelope()).data[HIGH].fillcolor
