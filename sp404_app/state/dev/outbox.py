"""State of `/dev/outbox`: emails that were not sent, for requests from this machine only."""

import asyncio

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.infra import dev_outbox, local_access, unsent_emails
from sp404_app.services.infra.dev_outbox import OutboxMail
from sp404_app.settings import settings

DELIVERY_TIMEOUT_S, DELIVERY_CHECK_INTERVAL_S = 3.0, 0.1


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
        await _wait_for_delivery()
        self.mails = await asyncio.to_thread(dev_outbox.list_outbox)


async def _wait_for_delivery() -> None:
    """Wait for e-mails that a worker is about to write to the outbox, for up to three seconds."""
    for _ in range(round(DELIVERY_TIMEOUT_S / DELIVERY_CHECK_INTERVAL_S)):
        if not await in_transaction(unsent_emails.is_email_on_its_way):
            return
        await asyncio.sleep(DELIVERY_CHECK_INTERVAL_S)


def ensure_local(state: rx.State) -> None:
    """Check that the tab's websocket comes from this machine and not through a proxy.

    Raises:
        NotFound: if it does not.
    """
    router = state.router
    local_access.ensure_local(router.session.client_ip, router.headers.raw_headers.items())
