"""The copies of the sound of this page, side by side with it, to see which to keep."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.models import Sample
from sp404_app.services.library import samples
from sp404_app.services.sample import duplicates
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.formatting import channels, level, rate, size
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.library import offer_undo
from sp404_app.state.rows import Row, row_of
from sp404_app.state.sample import route
from sp404_app.state.toast import NoticeState

SHOWN = 50


@dataclass(frozen=True, slots=True)
class CopyRow:
    """A copy, or the sound itself, and what tells the files apart."""

    row: Row
    format: str
    rate: str
    channels: str
    loudness: str
    size: str
    here: bool


class CopiesState(SessionState):
    """The sound of this page and its copies; nothing where it has none."""

    rows: rx.Field[list[CopyRow]] = rx.field(default_factory=list)

    @rx.event
    async def show(self) -> None:
        """Look for copies."""
        user_id = await self._user_id()
        self.rows = await in_transaction(_rows, user_id, route.sample_id(self))

    @rx.event
    async def throw_away(self, sample_id: str) -> AsyncIterator[EventType[()] | None]:
        """Move a copy to the trash, where the notice can bring it back from."""
        user_id, unwanted = await self._user_id(), validation.identity(sample_id)
        sample = await in_transaction(samples.get, user_id, unwanted)
        thrown = await in_transaction(samples.discard, user_id, [unwanted])
        if not thrown.moved:
            raise NotFound("This sound is in the trash already.")
        await offer_undo(self, thrown.moved)
        await self.show()
        said = bulk_messages.thrown_away(f"“{sample.name[:60]}”", thrown)
        yield NoticeState.show(said, "ok", True)  # type: ignore[misc]


def _rows(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> list[CopyRow]:
    found = duplicates.list_duplicates(session, user_id, sample_id, SHOWN)
    if not found:
        return []
    mine = samples.get(session, user_id, sample_id)
    return [_row(sample, here=sample is mine) for sample in (mine, *found)]


def _row(sample: Sample, *, here: bool) -> CopyRow:
    return CopyRow(
        row=row_of(sample),
        format=sample.format,
        rate=rate(sample.sample_rate),
        channels=channels(sample.channels),
        loudness=level(sample.loudness_lufs, "LUFS"),
        size=size(sample.size),
        here=here,
    )
