"""What in the library is like a sound that is not kept."""

import uuid
from collections.abc import Mapping
from typing import Any

import reflex as rx

from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.db import in_transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.library import samples
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.rows import length, row_of, tempo
from sp404_app.state.sample.similar import AlikeRow, percent

SHOWN = 12
SILENCE = "That was silence, and nothing is like it. Try again, louder or nearer."
NOTHING = "Nothing to compare with yet: add sounds, and let them be analysed."


class HearingState(SessionState):
    """The dialog that finds by sound."""

    is_open: bool = False
    aspect: str = Aspect.OVERALL
    rows: rx.Field[list[AlikeRow]] = rx.field(default_factory=list)
    heard: str = ""
    nothing: str = ""

    @rx.event
    async def open_dialog(self) -> None:
        """Open the dialog, as if for the first time."""
        await self._user_id()
        self.reset()
        self.is_open = True

    @rx.event
    async def close(self) -> None:
        """Close the dialog and forget what was found."""
        await self._user_id()
        self.reset()

    @rx.event
    async def compare_by(self, aspect: str) -> None:
        """Compare by one aspect, or by everything; the browser asks again with its sound."""
        await self._user_id()
        if validation.text(aspect, 20) not in set(Aspect):
            raise ValidationFailed("Sounds are not compared by that.")
        self.aspect = aspect

    @rx.event
    async def show(self, answer: dict[str, Any]) -> None:
        """Show what the API found for the browser's sound; only ids are believed."""
        user_id = await self._user_id()
        found = _distances(validation.form(answer))
        heard = validation.form(validation.form(answer).get("heard", {}))
        mine = await in_transaction(samples.some, user_id, list(found))
        self.rows = [AlikeRow(row_of(each), percent(found[each.id])) for each in mine]
        self.heard = _words(heard)
        self.nothing = "" if self.rows else SILENCE if heard.get("silent") else NOTHING


def _distances(answer: Mapping[str, Any]) -> dict[uuid.UUID, float]:
    """Read which samples were found and how far they are.

    Raises:
        ValidationFailed: If it is something else.
    """
    listed = answer.get("samples", [])
    if not isinstance(listed, list):
        raise ValidationFailed("That is not a list.")
    entries = [validation.form(entry) for entry in listed[:SHOWN]]
    return {validation.identity(each.get("id")): _number(each, "distance") for each in entries}


def _words(heard: Mapping[str, Any]) -> str:
    """Say what the sound itself was heard to be: "loop · 92 BPM · A minor · 4.20 s"."""
    kind = {"loop": "loop", "one_shot": "one-shot"}.get(str(heard.get("kind")), "")
    bpm, seconds = _number(heard, "bpm"), _number(heard, "duration")
    key = validation.text(heard.get("key") or "", 10)
    parts = (kind, f"{tempo(bpm)} BPM" if bpm else "", key, length(seconds) if seconds else "")
    return " · ".join(filter(None, parts))


def _number(values: Mapping[str, Any], name: str) -> float:
    return validation.number(values.get(name) or 0) or 0.0
