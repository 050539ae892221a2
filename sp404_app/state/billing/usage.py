"""State of /usage: usage against the plan's limits, daily charts, forecasts, largest sounds."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import plotly.graph_objects as go
import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.figures.empty import EMPTY_FIGURE
from sp404_app.figures.palette import palette_of_theme
from sp404_app.figures.usage import usage_figure
from sp404_app.services.billing import entitlements, quotas, usage
from sp404_app.services.billing.email_templates import format_date
from sp404_app.services.billing.quotas import QuotaUsage
from sp404_app.services.billing.usage import UsageDay
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.services.plans import full_storage_advice
from sp404_app.settings import MB, settings
from sp404_app.state.base import SessionState
from sp404_app.state.billing.plans_view import format_storage_limit
from sp404_app.state.formatting import format_size
from sp404_app.state.layout import LayoutState
from sp404_app.state.page_watching import begin_again_after_outages

WARNING_PERCENT, FULL_PERCENT = 80, 100
CHART_DAYS = 30


@dataclass(frozen=True, slots=True)
class Meter:
    """Usage of one limit; `percent` is the width of its bar, `tone` its CSS class."""

    used: str = ""
    limit: str = ""
    percent: int = 0
    tone: str = "ok"
    warning: str = ""
    forecast: str = ""


@dataclass(frozen=True, slots=True)
class LargeRow:
    """One of the largest sounds."""

    id: str
    name: str
    size: str


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Everything the page shows."""

    plan: str
    resets: str
    storage: Meter
    analyses: Meter
    days: list[UsageDay]
    largest: list[LargeRow]


class UsageState(SessionState):
    """The user's usage of the plan."""

    loaded: bool = False
    test_mode: bool = False
    plan: str = ""
    resets: str = ""
    storage: Meter = Meter()
    analyses: Meter = Meter()
    largest: list[LargeRow] = []
    empty: bool = True
    storage_figure: go.Figure = EMPTY_FIGURE
    analyses_figure: go.Figure = EMPTY_FIGURE

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Load the page, then watch for changes."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        await self._read(user_id)
        self.loaded = True
        # Yielded here, because in the page's on_load list it would run concurrently with `load`.
        yield UsageState.watch

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Reload on quota and subscription events until the tab closes."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id, 1.0):
            if not burst or any(
                event.topic in (Topic.QUOTA, Topic.SUBSCRIPTION) for event in burst
            ):
                async with self:
                    await self._read(user_id)

    async def _read(self, user_id: uuid.UUID) -> None:
        page = await in_transaction(load_usage_page, user_id)
        theme = (await self.get_state(LayoutState)).theme
        self.plan, self.resets = page.plan, page.resets
        self.storage, self.analyses, self.largest = page.storage, page.analyses, page.largest
        self.empty = not any(day.stored_bytes or day.analyses for day in page.days)
        dates, colours = [day.day for day in page.days], palette_of_theme(theme)
        stored_mb = [round(day.stored_bytes / MB, 2) for day in page.days]
        self.storage_figure = usage_figure(dates, stored_mb, colours, unit="MB")
        analyses = [day.analyses for day in page.days]
        self.analyses_figure = usage_figure(dates, analyses, colours, unit="analyses")


def load_usage_page(session: Session, user_id: uuid.UUID) -> UsagePage:
    """Return the data of a user's usage page."""
    used, days = (
        quotas.get_quota_usage(session, user_id),
        usage.daily_usage(session, user_id, CHART_DAYS),
    )
    return UsagePage(
        plan=entitlements.get_entitlement(session, user_id).plan.name,
        resets=format_date(used.period.end),
        storage=_storage_meter(used, days),
        analyses=_analyses_meter(used, days),
        days=days,
        largest=[
            LargeRow(str(sample.id), sample.name, format_size(sample.size))
            for sample in usage.largest_samples(session, user_id)
        ],
    )


def _storage_meter(used: QuotaUsage, days: list[UsageDay]) -> Meter:
    limit, full_on = used.storage_limit, usage.forecast_storage_full(days, used)
    percent = percent_used(used.storage_used, limit)
    return Meter(
        used=format_size(used.storage_used),
        limit=format_storage_limit(limit),
        percent=min(percent, FULL_PERCENT),
        tone=meter_tone(percent),
        warning=_warning_text(
            percent,
            f"Storage full. {full_storage_advice()}",
            "Your storage is almost full.",
        ),
        forecast=_forecast_text(full_on, "your storage will be full"),
    )


def _analyses_meter(used: QuotaUsage, days: list[UsageDay]) -> Meter:
    limit, reached_on = used.analyses_limit, usage.forecast_analyses_used_up(days, used)
    percent = percent_used(used.analyses_used, limit)
    return Meter(
        used=f"{used.analyses_used:,}",
        limit=f"{limit:,}" if limit is not None else "unlimited",
        percent=min(percent, FULL_PERCENT),
        tone=meter_tone(percent),
        warning=_warning_text(
            percent,
            "Monthly limit reached. You can still add and play sounds; they'll be analysed when "
            "your limit resets.",
            "You've almost reached your monthly limit.",
        ),
        forecast=_forecast_text(reached_on, "you'll reach your monthly limit"),
    )


def percent_used(used: int, limit: int | None) -> int:
    """Return usage in whole percent, rounded down; 0 if there is no limit."""
    if limit is None:
        return 0
    return FULL_PERCENT if limit == 0 else used * 100 // limit


def meter_tone(percent: int) -> str:
    """Return the CSS class of a meter: ok, warn or full."""
    if percent >= FULL_PERCENT:
        return "full"
    return "warn" if percent >= WARNING_PERCENT else "ok"


def _warning_text(percent: int, full: str, nearly_full: str) -> str:
    return {"full": full, "warn": nearly_full}.get(meter_tone(percent), "")


def _forecast_text(when: dt.date | None, what: str) -> str:
    return f"At your current pace, {what} on {when:%-d %B}." if when else ""
