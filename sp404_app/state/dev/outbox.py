"""The page of mails that were not sent, on a developer's machine."""

import asyncio

import reflex as rx

from sp404_app.errors import NotFound
from sp404_app.services.infra import dev_outbox, local_access
from sp404_app.services.infra.dev_outbox import OutboxMail
from sp404_app.settings import settings


class DevOutboxState(rx.State):
    """The mails, for whoever sits at this very machine."""

    mails: list[OutboxMail] = []
    loaded: bool = False
    closed: bool = False

    @rx.event
    async def load(self) -> None:
        """Read the outbox; strangers and production see an empty page."""
        self.closed, self.mails, self.loaded = True, [], True
        ensure_local(self)
        if settings().in_production:
            raise NotFound("There is nothing at this address.")
        self.closed = False
        self.mails = await asyncio.to_thread(dev_outbox.newest)


def ensure_local(state: rx.State) -> None:
    """Check that a tab's websocket was opened on this machine, and not through a proxy on it.

    Raises:
        NotFound: If it was not.
    """
    router = state.router
    local_access.ensure_local(router.session.client_ip, router.headers.raw_headers.items())
