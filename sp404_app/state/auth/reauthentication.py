"""Confirm it is you: asked for once, then what was wanted goes on by itself."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.services.auth import reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.state import forms
from sp404_app.state.base import SessionState

# What may go on after a confirmation, by name; the pages' states add theirs.
pending_actions: dict[str, Callable[..., Any]] = {}


class ConfirmState(SessionState):
    """The question for the password, in front of the page."""

    asking: bool = False
    busy: bool = False
    problem: str = ""
    _wanted: str = ""
    _with: tuple[Any, ...] = ()

    @rx.event(background=True)
    async def confirm(self, form: dict[str, Any]) -> AsyncIterator[EventType[()]]:
        """Prove the password, and go on with what was wanted."""
        who = await self._signed_in()
        async with self:
            if self.busy or not self.asking:
                return  # the second of two clicks
            self.busy, self.problem, client = True, "", self._client()
        problem = ""
        try:
            await reauthentication.confirm(who, forms.raw(form, "proof"), client)
        except AppError as error:
            problem = str(error)
        async with self:
            self.busy, self.problem, self.asking = False, problem, bool(problem)
            wanted, arguments = self._wanted, self._with
            if not problem:
                self._wanted, self._with = "", ()
        if not problem and wanted in pending_actions:
            yield pending_actions[wanted](*arguments)

    @rx.event
    async def cancel(self) -> None:
        """Do nothing after all."""
        await self._user_id()
        self.asking, self.problem, self._wanted, self._with = False, "", "", ()


async def sure(state: SessionState, who: SignedIn, wanted: str, *arguments: Any) -> bool:
    """Say whether the password was proved lately; if not, ask for it and remember what was wanted.

    For what a page shows: the services behind the API ask for themselves.
    """
    if await in_transaction(reauthentication.is_fresh, who):
        return True
    question = await state.get_state(ConfirmState)
    question.asking, question.busy, question.problem = True, False, ""
    question._wanted, question._with = wanted, arguments  # noqa: SLF001 - ours
    return False
