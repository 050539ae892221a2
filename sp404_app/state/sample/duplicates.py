"""The duplicates of the sample of this page."""

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
from sp404_app.services.sample import duplicates, pad_usage
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.formatting import (
    format_channels,
    format_level,
    format_sample_rate,
    format_size,
)
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.library_actions import UNDO_DELETION
from sp404_app.state.library.selection import offer_undo
from sp404_app.state.rows import Row, row_of
from sp404_app.state.sample import route
from sp404_app.state.toast import ToastState

MAX_DUPLICATES = 50


@dataclass(frozen=True, slots=True)
class DuplicateRow:
    """A duplicate, or the sample itself (`here`), with the properties in which files differ."""

    row: Row
    format: str
    rate: str
    channels: str
    loudness: str
    size: str
    here: bool


class DuplicatesState(SessionState):
    """The sample of this page and its duplicates; empty if it has none."""

    rows: rx.Field[list[DuplicateRow]] = rx.field(default_factory=list)

    @rx.event
    async def show(self) -> None:
        """Load the duplicates."""
        user_id = await self._user_id()
        self.rows = await in_transaction(_copy_rows, user_id, route.sample_id(self))

    @rx.event
    async def throw_away(self, sample_id: str) -> AsyncIterator[EventType[()] | None]:
        """Move a duplicate to the trash; the toast offers to undo it."""
        user_id, duplicate_id = await self._user_id(), validation.validate_id(sample_id)
        sample = await in_transaction(samples.get_sample, user_id, duplicate_id)
        discarded, uses = await in_transaction(pad_usage.trash_samples, user_id, [duplicate_id])
        if not discarded.moved:
            raise NotFound("This sound is already in the trash.")
        await offer_undo(self, discarded.moved)
        await self.show()
        message = bulk_messages.trashed_message(f"“{sample.name[:60]}”", discarded, uses)
        yield ToastState.show(message, "ok", UNDO_DELETION)  # type: ignore[misc]


def _copy_rows(session: Session, user_id: uuid.UUID, sample_id: uuid.UUID) -> list[DuplicateRow]:
    found = duplicates.list_duplicates(session, user_id, sample_id, MAX_DUPLICATES)
    if not found:
        return []
    current = samples.get_sample(session, user_id, sample_id)
    return [_copy_row(sample, here=sample is current) for sample in (current, *found)]


def _copy_row(sample: Sample, *, here: bool) -> DuplicateRow:
    return DuplicateRow(
        row=row_of(sample),
        format=sample.format,
        rate=format_sample_rate(sample.sample_rate),
        channels=format_channels(sample.channels),
        loudness=format_level(sample.loudness_lufs, "LUFS"),
        size=format_size(sample.size),
        here=here,
    )
