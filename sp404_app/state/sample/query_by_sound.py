"""Query by sound: the samples most similar to a file or recording that is not stored."""

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
from sp404_app.state.rows import format_duration, format_tempo, row_of
from sp404_app.state.sample.similar import SimilarRow, similarity_percent

MAX_RESULTS = 12
SILENCE = "That was silence. Try again, louder or closer to the microphone."
NOTHING_ANALYSED = (
    "There’s nothing to compare with yet. Add sounds and wait until they’re analysed."
)


class QueryBySoundState(SessionState):
    """The dialog that searches the library by a sound."""

    is_open: bool = False
    aspect: str = Aspect.OVERALL
    rows: rx.Field[list[SimilarRow]] = rx.field(default_factory=list)
    heard: str = ""
    nothing: str = ""

    @rx.event
    async def open_dialog(self) -> None:
        """Open an empty dialog."""
        await self._user_id()
        self.reset()
        self.is_open = True

    @rx.event
    async def close(self) -> None:
        """Close the dialog and clear its results."""
        await self._user_id()
        self.reset()

    @rx.event
    async def compare_by(self, aspect: str) -> None:
        """Choose the aspect to compare by; the browser then repeats its request."""
        await self._user_id()
        if validation.validate_text(aspect, 20) not in set(Aspect):
            raise ValidationFailed("Unknown comparison.")
        self.aspect = aspect

    @rx.event
    async def show(self, answer: dict[str, Any]) -> None:
        """Show the API's response, which the browser forwards.

        A browser can send anything: only ids, distances and the description of the query are
        read, and only the user's own samples are loaded.
        """
        user_id = await self._user_id()
        found = _distances(validation.validate_form(answer))
        heard = validation.validate_form(validation.validate_form(answer).get("heard", {}))
        own = await in_transaction(samples.list_live_samples, user_id, list(found))
        self.rows = [SimilarRow(row_of(each), similarity_percent(found[each.id])) for each in own]
        self.heard = _description(heard)
        self.nothing = "" if self.rows else SILENCE if heard.get("silent") else NOTHING_ANALYSED


def _distances(answer: Mapping[str, Any]) -> dict[uuid.UUID, float]:
    """Return the distance of each sample id in the response.

    Raises:
        ValidationFailed: If the response has another shape.
    """
    listed = answer.get("samples", [])
    if not isinstance(listed, list):
        raise ValidationFailed("Expected a list.")
    entries = [validation.validate_form(entry) for entry in listed[:MAX_RESULTS]]
    return {validation.validate_id(each.get("id")): _number(each, "distance") for each in entries}


def _description(heard: Mapping[str, Any]) -> str:
    """Describe the query sound: "loop · 92 BPM · A minor · 4.20 s"."""
    kind = {"loop": "loop", "one_shot": "one-shot"}.get(str(heard.get("kind")), "")
    bpm, seconds = _number(heard, "bpm"), _number(heard, "duration")
    key = validation.validate_text(heard.get("key") or "", 10)
    parts = (
        kind,
        f"{format_tempo(bpm)} BPM" if bpm else "",
        key,
        format_duration(seconds) if seconds else "",
    )
    return " · ".join(filter(None, parts))


def _number(values: Mapping[str, Any], name: str) -> float:
    return validation.parse_number(values.get(name) or 0) or 0.0
