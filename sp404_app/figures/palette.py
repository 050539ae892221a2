"""Colours and fonts of both themes, for Plotly figures, which CSS does not style."""

from dataclasses import dataclass
from typing import Any, Final

MONO: Final = '"Geist Mono Variable", ui-monospace, monospace'


@dataclass(frozen=True, slots=True)
class Palette:
    """CSS colours of one theme; `ramp` goes from silence to full strength."""

    wave: str
    fill: str
    beat: str
    downbeat: str
    onset: str
    text: str
    line: str
    ramp: tuple[str, ...]


DARK: Final = Palette(
    wave="#e6e1da",
    fill="rgba(214,209,202,0.86)",
    beat="rgba(255,138,60,0.8)",
    downbeat="#ff8a3c",
    onset="#7fb7e6",
    text="#a3a1a0",
    line="#2a2a2f",
    ramp=("#0b0b0c", "#2b1a1f", "#6d2a1c", "#c9541c", "#ff8a3c", "#ffd9a8"),
)
LIGHT: Final = Palette(
    wave="#57514a",
    fill="rgba(87,81,74,0.8)",
    beat="rgba(184,74,0,0.7)",
    downbeat="#b84a00",
    onset="#1f5f99",
    text="#5f5a55",
    line="#dcd6cf",
    ramp=("#fdfcfb", "#f3dcc6", "#eba873", "#d1661f", "#8a3200", "#351200"),
)
MARGIN: Final = {"l": 0, "r": 0, "t": 18, "b": 24, "pad": 0}


def palette_of_theme(theme: str) -> Palette:
    """Return the colours of a theme; an unknown one is dark."""
    return LIGHT if theme == "light" else DARK


def time_axis_layout(colours: Palette, duration: float, revision: str) -> dict[str, Any]:
    """Return the layout that all figures over time share.

    The range is always the whole sample. While `revision` stays the same, Plotly keeps the user's
    zoom through every redraw, and a double click resets it to the whole.
    """
    return {
        "template": "none",
        "margin": MARGIN,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": MONO, "size": 11, "color": colours.text},
        "showlegend": False,
        "hovermode": False,
        "dragmode": "zoom",
        "uirevision": revision,
        "xaxis": {
            "range": [0, duration],
            "minallowed": 0,
            "maxallowed": duration,
            "ticksuffix": " s",
            "exponentformat": "none",
            "nticks": 9,
            "showgrid": False,
            "zeroline": False,
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": colours.line,
            "automargin": False,
        },
        "yaxis": {"fixedrange": True, "showgrid": False, "zeroline": False, "visible": False},
    }
