"""Plotly figure of a plan's usage per day."""

import datetime as dt
from collections.abc import Sequence

import plotly.graph_objects as go

from sp404_app.figures.palette import MONO, Palette


def usage_figure(
    days: Sequence[dt.date], values: Sequence[float], colours: Palette, *, unit: str
) -> go.Figure:
    """Draw one bar per day, in whole numbers or MB."""
    shape = "%{y:,.1f}" if unit == "MB" else "%{y:,.0f}"
    bar = go.Bar(
        x=[f"{day:%Y-%m-%d}" for day in days],
        y=list(values),
        marker={"color": colours.downbeat, "line": {"width": 0}},
        hovertemplate=f"{shape} {unit}<extra>%{{x|%-d %b}}</extra>",
    )
    return go.Figure(data=[bar], layout=_layout(colours, max(values, default=0)))


def _layout(colours: Palette, most: float) -> dict[str, object]:
    return {
        "template": "none",
        "margin": {"l": 44, "r": 4, "t": 8, "b": 26, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": MONO, "size": 11, "color": colours.text},
        "showlegend": False,
        "dragmode": False,
        "bargap": 0.25,
        "hoverlabel": {"font": {"family": MONO, "size": 12}},
        "xaxis": {
            "type": "date",
            "tickformat": "%-d %b",
            "nticks": 6,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "linecolor": colours.line,
        },
        "yaxis": {
            "fixedrange": True,
            "rangemode": "tozero",
            "range": [0, max(1.0, most * 1.1)],
            "nticks": 4,
            "gridcolor": colours.line,
            "zeroline": False,
        },
    }
