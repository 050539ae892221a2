"""The plan selector: what each plan is to this person, and what choosing one would cost."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError
from sp404_app.services.billing import checkout, proration_preview, subscriptions
from sp404_app.services.billing.proration_preview import Kind
from sp404_app.services.billing.subscriptions import Changed
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.billing import plans_view
from sp404_app.state.billing.checkout_redirect import leave
from sp404_app.state.billing.plans_view import PlanCard, Question
from sp404_app.state.billing.slow_request import done_soon
from sp404_app.state.toast import NoticeState


class PlansState(SessionState):
    """The three plans, and the one that is being chosen."""

    loaded: bool = False
    test_mode: bool = False
    came_back: bool = False
    cards: list[PlanCard] = []
    question: Question = Question()
    busy: bool = False
    slow: bool = False
    problem: str = ""
    pay_url: str = ""

    _proration_date: int | None = None

    @rx.event
    async def load(self) -> None:
        """Read how the plans look to whoever is signed in."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        self.came_back = "cancelled" in self.router.url.query_parameters
        self.question, self.problem, self.pay_url, self.busy = Question(), "", "", False
        self.slow = False
        self.cards = await in_transaction(plans_view.cards, user_id, self._tongue())
        self.loaded = True

    @rx.event
    async def choose(self, tier: str, trial: bool = False) -> AsyncIterator[EventType[()] | None]:
        """Show what choosing a plan would change and cost."""
        user_id = await self._user_id()
        wanted = _tier(tier)
        self.busy, self.problem, self.pay_url = True, "", ""
        yield
        work = asyncio.ensure_future(
            in_transaction(proration_preview.preview_change, user_id, wanted)
        )
        if not await done_soon(work):
            self.slow = True
            yield
        try:
            found = await work
        except AppError as error:
            self.problem = str(error)
            return
        finally:
            self.busy = self.slow = False
        self._proration_date = found.proration_date
        self.question = plans_view.question(
            found, plans_view.current_of(self.cards), self._tongue(), trial=trial is True
        )

    @rx.event
    def close(self) -> None:
        """Choose nothing."""
        self.question, self.problem, self.pay_url = Question(), "", ""

    @rx.event
    async def confirm(self) -> AsyncIterator[EventType[()] | None]:
        """Do what was asked; a second click finds it done."""
        user_id = await self._user_id()
        asked = self.question
        if not asked.tier or self.busy:
            return
        self.busy, self.problem, self.pay_url = True, "", ""
        yield
        buys = asked.kind == Kind.SUBSCRIBE
        work = asyncio.ensure_future(self._buy(user_id) if buys else self._change(user_id))
        if not await done_soon(work):
            self.slow = True
            yield
        try:
            done = await work
        except AppError as error:
            self.problem, self.pay_url = str(error), str(error.details.get("pay_url", ""))
            return
        finally:
            self.busy = self.slow = False
        if isinstance(done, str):
            yield await leave(self, done)
            return
        self.cards = await in_transaction(plans_view.cards, user_id, self._tongue())
        if not done.done:
            self.problem = "Your card did not pay for the change. You are still on your plan."
            self.pay_url = done.pay_url
            return
        self.question = Question()
        yield NoticeState.show(plans_view.said(asked), "ok", False)  # type: ignore[misc]

    async def _buy(self, user_id: uuid.UUID) -> str:
        tier = checkout.paid_tier(self.question.tier)
        return await in_transaction(checkout.start, user_id, tier, trial=self.question.trial)

    async def _change(self, user_id: uuid.UUID) -> Changed:
        tier = _tier(self.question.tier)
        return await in_transaction(subscriptions.change, user_id, tier, self._proration_date)


def _tier(name: object) -> Tier:
    tier = validation.text(name, 40)
    return Tier(tier) if tier in set(PLANS) else checkout.paid_tier(tier)
