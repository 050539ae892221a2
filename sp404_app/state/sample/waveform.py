"""The waveform figure of a tab: its stretch and its layers."""

import uuid
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go
import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.figures.empty import EMPTY_FIGURE
from sp404_app.figures.palette import palette_of_theme
from sp404_app.figures.waveform import Marks, WaveformEnvelope, waveform_figure
from sp404_app.services.sample import details as sample_details
from sp404_app.services.sample import waveforms
from sp404_app.services.sample.details import BeatGrid, SampleDetails
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.layout import LayoutState
from sp404_app.state.sample import route

POINTS: Final = 700  # across the visible stretch
OVERSCAN: Final = 0.2  # of the visible width, drawn on either side for the next pan or zoom
MIN_WIDTH_S: Final = 0.001

View = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Pulse:
    """A steady beat for the metronome, in seconds.

    `downbeat` is the index of the first beat that begins a bar.
    """

    first: float = 0.0
    period: float = 0.0
    downbeat: int = 0


@dataclass(frozen=True, slots=True)
class Layers:
    """Which marks are drawn over the waveform."""

    beats: bool = True
    onsets: bool = False


class WaveformState(SessionState):
    """The waveform of the sample, drawn more finely as the user zooms in."""

    figure: go.Figure = EMPTY_FIGURE
    drawn: bool = False
    layers: Layers = Layers()
    pulse: Pulse = Pulse()
    _id: str = ""
    _view: View = None

    @rx.event
    async def show(self) -> None:
        """Draw the sample of this page; keep the zoom if it is already shown."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        if self._id != str(sample_id):
            self._id, self._view, self.drawn = str(sample_id), None, False
        await self._draw(user_id, sample_id)

    @rx.event
    async def zoom(self, start: float, end: float) -> None:
        """Draw a stretch at screen resolution, or the whole sample if `end` is 0."""
        user_id, sample_id = await self._user_id(), route.sample_id(self)
        first, last = validation.parse_number(start) or 0.0, validation.parse_number(end) or 0.0
        self._view = (first, max(last, first + MIN_WIDTH_S)) if last > first else None
        await self._draw(user_id, sample_id)

    @rx.event
    async def toggle_layer(self, name: str) -> None:
        """Show or hide the beats, or the onsets."""
        user_id, name = await self._user_id(), validation.validate_text(name, 10)
        beats, onsets = self.layers.beats, self.layers.onsets
        self.layers = Layers(beats ^ (name == "beats"), onsets ^ (name == "onsets"))
        await self._draw(user_id, route.sample_id(self))

    async def _draw(self, user_id: uuid.UUID, sample_id: uuid.UUID) -> None:
        theme = (await self.get_state(LayoutState)).theme
        try:
            self.figure, self.pulse = await in_transaction(
                _draw_waveform, user_id, sample_id, self._view, self.layers, theme
            )
            self.drawn = True
        except NotFound:
            self.figure, self.pulse, self.drawn = EMPTY_FIGURE, Pulse(), False


def _draw_waveform(
    session: Session,
    user_id: uuid.UUID,
    sample_id: uuid.UUID,
    view: View,
    layers: Layers,
    theme: str,
) -> tuple[go.Figure, Pulse]:
    details = sample_details.find_sample_details(session, user_id, sample_id)
    start, end, points = stretch_to_draw(view)
    found = waveforms.waveform_of_stretch(session, user_id, sample_id, start, end, points)
    grid = sample_details.beat_grid(details)
    marks = Marks(
        grid.beats if layers.beats else (), grid.downbeat, grid.onsets if layers.onsets else ()
    )
    peak = details.sample.peak_dbfs
    figure = waveform_figure(
        WaveformEnvelope(found.start, found.end, found.duration, found.points),
        marks,
        palette_of_theme(theme),
        top=10 ** ((peak or 0.0) / 20),
        revision=str(sample_id),
    )
    return figure, pulse_of(details, grid)


def stretch_to_draw(view: View) -> tuple[float, float | None, int]:
    """Return the stretch to draw for a view, with overscan, and its number of points."""
    if view is None:
        return 0.0, None, POINTS
    margin = (view[1] - view[0]) * OVERSCAN
    return max(0.0, view[0] - margin), view[1] + margin, round(POINTS * (1 + 2 * OVERSCAN))


def pulse_of(details: SampleDetails, grid: BeatGrid) -> Pulse:
    """Return the steady beat of a sample, for the metronome."""
    bpm = details.sample.bpm
    if not bpm or not grid.beats:
        return Pulse()
    return Pulse(grid.beats[0], round(60 / bpm, 6), grid.downbeat)
