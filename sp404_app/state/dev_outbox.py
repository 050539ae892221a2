"""The page of mails that were not sent, on a developer's machine."""

import asyncio
import ipaddress

import reflex as rx

from sp404_app.errors import NotFound
from sp404_app.services import outbox
from sp404_app.services.outbox import OutboxMail
from sp404_app.settings import settings


class DevOutboxState(rx.State):
    """The mails, for whoever sits at this very machine."""

    mails: list[OutboxMail] = []
    loaded: bool = False
    closed: bool = False

    @rx.event
    async def load(self) -> None:
        """Read the outbox; strangers and production see an empty page."""
        self.closed = settings().in_production or not is_loopback(self.router.session.client_ip)
        self.mails, self.loaded = [], True
        if self.closed:
            raise NotFound("There is nothing at this address.")
        self.mails = await asyncio.to_thread(outbox.newest)


def is_loopback(ip: str) -> bool:
    """Say whether an address is this very machine."""
    try:
        return ipaddress.ip_address(ip).is_loopback
    except ValueError:
        return False
