"""State of `/dev/outbox`: emails that were not sent, for requests from this machine only."""

import asyncio

import reflex as rx

from sp404_app.errors import NotFound
from sp404_app.services.infra import dev_outbox, local_access
from sp404_app.services.infra.dev_outbox import OutboxMail
from sp404_app.settings import settings


class DevOutboxState(rx.State):
    """The newest emails of the development outbox."""

    mails: list[OutboxMail] = []
    loaded: bool = False
    closed: bool = False

    @rx.event
    async def load(self) -> None:
        """Load the outbox; it stays empty in production and for requests from other machines."""
        self.closed, self.mails, self.loaded = True, [], True
        ensure_local(self)
        if settings().in_production:
            raise NotFound("Page not found.")
        self.closed = False
        self.mails = await asyncio.to_thread(dev_outbox.list_outbox)


def ensure_local(state: rx.State) -> None:
    """Check that the tab's websocket comes from this machine and not through a proxy.

    Raises:
        NotFound: if it does not.
    """
    router = state.router
    local_access.ensure_local(router.session.client_ip, router.headers.raw_headers.items())
