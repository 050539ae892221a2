"""The billing page: how the subscription stands, what was paid, and what to do about it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.services.billing import checkout, invoices, subscriptions
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.billing import billing_view
from sp404_app.state.billing.billing_view import Banner, Card, InvoiceRow
from sp404_app.state.billing.checkout_redirect import leave
from sp404_app.state.billing.slow_request import done_soon
from sp404_app.state.toast import NoticeState

PATIENCE, PAUSE = 10.0, 1.0  # seconds: for a purchase to arrive, and between looks
CANCELLED = "Cancelled. Everything stays until the period ends."
ENDED = "Your subscription has ended. All your sounds stay."
SLOW = "Your payment is on its way. This page shows it as soon as it arrives."


class BillingState(SessionState):
    """A person's subscription and invoices."""

    loaded: bool = False
    test_mode: bool = False
    activating: bool = False
    asking: bool = False
    busy: bool = False
    slow: bool = False
    problem: str = ""
    card: Card = Card()
    banner: Banner = Banner()
    rows: list[InvoiceRow] = []

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Read how things stand, from our own tables, then follow the news."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        self.asking, self.busy, self.slow, self.problem = False, False, False, ""
        self.activating = bool(self.router.url.query_parameters.get("session_id"))
        await self._read(user_id)
        self.loaded = True
        yield BillingState.watch  # here: in the page's list, it would run beside this and collide

    @rx.event(background=True)
    async def watch(self) -> None:
        """Take over a purchase one comes back from, then follow the news until the tab leaves."""
        user_id = await self._user_id()
        if found := self.router.url.query_parameters.get("session_id"):
            await self._activate(user_id, validation.text(found, 255))
        async for burst in events.listen(user_id):
            if not burst or any(news.topic is Topic.SUBSCRIPTION for news in burst):
                async with self:
                    await self._read(user_id)

    @rx.event
    async def to_portal(self) -> AsyncIterator[EventType[()] | None]:
        """Go where the card is changed."""
        async for step in self._go(subscriptions.portal):
            yield step

    @rx.event
    async def to_payment(self) -> AsyncIterator[EventType[()] | None]:
        """Go where the open invoice is paid."""
        async for step in self._go(invoices.pay_url):
            yield step

    @rx.event
    def ask(self, asking: bool) -> None:
        """Ask before cancelling, or stop asking."""
        self.asking, self.problem = asking is True, ""

    @rx.event
    async def cancel(self) -> AsyncIterator[EventType[()] | None]:
        """Cancel at the period's end."""
        async for step in self._do(subscriptions.cancel, CANCELLED):
            yield step

    @rx.event
    async def resume(self) -> AsyncIterator[EventType[()] | None]:
        """Take a cancellation back."""
        async for step in self._do(subscriptions.resume, "Your subscription goes on."):
            yield step

    @rx.event
    async def keep(self) -> AsyncIterator[EventType[()] | None]:
        """Take a downgrade back."""
        async for step in self._do(subscriptions.keep, "You stay on your plan."):
            yield step

    async def _activate(self, user_id: uuid.UUID, checkout_id: str) -> None:
        problem = await take_over(user_id, checkout_id)
        async with self:
            self.activating, self.problem = False, problem
            await self._read(user_id)

    async def _go(self, where: Callable[..., str]) -> AsyncIterator[EventType[()] | None]:
        user_id = await self._user_id()
        self.busy, self.problem = True, ""
        yield None
        work = asyncio.ensure_future(in_transaction(where, user_id))
        if not await done_soon(work):
            self.slow = True
            yield None
        try:
            address = await work
        except AppError as error:
            self.problem = str(error)
            return
        finally:
            self.busy = self.slow = False
        if address:
            yield await leave(self, address)

    async def _do(self, act: Callable[..., Any], words: str) -> AsyncIterator[EventType[()] | None]:
        user_id = await self._user_id()
        self.busy, self.problem = True, ""
        yield None
        work = asyncio.ensure_future(in_transaction(act, user_id))
        if not await done_soon(work):
            self.slow = True
            yield None
        try:
            await work
        except AppError as error:
            self.problem = str(error)
            return
        finally:
            self.busy = self.slow = False
        self.asking = False
        await self._read(user_id)
        if words == CANCELLED and not self.card.can_resume:
            words = ENDED
        yield NoticeState.show(words, "ok", False)  # type: ignore[misc]

    async def _read(self, user_id: uuid.UUID) -> None:
        found = await in_transaction(billing_view.facts, user_id, self._tongue())
        self.card, self.banner, self.rows = found.card, found.banner, found.rows


async def take_over(user_id: uuid.UUID, checkout_id: str) -> str:
    """Take over a purchase as soon as it arrives; return what is wrong, or "".

    One look may take as long as all of them, if Stripe is silent: then it is the only one.
    """
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            found = await in_transaction(checkout.finish, user_id, checkout_id)
        except AppError as error:
            problem = str(error)
            if error.status < 500:
                return problem
        else:
            problem = "" if found.subscribed or not found.complete else SLOW
            if not problem:
                return ""
        if time.monotonic() + PAUSE >= ends:
            return problem
        await asyncio.sleep(PAUSE)
