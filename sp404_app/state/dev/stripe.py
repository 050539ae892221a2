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
from sp404_app.services.billing.emulator_controls import (
    CustomerClock,
    DeliveryFaults,
    ReceivedEvent,
    SentEvent,
)
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.dev.outbox import ensure_local

NO_FAULTS = DeliveryFaults(0, False, 0, 0, False)


class DevStripeState(rx.State):
    """Clocks, events and webhook faults of the Stripe emulator."""

    loaded: bool = False
    closed: bool = False
    busy: bool = False
    message: str = ""
    clocks: list[CustomerClock] = []
    sent_events: list[SentEvent] = []
    received_events: list[ReceivedEvent] = []
    delivery_faults: DeliveryFaults = NO_FAULTS

    @rx.event
    async def load(self) -> None:
        """Load everything; empty without the emulator and for requests from other machines."""
        self.clocks, self.sent_events, self.received_events, self.message = [], [], [], ""
        self._ensure_available()
        await self._reload()
        self.loaded = True

    @rx.event
    async def advance(self, customer: str, step: str) -> AsyncIterator[EventType[()] | None]:
        """Advance one customer's clock."""
        self._ensure_available()
        chosen, how = validation.validate_text(customer, 255), validation.validate_text(step, 20)
        async for done in self._run_and_reload(
            in_transaction, emulator_controls.advance_clock, chosen, how
        ):
            yield done

    @rx.event
    async def change(self, name: str, value: Any) -> AsyncIterator[EventType[()] | None]:
        """Change a webhook fault setting."""
        self._ensure_available()
        wanted = value if isinstance(value, bool) else validation.parse_number(value) or 0
        if name == "duplicate":
            wanted = int(wanted)
        async for done in self._run_and_reload(
            asyncio.to_thread,
            emulator_controls.set_delivery_fault,
            validation.validate_text(name, 40),
            wanted,
        ):
            yield done

    @rx.event
    async def send_again(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Send an event to the webhook endpoints again."""
        self._ensure_available()
        async for done in self._run_and_reload(
            asyncio.to_thread,
            emulator_controls.redeliver_event,
            validation.validate_text(event, 255),
        ):
            yield done

    @rx.event
    async def retry(self) -> AsyncIterator[EventType[()] | None]:
        """Retry every delivery that failed or is pending."""
        self._ensure_available()
        async for done in self._run_and_reload(
            asyncio.to_thread, emulator_controls.retry_deliveries
        ):
            yield done

    @rx.event
    async def replay(self, event: str) -> AsyncIterator[EventType[()] | None]:
        """Process a received event again."""
        self._ensure_available()
        async for done in self._run_and_reload(
            in_transaction, webhooks.replay_event, validation.validate_text(event, 255)
        ):
            yield done

    @rx.event
    async def reconcile(self) -> AsyncIterator[EventType[()] | None]:
        """Reconcile all subscriptions with the emulator now."""
        self._ensure_available()
        self.busy = True
        yield None
        try:
            checked, healed, problems = await asyncio.to_thread(billing.reconcile)
        finally:
            self.busy = False
        await self._reload()
        self.message = f"{checked} compared, {len(healed)} healed, {len(problems)} need attention."

    async def _run_and_reload(
        self, how: Callable[..., Any], what: Callable[..., Any], *args: Any
    ) -> AsyncIterator[EventType[()] | None]:
        self.busy, self.message = True, ""
        yield None
        try:
            await how(what, *args)
        except AppError as error:
            self.message = str(error)
        finally:
            self.busy = False
        await self._reload()

    async def _reload(self) -> None:
        self.clocks = await asyncio.to_thread(emulator_controls.list_clocks)
        self.sent_events = await asyncio.to_thread(emulator_controls.list_sent_events)
        self.delivery_faults = await asyncio.to_thread(emulator_controls.get_delivery_faults)
        self.received_events = await in_transaction(emulator_controls.list_received_events)

    def _ensure_available(self) -> None:
        self.closed = True
        ensure_local(self)
        if not settings().stripe_emulated:
            raise NotFound("Page not found.")
        self.closed = False
