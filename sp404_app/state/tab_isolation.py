"""Tab isolation: reset a tab's state when it connects with another session, or without one.

Reflex keeps the state on the server, under a token that the tab has in its session storage. Any
client that connects with this token gets the whole state before a handler can authenticate it.
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

CONNECT_EVENTS = frozenset(
    format_event_handler(rx.State.event_handlers[name])
    for name in (CompileVars.HYDRATE, CompileVars.HYDRATE_AND_LOAD)
)


class OwnerState(rx.State):
    """Hash of the session cookie of the tab's last connection; empty without one, None if new."""

    _cookie: str | None = None


class TabIsolation(Middleware):
    """Resets a tab's state when another session connects to it."""

    async def preprocess(self, app: "App", state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002 - Reflex's signature
        """Reset the state if a new session connects; drop other events of another session."""
        cookie = authentication.read_cookie(state.router.headers.cookie)
        cookie_hash = sessions.hash_token(cookie).hex() if cookie else ""
        owner = await state.get_state(OwnerState)
        # Backend variables, which never reach the browser, start with an underscore in Reflex.
        known = owner._cookie  # noqa: SLF001
        if event.name in CONNECT_EVENTS:
            if known is not None and (known != cookie_hash or not await _is_alive(cookie)):
                state.reset()  # resets the whole tab: connect events belong to the root state
        elif known is not None and known != cookie_hash:
            return StateUpdate(events=[])
        if known != cookie_hash:
            owner._cookie = cookie_hash  # noqa: SLF001
        return None


async def _is_alive(cookie: str) -> bool:
    """Return whether the cookie's session is valid, or whether there is no cookie."""
    try:
        return not cookie or bool(await authentication.authenticate_cookie(cookie))
    except (Unauthenticated, SQLAlchemyError):
        return False
