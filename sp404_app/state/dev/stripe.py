"""State of `/dev/stripe`: test clocks, events and webhook faults, for this machine only."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound
from sp404_app.jobs import billing
from sp404_app.services.billing import emulator_controls, webhooks
from sp404_app.services.billing.emulator_controls import Chaos, Clock, Sent, Taken
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.dev.outbox import ensure_local

NO_FAULTS = Chaos(0, False, 0, 0, False)


class DevStripeState(rx.State):
    """Clocks, events and webhook faults of the Stripe emulator."""

    loaded: bool = False
    closed: bool = False
    busy: bool = False
    said: str = ""
    clocks: list[Clock] = []
    sent: list[Sent] = []
    taken: list[Taken] = []
    chaos: Chaos = NO_FAULTS

    @rx.event
    async def load(self) -> None:
        """Load everything; empty without the emulator and for requests from other machines."""
        self.clocks, self.sent, self.taken, self.said = [], [], [], ""
        self._ensure_here()
        await self._read()
        self.loaded = True

    @rx.event
    async def advance(self, customer: str, step: str) -> AsyncIterator[EventType[()] | None]:
        """Advance one customer's clock."""
        self._ensure_here()
        chosen, how = validation.text(customer, 255), validation.text(step, 20)
        async for done in self._do(in_transaction, emulator_controls.advance, chosen, how):
            yield done

    @rx.event
    async def change(self, name: str, value: Any) -> AsyncIterator[EventType[()] | None]:
        """Change a webhook fault setting."""
        self._ensure_here()
        wanted = value if isinstance(value, bool) else validation.number(value) or 0
        if name == "duplicate":
            wanted = int(wanted)
        async for done in self._do(
            asyncio.to_thread, emulator_controls.change, validation.text(name, 40), wanted
        ):
            yield done

    @rx.event
    async def send_again(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Send an event to the webhook endpoints again."""
        self._ensure_here()
        async for done in self._do(
            asyncio.to_thread, emulator_controls.send_again, validation.text(event, 255)
        ):
            yield done

    @rx.event
    async def retry(self) -> AsyncIterator[EventType[()] | None]:
        """Retry every delivery that failed or is pending."""
        self._ensure_here()
        async for done in self._do(asyncio.to_thread, emulator_controls.retry):
            yield done

    @rx.event
    async def replay(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Process a received event again."""
        self._ensure_here()
        async for done in self._do(in_transaction, webhooks.replay, validation.text(event, 255)):
            yield done

    @rx.event
    async def reconcile(self) -> AsyncIterator[EventType[()] | None]:
        """Reconcile all subscriptions with the emulator now."""
        self._ensure_here()
        self.busy = True
        yield None
        try:
            checked, healed, problems = await asyncio.to_thread(billing.reconcile)
        finally:
            self.busy = False
        await self._read()
        self.said = f"{checked} compared, {len(healed)} healed, {len(problems)} need a look."

    async def _do(
        self, how: Callable[..., Any], what: Callable[..., Any], *args: Any
    ) -> AsyncIterator[EventType[()] | None]:
        self.busy, self.said = True, ""
        yield None
        try:
            await how(what, *args)
        except AppError as error:
            self.said = str(error)
        finally:
            self.busy = False
        await self._read()

    async def _read(self) -> None:
        self.clocks = await asyncio.to_thread(emulator_controls.clocks)
        self.sent = await asyncio.to_thread(emulator_controls.sent)
        self.chaos = await asyncio.to_thread(emulator_controls.chaos)
        self.taken = await in_transaction(emulator_controls.taken)

    def _ensure_here(self) -> None:
        self.closed = True
        ensure_local(self)
        if not settings().stripe_emulated:
            raise NotFound("There is nothing at this address.")
        self.closed = False
