"""State of the re-authentication dialog; the pending action continues after the password."""

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

# Handlers that may run after re-authentication, by name. States of pages register theirs.
pending_actions: dict[str, Callable[..., Any]] = {}


class ConfirmState(SessionState):
    """The password dialog over a page."""

    asking: bool = False
    busy: bool = False
    problem: str = ""
    _pending_action: str = ""
    _arguments: tuple[Any, ...] = ()

    @rx.event(background=True)
    async def confirm(self, form: dict[str, Any]) -> AsyncIterator[EventType[()]]:
        """Re-authenticate and run the pending action."""
        who = await self._signed_in()
        async with self:
            if self.busy or not self.asking:
                return  # a double click
            self.busy, self.problem, client = True, "", self._client()
        problem = ""
        try:
            await reauthentication.reauthenticate(who, forms.form_text(form, "proof"), client)
        except AppError as error:
            problem = str(error)
        async with self:
            self.busy, self.problem, self.asking = False, problem, bool(problem)
            action, arguments = self._pending_action, self._arguments
            if not problem:
                self._pending_action, self._arguments = "", ()
        if not problem and action in pending_actions:
            yield pending_actions[action](*arguments)

    @rx.event
    async def cancel(self) -> None:
        """Close the dialog and drop the pending action."""
        await self._user_id()
        self.asking, self.problem = False, ""
        self._pending_action, self._arguments = "", ()


async def require_reauthentication(
    state: SessionState, who: SignedIn, action: str, *arguments: Any
) -> bool:
    """Return whether the session is re-authenticated; if not, open the dialog.

    Once the password is correct, the dialog runs `action` with these arguments. API routes depend
    on `deps.RecentlyReauthenticated` instead.
    """
    if await in_transaction(reauthentication.is_reauthenticated, who):
        return True
    dialog = await state.get_state(ConfirmState)
    dialog.asking, dialog.busy, dialog.problem = True, False, ""
    dialog._pending_action, dialog._arguments = action, arguments  # noqa: SLF001 - same module
    return False
