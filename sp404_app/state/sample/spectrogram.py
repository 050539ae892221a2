"""The spectrum, pulse or notes of the stretch in view, drawn when a person asks for it."""

import asyncio
from typing import Final

import plotly.graph_objects as go
import reflex as rx

from sp404_app.audio.dsp.spectrogram import View
from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.figures.palette import palette
from sp404_app.figures.spectrogram import heat_map
from sp404_app.services.sample import spectrograms
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.layout import ShellState
from sp404_app.state.sample import route
from sp404_app.state.sample.waveform import EMPTY

ROUND: Final = 3  # digits of a stretch, in seconds, so that the same one is drawn once


class PictureState(SessionState):
    """A second picture under the waveform, over the same stretch of time."""

    figure: go.Figure = EMPTY
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
        """Put the picture away, for another sound."""
        await self._user_id()
        self.figure, self.view, self.stretch, self.problem = EMPTY, "", "", ""
        self.ready = self.busy = False
        self._start = self._end = 0.0
        self._visit += 1

    @rx.event(background=True, supersedes=True)
    async def choose(self, view: str) -> None:
        """Show one kind of picture; the same one again puts it away."""
        await self._user_id()
        name = validation.text(view, 10)
        if name not in set(View):
            raise ValidationFailed("There is no such picture.")
        async with self:
            self.view = "" if name == self.view else name
            self.busy = bool(self.view)
            self.ready = self.ready and self.busy
        await self._draw()

    @rx.event(background=True, supersedes=True)
    async def look_at(self, start: float, end: float) -> None:
        """Follow the waveform to another stretch; all of it when `end` is 0."""
        await self._user_id()
        first, last = validation.number(start) or 0.0, validation.number(end) or 0.0
        async with self:
            self._start, self._end = round(first, ROUND), round(last, ROUND)
            self.busy = bool(self.view)
        await self._draw()

    async def _draw(self) -> None:
        """Draw in a thread what is wanted now; a newer wish cancels this one."""
        user_id, visit = await self._user_id(), self._visit
        if not self.view:
            return
        sample_id, view = route.sample_id(self), View(self.view)
        try:
            key, duration = await in_transaction(spectrograms.key_of, user_id, sample_id)
            start, end = spectrograms.stretch(duration, self._start, self._end or duration)
            drawn = await asyncio.to_thread(spectrograms.draw_spectrogram, key, view, start, end)
        except AppError as problem:
            async with self:
                if self._visit == visit:
                    self.busy, self.problem = False, str(problem)
            return
        async with self:
            if self._visit != visit:  # the page shows another sound by now
                return
            theme = (await self.get_state(ShellState)).theme
            self.figure = heat_map(
                drawn, palette(theme), duration=duration, revision=str(sample_id)
            )
            self.ready, self.busy, self.problem = True, False, ""
            self.stretch = stretch_shown(start, end, duration)


def stretch_shown(start: float, end: float, duration: float) -> str:
    """Say which part of a long sound a picture shows; nothing when it shows all."""
    if end - start >= duration - 0.01:
        return ""
    return f"{start:.2f} – {end:.2f} s"
