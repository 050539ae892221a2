"""Billing tests: the API and the Stripe emulator on one real port, with the real Stripe client."""

import asyncio
import random
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models import BillingCustomer, Invoice, StripeEvent, Subscription
from sp404_app.services.billing import checkout, entitlements, stripe_client, sync
from sp404_app.services.plans import Interval, Tier
from sp404_app.settings import Settings, settings
from stripe_emulator import app as stripe_emulator
from tests.stripe_emulator.stripe_server import Served

VISA = "4242424242424242"
FAILS_LATER = "4000000000000341"
DAY = 86_400


@dataclass
class StripeFaults:
    """Faults of the connection to Stripe: an error status, a delay, or a lost answer."""

    status: int = 0
    slow: float = 0  # seconds before the answer is sent; the request is executed at once
    only: str = ""  # part of the paths that fail; empty for all
    method: str = ""
    after: bool = False  # Stripe executes the request, but its answer is lost
    nth: int | None = None  # only the nth matching call from now on, counted from 0
    calls: list[tuple[str, str]] = field(default_factory=list)

    def hits(self, method: str, path: str) -> bool:
        broken = self.status or self.slow
        if not broken or self.only not in path or self.method not in ("", method):
            return False
        if self.nth is None:
            return True
        self.nth -= 1
        return self.nth == -1


