"""Whose a tab's state is. It outlives a sign-in, and whoever comes next must find nothing in it.

Reflex keeps the state of a tab under a token in the tab's session storage, and sends all of it to
whoever connects with that token, before any handler of ours asks who that is.
"""

from typing import TYPE_CHECKING

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.constants import CompileVars
from reflex_base.utils.format import format_event_handler
from sqlalchemy.exc import SQLAlchemyError

from sp404_app.errors import Unauthenticated
from sp404_app.services.auth import authentication, sessions

if TYPE_CHECKING:
    from reflex.app import App

CONNECTS = frozenset(
    format_event_handler(rx.State.event_handlers[name])
    for name in (CompileVars.HYDRATE, CompileVars.HYDRATE_AND_LOAD)
)


class OwnerState(rx.State):
    """By which cookie the tab last connected: its hash, empty without one, None for a new tab."""

    _cookie: str | None = None


class KeepApart(Middleware):
    """Empties a state that was another one's before it is shown."""

    async def preprocess(self, app: "App", state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002 - Reflex's signature
        """Look at who sends an event; what comes after another one's connecting is not done."""
        cookie = authentication.cookie_in(state.router.headers.cookie)
        here = sessions.digest(cookie).hex() if cookie else ""
        owner = await state.get_state(OwnerState)
        known = owner._cookie  # noqa: SLF001 - what begins so stays on the server
        if event.name in CONNECTS:
            if known is not None and (known != here or not await _lives(cookie)):
                state.reset()  # the root, for connecting is an event of the root
        elif known is not None and known != here:
            return StateUpdate(events=[])
        if known != here:
            owner._cookie = here  # noqa: SLF001
        return None


async def _lives(cookie: str) -> bool:
    """Say whether a cookie still opens something; without one there is nothing to end."""
    try:
        return not cookie or bool(await authentication.of_cookie(cookie))
    except (Unauthenticated, SQLAlchemyError):
        return False
