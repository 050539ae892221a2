"""The operator's page: events that were given up, and what the nightly comparison found."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.services.auth import admin_access
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import admin
from sp404_app.services.billing.admin import BillingAdmin, DeadLetter, Night
from sp404_app.state import validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import sure
from sp404_app.state.base import SessionState


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One event that was given up."""

    id: str
    type: str
    customer: str
    at: str
    error: str


class OperatorState(SessionState):
    """What needs an operator; for everybody else the page is empty."""

    loaded: bool = False
    closed: bool = False
    busy: bool = False
    said: str = ""
    letters: list[LetterRow] = []
    night: str = ""
    healed: list[str] = []
    problems: list[str] = []
    unsent: list[str] = []

    @rx.event
    async def load(self) -> None:
        """Read the desk, once it is certain who asks."""
        self._clear()
        self.closed = False
        try:
            who = await self._operator("operator.load")
        except NotFound:
            return  # not raised: what a handler that fails had set never reaches the page
        if who:
            await self._read(who)

    @rx.event
    async def replay(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Let one event be worked on again."""
        name = validation.text(event, 255)
        if who := await self._operator("operator.replay", name):
            async for step in self._do(who, admin.replay, name):
                yield step

    @rx.event
    async def replay_all(self) -> AsyncIterator[EventType[()] | None]:
        """Let everything that was given up be worked on again."""
        if who := await self._operator("operator.replay_all"):
            async for step in self._do(who, admin.replay_dead):
                yield step

    @rx.event
    async def compare(self) -> AsyncIterator[EventType[()] | None]:
        """Let everybody be compared with Stripe."""
        if who := await self._operator("operator.compare"):
            async for step in self._do(who, admin.compare):
                yield step

    async def _operator(self, wanted: str, *arguments: Any) -> SignedIn | None:
        """Return who asks, or None while they are asked for their password.

        Raises:
            Unauthenticated: If it is nobody.
            NotFound: If it is nobody the settings name.
        """
        who = await self._signed_in()
        try:
            await in_transaction(admin_access.ensure_named, who.user_id)
        except NotFound:
            self._clear()
            self.closed = True
            raise
        self.closed = False
        return who if await sure(self, who, wanted, *arguments) else None

    async def _do(
        self, who: SignedIn, act: Callable[..., Any], *arguments: Any
    ) -> AsyncIterator[EventType[()] | None]:
        self.busy, self.said = True, ""
        yield None
        try:
            await in_transaction(act, who, *arguments, self._client())
        except AppError as error:
            self.said = str(error)
        else:
            self.said = "A worker is at it. Look again in a moment."
        finally:
            self.busy = False
        await self._read(who)

    async def _read(self, who: SignedIn) -> None:
        found: BillingAdmin = await in_transaction(admin.billing_admin, who)
        self.letters = [_row(one) for one in found.dead]
        self.night = _said(found.night)
        self.healed = list(found.night.healed) if found.night else []
        self.problems = list(found.night.problems) if found.night else []
        unsent = await in_transaction(admin_access.mails_not_sent, who)
        self.unsent = [
            f"{m.at:%d %b %Y %H:%M}  {m.recipient}  {m.subject}: {m.reason}" for m in unsent
        ]
        self.loaded = True

    def _clear(self) -> None:
        self.loaded, self.said, self.night = False, "", ""
        self.letters, self.healed, self.problems, self.unsent = [], [], [], []


def _row(one: DeadLetter) -> LetterRow:
    return LetterRow(
        one.id, one.type, one.customer_id, f"{one.received_at:%d %b %Y %H:%M}", one.error
    )


def _said(night: Night | None) -> str:
    if night is None:
        return "Nobody was compared with Stripe yet; that happens after 03:00 UTC."
    if night.finished_at is None:
        return f"The comparison of {day_of(night)} has begun and is not finished."
    return (
        f"{day_of(night)}: {night.checked:,} compared, {night.healed_in_all:,} healed, "
        f"{night.problems_in_all:,} need a look."
    )


def day_of(night: Night) -> str:
    """Write the day of a comparison."""
    return f"{night.day:%-d %B %Y}"


reauthentication.pending_actions |= {
    "operator.load": OperatorState.load,
    "operator.replay": OperatorState.replay,
    "operator.replay_all": OperatorState.replay_all,
    "operator.compare": OperatorState.compare,
}
