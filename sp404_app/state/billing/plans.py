"""State of /plans: the plan cards, and the dialog that confirms a change."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import reflex as rx
from reflex.event import EventType

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, ValidationFailed
from sp404_app.services.billing import checkout, proration_preview, subscriptions
from sp404_app.services.billing.proration_preview import ChangeKind
from sp404_app.services.billing.subscriptions import ChangeResult
from sp404_app.services.plans import PLANS, Interval, Tier, ensure_billing
from sp404_app.settings import settings
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.billing import plans_view
from sp404_app.state.billing.checkout_redirect import redirect_tab
from sp404_app.state.billing.plans_view import ChangeDialog, PlanCard
from sp404_app.state.billing.slow_request import is_done_soon
from sp404_app.state.toast import ToastState


class PlansState(SessionState):
    """The three plan cards, and the change dialog (open if it has a tier)."""

    loaded: bool = False
    test_mode: bool = False
    came_back: bool = False
    interval: str = Interval.MONTH.value
    cards: list[PlanCard] = []
    dialog: ChangeDialog = ChangeDialog()
    busy: bool = False
    slow: bool = False
    problem: str = ""
    pay_url: str = ""

    _proration_date: int | None = None

    @rx.event
    async def load(self) -> None:
        """Load the plan cards for the signed-in user."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        self.came_back = "cancelled" in self.router.url.query_parameters
        self.dialog, self.problem, self.pay_url, self.busy = ChangeDialog(), "", "", False
        self.slow = False
        interval = await in_transaction(plans_view.current_interval, user_id)
        if self.router.url.query_parameters.get("interval") == Interval.YEAR:
            interval = Interval.YEAR
        self.interval = interval.value
        await self._read_cards(user_id)
        self.loaded = True

    @rx.event
    async def show_interval(self, interval: str) -> None:
        """Show the prices of one month or one year."""
        user_id = await self._user_id()
        self.interval = _parse_interval(interval).value
        self.problem, self.pay_url = "", ""
        await self._read_cards(user_id)

    @rx.event
    async def choose(self, tier: str, trial: bool = False) -> AsyncIterator[EventType[()] | None]:
        """Open the dialog with the effects and the cost of a change."""
        user_id = await self._user_id()
        wanted = _parse_tier(tier)
        self.busy, self.problem, self.pay_url = True, "", ""
        yield
        work = asyncio.ensure_future(
            in_transaction(
                proration_preview.preview_change, user_id, wanted, _parse_interval(self.interval)
            )
        )
        if not await is_done_soon(work):
            self.slow = True
            yield
        try:
            preview = await work
        except AppError as error:
            self.problem = str(error)
            return
        finally:
            self.busy = self.slow = False
        self._proration_date = preview.proration_date
        self.dialog = plans_view.change_dialog(
            preview, plans_view.current_tier(self.cards), self._locale(), trial=trial is True
        )

    @rx.event
    def close(self) -> None:
        """Close the dialog."""
        self.dialog, self.problem, self.pay_url = ChangeDialog(), "", ""

    @rx.event
    async def confirm(self) -> AsyncIterator[EventType[()] | None]:
        """Start the purchase or make the change shown in the dialog. Idempotent."""
        user_id = await self._user_id()
        dialog = self.dialog
        if not dialog.tier or self.busy:
            return
        self.busy, self.problem, self.pay_url = True, "", ""
        yield
        is_purchase = dialog.kind == ChangeKind.SUBSCRIBE
        work = asyncio.ensure_future(self._buy(user_id) if is_purchase else self._change(user_id))
        if not await is_done_soon(work):
            self.slow = True
            yield
        try:
            result = await work
        except AppError as error:
            self.problem, self.pay_url = str(error), str(error.details.get("pay_url", ""))
            return
        finally:
            self.busy = self.slow = False
        if isinstance(result, str):
            yield await redirect_tab(self, result)
            return
        await self._read_cards(user_id)
        if not result.done:
            self.problem = "Your card was declined, so your plan hasn't changed."
            self.pay_url = result.pay_url
            return
        self.dialog = ChangeDialog()
        message = plans_view.change_confirmation(dialog)
        yield ToastState.show(message, "ok")  # type: ignore[misc]

    async def _user_id(self) -> uuid.UUID:
        ensure_billing()  # a browser can call these handlers also where the page does not exist
        return await super()._user_id()

    async def _read_cards(self, user_id: uuid.UUID) -> None:
        interval = _parse_interval(self.interval)
        self.cards = await in_transaction(
            plans_view.load_plan_cards, user_id, self._locale(), interval
        )

    async def _buy(self, user_id: uuid.UUID) -> str:
        tier = checkout.parse_paid_tier(self.dialog.tier)
        return await in_transaction(
            checkout.start_checkout,
            user_id,
            tier,
            trial=self.dialog.trial,
            interval=_parse_interval(self.dialog.interval),
        )

    async def _change(self, user_id: uuid.UUID) -> ChangeResult:
        tier = _parse_tier(self.dialog.tier)
        interval = _parse_interval(self.dialog.interval)
        return await in_transaction(
            subscriptions.change_plan, user_id, tier, self._proration_date, interval
        )


def _parse_tier(name: object) -> Tier:
    tier = validation.validate_text(name, 40)
    return Tier(tier) if tier in set(PLANS) else checkout.parse_paid_tier(tier)


def _parse_interval(name: object) -> Interval:
    found = validation.validate_text(name, 10)
    if found not in set(Interval):
        raise ValidationFailed("Choose monthly or yearly.", {"interval": ["Choose one of both."]})
    return Interval(found)
