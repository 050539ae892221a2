"""Heat maps of a sample over time: mel spectrogram, tempogram and chromagram."""

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from sp404_app.audio.features.musical_keys import PITCHES
from sp404_app.audio.picture import Picture, View
from sp404_app.figures.palette import Palette, time_axis_layout

HZ_TICKS: Final = (100, 200, 500, 1000, 2000, 5000, 10_000)
BPM_TICKS: Final = (50, 60, 75, 90, 120, 150, 180, 240)


def heat_map_figure(
    drawn: Picture, colours: Palette, *, duration: float, revision: str
) -> go.Figure:
    """Draw a picture as a heat map of less than 110 kB, one byte per pixel."""
    layout = time_axis_layout(colours, duration, revision)
    columns = max(1, drawn.pixels.shape[1])
    step = (drawn.end - drawn.start) / columns
    layout["margin"] = layout["margin"] | {"t": 4}
    layout["yaxis"] |= {
        "range": [-0.5, len(drawn.rows) - 0.5],
        "visible": True,
        "ticklabelposition": "inside",
        "ticklabelstandoff": 2,
        "ticks": "",
        **axis_ticks(drawn),
    }
    shades = len(colours.ramp) - 1
    heat = go.Heatmap(
        z=drawn.pixels,
        zmin=0,
        zmax=255,
        x0=round(drawn.start + step / 2, 6),
        dx=step,
        y0=0,
        dy=1,
        showscale=False,
        zsmooth=False if drawn.view is View.NOTES else "fast",
        colorscale=[[index / shades, shade] for index, shade in enumerate(colours.ramp)],
        hoverinfo="skip",
    )
    return go.Figure(data=[heat], layout=layout)


def axis_ticks(drawn: Picture) -> dict[str, Any]:
    """Return the axis ticks: round frequencies or tempi, or all twelve notes."""
    if drawn.view is View.NOTES:
        return {"tickvals": list(range(12)), "ticktext": list(PITCHES)}
    wanted = HZ_TICKS if drawn.view is View.SPECTRUM else BPM_TICKS
    inside = [value for value in wanted if drawn.rows[0] <= value <= drawn.rows[-1]]
    places = np.interp(inside, drawn.rows, np.arange(len(drawn.rows)))
    return {
        "tickvals": [round(float(place), 2) for place in places],
        "ticktext": [format_tick(value, drawn.view) for value in inside],
    }


def format_tick(value: float, view: View) -> str:
    """Format a tick with its unit: "200 Hz", "5 kHz", "90 BPM"."""
    if view is View.PULSE:
        return f"{value:g} BPM"
    return f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"
