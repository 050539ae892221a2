"""Spectrograms on the sample page: request the picture of the visible stretch and wait for it."""

import asyncio
import time
import uuid
from typing import Final

import plotly.graph_objects as go
import reflex as rx

from sp404_app.audio.picture import Picture, View
from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound, Unavailable, ValidationFailed
from sp404_app.figures.empty import EMPTY_FIGURE
from sp404_app.figures.palette import palette_of_theme
from sp404_app.figures.spectrogram import heat_map_figure
from sp404_app.services.sample import spectrograms
from sp404_app.services.sample.spectrograms import PicturePart
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.layout import LayoutState
from sp404_app.state.sample import route

DRAWING_TIMEOUT_S: Final = (
    90.0  # the first picture after an installation waits until librosa is compiled
)
FIRST_POLL_S, SLOWEST_POLL_S = 0.03, 0.5
DRAWING_IS_SLOW: Final = "This is taking longer than usual. Try again in a minute."


class SpectrogramState(SessionState):
    """The heat map under the waveform, over the same stretch."""

    figure: go.Figure = EMPTY_FIGURE
    view: str = ""
    ready: bool = False
    busy: bool = False
    problem: str = ""
    stretch: str = ""
    _start: float = 0.0
    _end: float = 0.0
    _visit: int = 0

    @rx.event
    async def reset_picture(self) -> None:
        """Hide the picture when the page opens another sample."""
        await self._user_id()
        self.figure, self.view, self.stretch, self.problem = EMPTY_FIGURE, "", "", ""
        self.ready = self.busy = False
        self._start = self._end = 0.0
        self._visit += 1

    @rx.event(background=True, supersedes=True)
    async def choose(self, view: str) -> None:
        """Show one view; choosing it again hides it."""
        await self._user_id()
        name = validation.validate_text(view, 10)
        if name not in set(View):
            raise ValidationFailed("There is no such view.")
        async with self:
            self.view = "" if name == self.view else name
            self.busy, self.problem = bool(self.view), ""
            self.ready = self.ready and self.busy
        await self._draw()

    @rx.event(background=True, supersedes=True)
    async def look_at(self, start: float, end: float) -> None:
        """Show the stretch that the waveform shows; the whole sample if `end` is 0."""
        await self._user_id()
        first, last = validation.parse_number(start) or 0.0, validation.parse_number(end) or 0.0
        async with self:
            self._start, self._end = first, last
            self.busy, self.problem = bool(self.view), ""
        await self._draw()

    async def _draw(self) -> None:
        """Draw the chosen view and stretch; discard the picture if the choice has changed."""
        user_id, wanted = await self._user_id(), self._wanted()
        _, name, start, end = wanted
        if not name:
            return
        sample_id = route.sample_id(self)
        try:
            part = await in_transaction(
                spectrograms.find_part, user_id, sample_id, View(name), start, end
            )
            picture = await picture_when_drawn(user_id, part)
        except AppError as problem:
            async with self:
                if self._wanted() == wanted:
                    self.busy, self.problem = False, str(problem)
            return
        async with self:
            if self._wanted() != wanted:
                return
            theme = (await self.get_state(LayoutState)).theme
            duration = part.duration
            start, end = spectrograms.clamp_stretch(duration, start, end or duration)
            self.figure = heat_map_figure(
                picture.cut(start, end),
                palette_of_theme(theme),
                duration=duration,
                revision=str(sample_id),
            )
            self.ready, self.busy, self.problem = True, False, ""
            self.stretch = stretch_shown(start, end, duration)

    def _wanted(self) -> tuple[int, str, float, float]:
        return self._visit, self.view, self._start, self._end


async def picture_when_drawn(user_id: uuid.UUID, part: PicturePart) -> Picture:
    """Return the picture of a part; if it is not stored, request it and wait for it.

    Raises:
        AppError: If it cannot be drawn, or not within `DRAWING_TIMEOUT_S`.
    """
    deadline = time.monotonic() + DRAWING_TIMEOUT_S
    while True:
        try:
            return await asyncio.to_thread(spectrograms.load_picture, part.key)
        except NotFound:
            job_id = await in_transaction(spectrograms.request_drawing, user_id, part)
        await _wait_for(user_id, job_id, deadline)  # it may be drawing another part


async def _wait_for(user_id: uuid.UUID, job_id: uuid.UUID, deadline: float) -> None:
    """Wait until a drawing job has ended.

    Raises:
        AppError: If it failed.
        Unavailable: If it has not ended by `deadline`.
    """
    pause = FIRST_POLL_S
    while True:
        if time.monotonic() > deadline:
            raise Unavailable(DRAWING_IS_SLOW)
        await asyncio.sleep(pause)
        if await in_transaction(spectrograms.drawing_has_ended, user_id, job_id):
            return
        pause = min(SLOWEST_POLL_S, 1.3 * pause)


def stretch_shown(start: float, end: float, duration: float) -> str:
    """Format the stretch that a picture shows; empty for the whole sample."""
    if end - start >= duration - 0.01:
        return ""
    return f"{start:.2f} – {end:.2f} s"
