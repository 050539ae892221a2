"""Help with a kit: arrange and level a bank, suggest and swap sounds, chop."""

import uuid
from dataclasses import dataclass
from typing import Any

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import BANKS
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.services.projects import arrangement, chopping, levels, similar_swap, suggestions
from sp404_app.services.projects.chopping import Method
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.suggestions import SuggestedSample
from sp404_app.state import double_click, validation
from sp404_app.state.projects.pads_base import (
    REFUSALS,
    UNDO_BANK_CHANGE,
    PadsBase,
    Stream,
    refusal_notice,
)
from sp404_app.state.rows import Row, row_of
from sp404_app.state.toast import ToastState

ARRANGEMENTS = ("kind", "key", "tempo", "name")


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """One suggested sample, with its reason in words."""

    sample: Row
    reason: str


class KitHelp(PadsBase, mixin=True):
    """Handlers of the bank menu, of suggestions, of similar sounds and of chopping."""

    suggestions: list[SuggestionRow] = []
    suggestions_for: str = ""  # the pad that they are for
    chop_by: str = "transients"
    chop_parts: str = "16"
    chop_percent: float = 50.0  # sensitivity
    _chops: double_click.RecentActions = {}
    _anchors: dict[str, str] = {}  # pad → sample from which its similar sounds are ranked

    @rx.event
    async def arrange(self, by: str) -> Stream:
        """Arrange the visible bank by kind, key, tempo or name."""
        await self._user_id()
        if (by := validation.validate_text(by, 10)) not in ARRANGEMENTS:
            raise ValidationFailed("Choose kind, key, tempo or name.")
        said = f"Bank {self.bank} arranged by {by}."
        yield await self._run_on_bank(said, arrangement.arrange, BANKS.index(self.bank), by)

    @rx.event
    async def level_bank(self, to: str) -> Stream:
        """Bring the pads of the visible bank to one peak or loudness."""
        await self._user_id()
        to = validation.validate_text(to, 10)
        said = f"Bank {self.bank} evened out."
        yield await self._run_on_bank(said, levels.level_bank, BANKS.index(self.bank), to)

    @rx.event
    async def suggest(self, key: str) -> Stream:
        """Suggest samples that fit a pad."""
        user_id, at = await self._user_id(), self._position(key)
        found = await in_transaction(suggestions.suggest, user_id, self._id(), at)
        self.suggestions_for = str(at)
        self.suggestions = [_suggestion_row(each) for each in found]
        self.panel = "sounds"
        if not found:
            self.suggestions_for = ""
            yield ToastState.show("Nothing in your library fits this pad yet.", "ok")  # type: ignore[misc]

    @rx.event
    async def close_suggestions(self) -> None:
        """Show the library again."""
        await self._user_id()
        self.suggestions, self.suggestions_for = [], ""

    @rx.event
    async def swap_similar(self, step: int) -> Stream:
        """Put the next or previous similar sound on the chosen pad."""
        user_id, at = await self._user_id(), self._position(self.sheet.key)
        step = 1 if validation.validate_integer(step, -1, 1) > 0 else -1
        anchor = self._anchors.get(str(at))
        target = self._pad_target(user_id, at)
        try:
            done = await in_transaction(
                similar_swap.swap_similar, target, at, step, uuid.UUID(anchor) if anchor else None
            )
        except NotFound:  # the anchor may have been permanently deleted: begin again without it
            self._anchors = {key: each for key, each in self._anchors.items() if key != str(at)}
            raise
        except REFUSALS as refusal:
            await self._show(user_id)
            yield refusal_notice(refusal)
            return
        self._anchors = self._anchors | {str(at): str(done.anchor_id)}
        self.similar_place = f"{done.index + 1} of {done.count}"
        await self._show(user_id)

    @rx.event
    async def set_chop(self, name: str, value: Any) -> None:
        """Set how to chop: method, parts or sensitivity."""
        await self._user_id()
        name = validation.validate_text(name, 20)
        if name == "by":
            self.chop_by = validation.validate_text(value, 20)
        elif name == "parts":
            parts = validation.parse_number(value) or 0
            self.chop_parts = str(validation.validate_integer(parts, 2, 16))
        elif name == "sensitivity":
            percent = validation.parse_number(value) or 0
            self.chop_percent = float(validation.validate_integer(percent, 0, 100))

    @rx.event
    async def chop(self, to: str) -> Stream:
        """Chop the chosen pad to markers, or to pads of their own."""
        user_id, at = await self._user_id(), self._position(self.sheet.key)
        to = validation.validate_text(to, 10)
        target = self._pad_target(user_id, at) if to == "markers" else self._target(user_id)
        act, shown = ("chop", self._project_id, at, to), self.head.revision
        if double_click.is_repeated(self._chops, act):
            return
        try:
            method = Method(self.chop_by, int(self.chop_parts), self.chop_percent / 100)  # type: ignore[arg-type]
            done = await in_transaction(chopping.chop, target, at, method, to)  # type: ignore[arg-type]
        except REFUSALS as refusal:
            await self._show(user_id)
            yield refusal_notice(refusal)
            return
        await self._show(user_id)
        if done.filled:
            self._chops = double_click.remember_action(act)
            text = f"{len(done.filled)} chops on pads {', '.join(map(str, done.filled))}."
            missing = f" {done.not_placed} found no free pad." if done.not_placed else ""
            self._bank_change = Target(user_id, self._id(), shown + 1)
            yield ToastState.show(text + missing, "ok", UNDO_BANK_CHANGE)  # type: ignore[misc]


def _suggestion_row(found: SuggestedSample) -> SuggestionRow:
    return SuggestionRow(row_of(found.sample), found.reason)
