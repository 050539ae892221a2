"""State of /operator: dead webhook events, the reconcile report and unsent emails."""

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
from sp404_app.services.billing.admin import BillingAdminData, DeadLetter, ReconcileSummary
from sp404_app.state import validation
from sp404_app.state.auth import reauthentication
from sp404_app.state.auth.reauthentication import require_reauthentication
from sp404_app.state.base import SessionState


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """A dead webhook event, formatted for the page."""

    id: str
    type: str
    customer: str
    at: str
    error: str


class OperatorState(SessionState):
    """The operator page; other users see "Page not found"."""

    loaded: bool = False
    closed: bool = False
    busy: bool = False
    message: str = ""
    dead_letters: list[DeadLetterRow] = []
    reconcile_text: str = ""
    fixed: list[str] = []
    problems: list[str] = []
    unsent: list[str] = []

    @rx.event
    async def load(self) -> None:
        """Load the page after checking the role and a recent password."""
        self._clear()
        self.closed = False
        try:
            who = await self._operator("operator.load")
        except NotFound:
            return  # not raised, because an error would discard `closed`, which `_operator` set
        if who:
            await self._read(who)

    @rx.event
    async def replay(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Replay one webhook event."""
        name = validation.validate_text(event, 255)
        if who := await self._operator("operator.replay", name):
            async for step in self._do(who, admin.replay_event, name):
                yield step

    @rx.event
    async def replay_all(self) -> AsyncIterator[EventType[()] | None]:
        """Replay all dead webhook events."""
        if who := await self._operator("operator.replay_all"):
            async for step in self._do(who, admin.replay_dead_events):
                yield step

    @rx.event
    async def compare(self) -> AsyncIterator[EventType[()] | None]:
        """Start a reconcile run."""
        if who := await self._operator("operator.compare"):
            async for step in self._do(who, admin.request_reconcile):
                yield step

    async def _operator(self, wanted: str, *arguments: Any) -> SignedIn | None:
        """Return the signed-in operator, or None while they are asked for their password.

        Raises:
            Unauthenticated: If the tab has no valid session.
            NotFound: If the user is not an operator.
        """
        who = await self._signed_in()
        try:
            await in_transaction(admin_access.ensure_operator, who.user_id)
        except NotFound:
            self._clear()
            self.closed = True
            raise
        self.closed = False
        return who if await require_reauthentication(self, who, wanted, *arguments) else None

    async def _do(
        self, who: SignedIn, action: Callable[..., Any], *arguments: Any
    ) -> AsyncIterator[EventType[()] | None]:
        self.busy, self.message = True, ""
        yield None
        try:
            await in_transaction(action, who, *arguments, self._client())
        except AppError as error:
            self.message = str(error)
        else:
            self.message = "Started. Reload the page in a moment to see the result."
        finally:
            self.busy = False
        await self._read(who)

    async def _read(self, who: SignedIn) -> None:
        data: BillingAdminData = await in_transaction(admin.load_billing_admin, who)
        summary = data.last_reconcile
        self.dead_letters = [_dead_letter_row(letter) for letter in data.dead_letters]
        self.reconcile_text = _reconcile_text(summary)
        self.fixed = list(summary.fixed) if summary else []
        self.problems = list(summary.problems) if summary else []
        unsent = await in_transaction(admin_access.list_unsent_emails, who)
        self.unsent = [
            f"{m.at:%d %b %Y %H:%M}  {m.recipient}  {m.subject}: {m.reason}" for m in unsent
        ]
        self.loaded = True

    def _clear(self) -> None:
        self.loaded, self.message, self.reconcile_text = False, "", ""
        self.dead_letters, self.fixed, self.problems, self.unsent = [], [], [], []


def _dead_letter_row(letter: DeadLetter) -> DeadLetterRow:
    return DeadLetterRow(
        letter.id,
        letter.type,
        letter.customer_id,
        f"{letter.received_at:%d %b %Y %H:%M}",
        letter.error,
    )


def _reconcile_text(summary: ReconcileSummary | None) -> str:
    if summary is None:
        return "Not run yet. Customers are compared with Stripe every night after 03:00 UTC."
    day = f"{summary.day:%-d %B %Y}"
    if summary.finished_at is None:
        return f"The run of {day} has started and hasn't finished."
    return (
        f"{day}: {summary.checked:,} checked, {summary.fixed_total:,} fixed, "
        f"{summary.problems_total:,} need attention."
    )


reauthentication.pending_actions |= {
    "operator.load": OperatorState.load,
    "operator.replay": OperatorState.replay,
    "operator.replay_all": OperatorState.replay_all,
    "operator.compare": OperatorState.compare,
}