@dataclass
class Shop:
    """Purchases, the clock and the data of one test."""

    emulator: stripe_emulator.Emulator
    weather: StripeFaults
    base: str
    browser: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20))

    def start(
        self, user_id: uuid.UUID, tier: str = "pro", *, trial: bool = False, every: str = "month"
    ) -> str:
        with transaction() as session:
            return checkout.start_checkout(
                session, user_id, Tier(tier), trial=trial, interval=Interval(every)
            )

    def pay(self, url: str, card: str = VISA) -> str:
        """Submit the Checkout page; return the URL to which it redirects."""
        fields = {"email": "ada@example.org", "name": "Ada", "number": card}
        answer = self.browser.post(url, data=fields | {"expiry": "12/34", "cvc": "123"})
        return answer.headers.get("location", "")

    def finish(self, user_id: uuid.UUID, back: str) -> checkout.CheckoutResult:
        found = re.search(r"session_id=(\w+)", back)
        assert found, back
        with transaction() as session:
            return checkout.finish_checkout(session, user_id, found[1])

    def buy(
        self,
        user_id: uuid.UUID,
        tier: str = "pro",
        *,
        trial: bool = False,
        card: str = VISA,
        every: str = "month",
    ) -> Subscription:
        back = self.pay(self.start(user_id, tier, trial=trial, every=every), card)
        self.finish(user_id, back)
        self.settle()
        return self.subscription(user_id)

    def settle(self) -> None:
        """Deliver and handle all webhooks."""
        for _ in range(20):
            sent = self.emulator.deliver_pending(ignore_delays=True)
            if not (self.work() + sent):
                return

    def work(self) -> int:
        """Handle the stored events in random order; return how many there were."""
        with transaction() as session:
            found = list(
                session.exec(select(StripeEvent.id).where(StripeEvent.handled_at == None))  # noqa: E711
            )
        random.shuffle(found)
        for event_id in found:
            billing.handle_event(event_id)
        return len(found)

    def control(self, name: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.emulator.keys.api_key}"}
        answer = self.browser.post(f"{self.base}/dev/{name}", json=given, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def advance(self, user_id: uuid.UUID, **given: Any) -> None:
        """Advance the test clock of one user, and handle the resulting events."""
        self.control("advance", customer=self.customer(user_id).stripe_id, **given)
        self.settle()

    def customer(self, user_id: uuid.UUID) -> BillingCustomer:
        with transaction() as session:
            mine = select(BillingCustomer).where(BillingCustomer.user_id == user_id)
            return session.exec(mine).one()

    def subscription(self, user_id: uuid.UUID) -> Subscription:
        with transaction() as session:
            found = entitlements.find_current_subscription(session, user_id)
            assert found
            return found

    def entitled(self, user_id: uuid.UUID) -> tuple[str, str]:
        with transaction() as session:
            found = entitlements.get_entitlement(session, user_id)
            return found.plan.tier, found.access

    def invoices(self, user_id: uuid.UUID) -> list[Invoice]:
        with transaction() as session:
            mine = select(Invoice).where(Invoice.user_id == user_id)
            return list(session.exec(mine.order_by(Invoice.created)))  # type: ignore[arg-type]

    def customer_known(self, user_id: uuid.UUID) -> bool:
        with transaction() as session:
            mine = select(BillingCustomer.stripe_id).where(BillingCustomer.user_id == user_id)
            return bool(session.exec(mine).first())

    def bought(self, user_id: uuid.UUID) -> bool:
        """Return whether Stripe has a live subscription; if so, sync the user's rows."""
        if not self.living(user_id):
            return False
        with transaction() as session:
            sync.sync_customer(session, user_id)
        return True

    def stripe(self) -> Any:
        return stripe_client.client().v1

    def living(self, user_id: uuid.UUID) -> list[Any]:
        """Return the user's subscriptions at Stripe that are not cancelled."""
        found = self.stripe().subscriptions.list({"customer": self.customer(user_id).stripe_id})
        return [one for one in found.data if one.status != "canceled"]

    def card(self, user_id: uuid.UUID, name: str) -> None:
        """Change the payment method of customer and subscriptions, as the portal does."""
        customer = self.customer(user_id).stripe_id
        method = self.stripe().payment_methods.attach(name, {"customer": customer})
        self.stripe().customers.update(
            customer, {"invoice_settings": {"default_payment_method": method.id}}
        )
        for one in self.living(user_id):
            self.stripe().subscriptions.update(one.id, {"default_payment_method": method.id})


def with_faults(emulator: ASGIApp, weather: StripeFaults) -> ASGIApp:
    """Apply the faults to Stripe's API; its pages are not affected."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["type"] != "http" or "/v1/" not in path:
            await emulator(scope, receive, send)
            return
        weather.calls.append((scope["method"], path.split("/v1")[1]))
        if not weather.hits(scope["method"], path):
            await emulator(scope, receive, send)
            return
        if weather.slow:
            await emulator(scope, receive, partial(_send_late, send, weather.slow))
            return
        if weather.after:
            await emulator(scope, receive, _discard_message)
        body = {"error": {"type": "api_error", "message": "Something is wrong here."}}
        # Stripe-Should-Retry stops the Stripe client from retrying.
        answer: Response = JSONResponse(body, weather.status, {"Stripe-Should-Retry": "false"})
        await answer(scope, Request(scope, receive).receive, send)

    return guarded


async def _discard_message(_: Any) -> None:
    return


async def _send_late(send: Send, seconds: float, message: Any) -> None:
    if message["type"] == "http.response.start":
        await asyncio.sleep(seconds)
    await send(message)


@contextmanager
def open_shop(
    services: Settings, environment: pytest.MonkeyPatch, served: Served, folder: Path
) -> Iterator[Shop]:
    from sp404_app.api.app import api

    environment.setenv("PORT", str(served.port))
    settings.cache_clear()
    base = f"http://127.0.0.1:{served.port}/_stripe"
    emulator = stripe_emulator.create_emulator(
        folder / "stripe.db",
        services.secrets / "stripe.json",
        base,
        f"http://127.0.0.1:{served.port}/api/webhooks/stripe",
    )
    weather = StripeFaults()
    routes = [Mount("/_stripe", with_faults(emulator, weather)), Mount("/", api)]
    served.target = Starlette(routes=routes)
    environment.setattr(stripe_client, "RETRIES", 0)
    stripe_client._client.cache_clear()
    shop = Shop(emulator, weather, base)
    yield shop
    shop.browser.close()
    stripe_client._client.cache_clear()
