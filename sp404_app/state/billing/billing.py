"""State of /billing: the subscription, its actions, and the invoices."""

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
from sp404_app.services.plans import ensure_billing
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.billing import billing_view
from sp404_app.state.billing.billing_view import InvoiceRow, PaymentBanner, SubscriptionCard
from sp404_app.state.billing.checkout_redirect import redirect_tab
from sp404_app.state.billing.slow_request import is_done_soon
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.toast import ToastState

ACTIVATION_TIMEOUT_S, ACTIVATION_POLL_S = 10.0, 1.0
CANCELLED_TEXT = "Subscription cancelled. You keep your plan until the end of the billing period."
ENDED_TEXT = "Your subscription has ended. All your sounds are still there."
PAYMENT_PENDING_TEXT = (
    "Your payment is still being processed. This page updates when it's complete."
)


class BillingState(SessionState):
    """The user's subscription and invoices."""

    loaded: bool = False
    test_mode: bool = False
    activating: bool = False
    asking: bool = False
    busy: bool = False
    slow: bool = False
    problem: str = ""
    card: SubscriptionCard = SubscriptionCard()
    banner: PaymentBanner = PaymentBanner()
    rows: list[InvoiceRow] = []

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Load the page from our tables, then watch for changes."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        self.asking, self.busy, self.slow, self.problem = False, False, False, ""
        self.activating = bool(self.router.url.query_parameters.get("session_id"))
        await self._read(user_id)
        self.loaded = True
        # Yielded here, because in the page's on_load list it would run concurrently with `load`.
        yield BillingState.watch

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Activate a purchase the user returns from, then reload on subscription events."""
        user_id = await self._user_id()
        if checkout_id := self.router.url.query_parameters.get("session_id"):
            await self._activate(user_id, validation.validate_text(checkout_id, 255))
        async for burst in events.listen(user_id):
            if not burst or any(event.topic is Topic.SUBSCRIPTION for event in burst):
                async with self:
                    await self._read(user_id)

    @rx.event
    async def to_portal(self) -> AsyncIterator[EventType[()] | None]:
        """Redirect to the customer portal."""
        async for step in self._redirect(subscriptions.open_portal):
            yield step

    @rx.event
    async def to_payment(self) -> AsyncIterator[EventType[()] | None]:
        """Redirect to the payment page of the open invoice."""
        async for step in self._redirect(invoices.open_invoice_url):
            yield step

    @rx.event
    def ask(self, asking: bool) -> None:
        """Show or hide the confirmation of a cancellation."""
        self.asking, self.problem = asking is True, ""

    @rx.event
    async def cancel(self) -> AsyncIterator[EventType[()] | None]:
        """Cancel at period end."""
        async for step in self._do(subscriptions.cancel_subscription, CANCELLED_TEXT):
            yield step

    @rx.event
    async def resume(self) -> AsyncIterator[EventType[()] | None]:
        """Undo a scheduled cancellation."""
        async for step in self._do(
            subscriptions.resume_subscription, "Your subscription will continue."
        ):
            yield step

    @rx.event
    async def keep(self) -> AsyncIterator[EventType[()] | None]:
        """Undo a scheduled downgrade."""
        async for step in self._do(subscriptions.keep_plan, "You're keeping your plan."):
            yield step

    async def _user_id(self) -> uuid.UUID:
        ensure_billing()  # a browser can call these handlers also where the page does not exist
        return await super()._user_id()

    async def _activate(self, user_id: uuid.UUID, checkout_id: str) -> None:
        problem = await activate_purchase(user_id, checkout_id)
        async with self:
            self.activating, self.problem = False, problem
            await self._read(user_id)

    async def _redirect(self, find_url: Callable[..., str]) -> AsyncIterator[EventType[()] | None]:
        user_id = await self._user_id()
        self.busy, self.problem = True, ""
        yield None
        work = asyncio.ensure_future(in_transaction(find_url, user_id))
        if not await is_done_soon(work):
            self.slow = True
            yield None
        try:
            url = await work
        except AppError as error:
            self.problem = str(error)
            return
        finally:
            self.busy = self.slow = False
        if url:
            yield await redirect_tab(self, url)

    async def _do(
        self, action: Callable[..., Any], message: str
    ) -> AsyncIterator[EventType[()] | None]:
        user_id = await self._user_id()
        self.busy, self.problem = True, ""
        yield None
        work = asyncio.ensure_future(in_transaction(action, user_id))
        if not await is_done_soon(work):
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
        if message == CANCELLED_TEXT and not self.card.can_resume:
            message = ENDED_TEXT  # a subscription with a missing payment ends immediately
        # The button is gone, and the focus with it.
        yield [ToastState.show(message, "ok"), rx.set_focus("change-plan")]  # type: ignore[list-item]

    async def _read(self, user_id: uuid.UUID) -> None:
        page = await in_transaction(billing_view.load_billing_page, user_id, self._locale())
        self.card, self.banner, self.rows = page.card, page.banner, page.rows


async def activate_purchase(user_id: uuid.UUID, checkout_id: str) -> str:
    """Poll a Checkout Session until its subscription is in our tables; return a problem, or "".

    If Stripe does not answer, the first poll can take the whole timeout.
    """
    deadline = time.monotonic() + ACTIVATION_TIMEOUT_S
    while True:
        try:
            result = await in_transaction(checkout.finish_checkout, user_id, checkout_id)
        except AppError as error:
            problem = str(error)
            if error.status < 500:
                return problem
        else:
            problem = "" if result.subscribed or not result.complete else PAYMENT_PENDING_TEXT
            if not problem:
                return ""
        if time.monotonic() + ACTIVATION_POLL_S >= deadline:
            return problem
        await asyncio.sleep(ACTIVATION_POLL_S)
