"""The waveform of one sound, with its beats and onsets over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from sp404_app.figures.palette import Palette, frame

BEATS_A_BAR: Final = 4
CROWD: Final = 100  # more lines than this hide the wave
MOST_NUMBERS: Final = 40
QUIETEST: Final = 1e-3  # peaks below are drawn small, as they are


@dataclass(frozen=True, slots=True)
class Envelope:
    """(n, 2) lowest and highest values between two moments of a sound, in seconds."""

    start: float
    end: float
    duration: float
    points: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Marks:
    """Moments in seconds to draw over the wave; bars begin at `beats[downbeat::4]`."""

    beats: Sequence[float] = ()
    downbeat: int = 0
    onsets: Sequence[float] = ()


def waveform(
    envelope: Envelope, marks: Marks, colours: Palette, *, top: float, revision: str
) -> go.Figure:
    """Draw what is known of the visible stretch; `top` is the sound's peak (1.0 is full scale).

    The figure stays below 20 kB: float32 throughout, and only the marks inside the stretch.
    """
    height = max(top, QUIETEST) * 1.04
    layout = frame(colours, envelope.duration, revision)
    layout["yaxis"] |= {"range": [-height, height]}
    layout["shapes"] = [_centre(colours)]
    shown = within(marks, envelope.start, envelope.end)
    return go.Figure(
        data=[
            *_wave(envelope, colours),
            *_onsets(shown, height, colours),
            *_beats(shown, height, colours),
            bar_numbers(marks, envelope, colours, height),
        ],
        layout=layout,
    )


def within(marks: Marks, start: float, end: float) -> Marks:
    """Return the marks between two moments; a crowd is thinned to bars, then to nothing."""
    beats = np.asarray(marks.beats, np.float64)
    inside = np.flatnonzero((beats >= start) & (beats <= end))
    onsets = [at for at in marks.onsets if start <= at <= end]
    onsets = onsets if len(onsets) <= CROWD else []
    if not len(inside) or len(inside) > CROWD * BEATS_A_BAR:
        return Marks(onsets=onsets)
    first = int(inside[0])
    downbeat = (marks.downbeat - first) % BEATS_A_BAR
    chosen = beats[inside]
    if len(inside) > CROWD:
        return Marks(chosen[downbeat::BEATS_A_BAR].tolist(), 0, onsets)
    return Marks(chosen.tolist(), downbeat, onsets)


def numbered(marks: Marks, start: float, end: float) -> list[tuple[float, int]]:
    """Return the bars that begin between two moments, with their numbers from 1."""
    bars = list(enumerate(marks.beats[marks.downbeat :: BEATS_A_BAR], start=1))
    return [(at, number) for number, at in bars if start <= at <= end]


def bar_numbers(marks: Marks, envelope: Envelope, colours: Palette, height: float) -> go.Scatter:
    """Number the bars along the upper edge, every second, fourth … of them where many show."""
    bars = numbered(marks, envelope.start, envelope.end)
    step = 1
    while len(bars) > MOST_NUMBERS * step:
        step *= 2
    kept = [(at, number) for at, number in bars if (number - 1) % step == 0]
    return go.Scatter(
        x=_single([at for at, _ in kept]),
        y=_single([0.999 * height] * len(kept)),  # beyond the range, Plotly hides a text
        text=[str(number) for _, number in kept],
        mode="text",
        textposition="top right",
        textfont={"size": 11, "color": colours.downbeat},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _wave(envelope: Envelope, colours: Palette) -> list[go.Scatter]:
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
    bars = set(range(marks.downbeat, len(marks.beats), BEATS_A_BAR))
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
    """Draw upright lines as one trace, with gaps between them."""
    x = np.repeat(np.asarray(times, np.float64), 3)
    y = np.tile(np.asarray([low, high, np.nan], np.float32), len(times))
    return go.Scatter(
        x=_single(x), y=y, mode="lines", line=line, hoverinfo="skip", connectgaps=False
    )


def _single(values: Sequence[float] | npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
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
