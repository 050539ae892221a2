"""Plotly figure of a waveform, with its beats, bar numbers and onsets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from sp404_app.figures.palette import Palette, time_axis_layout

BEATS_PER_BAR: Final = 4
MAX_LINES: Final = 100  # more lines would hide the waveform
MAX_BAR_NUMBERS: Final = 40
MIN_PEAK: Final = 1e-3  # quieter samples are not scaled up to the full height


@dataclass(frozen=True, slots=True)
class WaveformEnvelope:
    """Peaks between `start` and `end` seconds: float32 (n, 2), minimum and maximum."""

    start: float
    end: float
    duration: float
    points: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Marks:
    """Times in seconds to draw over the waveform; bars begin at `beats[downbeat::4]`."""

    beats: Sequence[float] = ()
    downbeat: int = 0
    onsets: Sequence[float] = ()


def waveform_figure(
    envelope: WaveformEnvelope, marks: Marks, colours: Palette, *, top: float, revision: str
) -> go.Figure:
    """Draw the visible stretch; `top` is the sample's peak (1.0 is full scale).

    The figure stays below 20 kB: all values are float32, and only marks inside the stretch are
    sent.
    """
    height = max(top, MIN_PEAK) * 1.04
    layout = time_axis_layout(colours, envelope.duration, revision)
    layout["yaxis"] |= {"range": [-height, height]}
    layout["shapes"] = [_centre(colours)]
    shown = marks_within(marks, envelope.start, envelope.end)
    return go.Figure(
        data=[
            *_wave(envelope, colours),
            *_onsets(shown, height, colours),
            *_beats(shown, height, colours),
            bar_numbers(marks, envelope, colours, height),
        ],
        layout=layout,
    )


def marks_within(marks: Marks, start: float, end: float) -> Marks:
    """Return the marks between two times; if there are too many, bars only, or none."""
    beats = np.asarray(marks.beats, np.float64)
    inside = np.flatnonzero((beats >= start) & (beats <= end))
    onsets = [at for at in marks.onsets if start <= at <= end]
    onsets = onsets if len(onsets) <= MAX_LINES else []
    if not len(inside) or len(inside) > MAX_LINES * BEATS_PER_BAR:
        return Marks(onsets=onsets)
    first = int(inside[0])
    downbeat = (marks.downbeat - first) % BEATS_PER_BAR
    chosen = beats[inside]
    if len(inside) > MAX_LINES:
        return Marks(chosen[downbeat::BEATS_PER_BAR].tolist(), 0, onsets)
    return Marks(chosen.tolist(), downbeat, onsets)


def number_bars(marks: Marks, start: float, end: float) -> list[tuple[float, int]]:
    """Return the bars that begin between two times, numbered from 1."""
    bars = list(enumerate(marks.beats[marks.downbeat :: BEATS_PER_BAR], start=1))
    return [(at, number) for number, at in bars if start <= at <= end]


def bar_numbers(
    marks: Marks, envelope: WaveformEnvelope, colours: Palette, height: float
) -> go.Scatter:
    """Number the bars along the top: all, or every second, fourth … if many are visible."""
    bars = number_bars(marks, envelope.start, envelope.end)
    step = 1
    while len(bars) > MAX_BAR_NUMBERS * step:
        step *= 2
    kept = [(at, number) for at, number in bars if (number - 1) % step == 0]
    return go.Scatter(
        x=_float32([at for at, _ in kept]),
        y=_float32([0.999 * height] * len(kept)),  # Plotly hides text outside the range
        text=[str(number) for _, number in kept],
        mode="text",
        textposition="top right",
        textfont={"size": 11, "color": colours.downbeat},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _wave(envelope: WaveformEnvelope, colours: Palette) -> list[go.Scatter]:
    count = max(1, len(envelope.points))
    step = (envelope.end - envelope.start) / count
    common: dict[str, Any] = {
        "x0": round(envelope.start + step / 2, 7),
        "dx": step,
        "mode": "lines",
        "line": {"width": 1, "color": colours.wave},
        "hoverinfo": "skip",
    }
    points = np.round(envelope.points, 5).astype(np.float32)
    return [
        go.Scatter(y=points[:, 0].copy(), **common),
        go.Scatter(y=points[:, 1].copy(), fill="tonexty", fillcolor=colours.fill, **common),
    ]


def _beats(marks: Marks, height: float, colours: Palette) -> list[go.Scatter]:
    bars = set(range(marks.downbeat, len(marks.beats), BEATS_PER_BAR))
    strong = [at for index, at in enumerate(marks.beats) if index in bars]
    weak = [at for index, at in enumerate(marks.beats) if index not in bars]
    return [
        _lines(weak, -height, height, {"width": 1, "color": colours.beat}),
        _lines(strong, -height, height, {"width": 2.5, "color": colours.downbeat}),
    ]


def _onsets(marks: Marks, height: float, colours: Palette) -> list[go.Scatter]:
    line = {"width": 1.5, "color": colours.onset}
    return [_lines(marks.onsets, -height, -0.84 * height, line)]


def _lines(times: Sequence[float], low: float, high: float, line: dict[str, Any]) -> go.Scatter:
    """Draw vertical lines as one trace; NaN separates them."""
    x = np.repeat(np.asarray(times, np.float64), 3)
    y = np.tile(np.asarray([low, high, np.nan], np.float32), len(times))
    return go.Scatter(
        x=_float32(x), y=y, mode="lines", line=line, hoverinfo="skip", connectgaps=False
    )


def _float32(values: Sequence[float] | npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return np.asarray(values, np.float32)


def _centre(colours: Palette) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": 0,
        "y1": 0,
        "layer": "below",
        "line": {"width": 1, "color": colours.line},
    }
