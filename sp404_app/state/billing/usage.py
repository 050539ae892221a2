"""The usage page: what is used of the plan, day by day, and when it will be full."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import plotly.graph_objects as go
import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.figures.palette import palette
from sp404_app.figures.usage import bars
from sp404_app.services.billing import entitlements, quotas, usage
from sp404_app.services.billing.email_templates import day
from sp404_app.services.billing.quotas import Usage
from sp404_app.services.billing.usage import Day
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.settings import MB, settings
from sp404_app.state.base import SessionState
from sp404_app.state.formatting import size
from sp404_app.state.layout import ShellState

WARNING, FULL = 80, 100
DAYS = 30


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing the plan limits; `percent` fills its bar, `tone` colours it."""

    used: str = ""
    limit: str = ""
    percent: int = 0
    tone: str = "ok"
    warning: str = ""
    forecast: str = ""


@dataclass(frozen=True, slots=True)
class LargeRow:
    """A sound that takes a lot of room."""

    id: str
    name: str
    size: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page shows."""

    plan: str
    resets: str
    storage: Meter
    analyses: Meter
    days: list[Day]
    largest: list[LargeRow]


class UsageState(SessionState):
    """What a person uses of their plan."""

    loaded: bool = False
    test_mode: bool = False
    plan: str = ""
    resets: str = ""
    storage: Meter = Meter()
    analyses: Meter = Meter()
    largest: list[LargeRow] = []
    empty: bool = True
    storage_figure: go.Figure = go.Figure()
    analyses_figure: go.Figure = go.Figure()

    @rx.event
    async def load(self) -> AsyncIterator[EventType[()]]:
        """Read the numbers, then follow them."""
        user_id = await self._user_id()
        self.test_mode = settings().stripe_emulated
        await self._read(user_id)
        self.loaded = True
        yield UsageState.watch  # here: in the page's list, it would run beside this and collide

    @rx.event(background=True)
    async def watch(self) -> None:
        """Follow the numbers until the tab leaves."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id, 1.0):
            if not burst or any(news.topic in (Topic.QUOTA, Topic.SUBSCRIPTION) for news in burst):
                async with self:
                    await self._read(user_id)

    async def _read(self, user_id: uuid.UUID) -> None:
        found = await in_transaction(facts, user_id)
        theme = (await self.get_state(ShellState)).theme
        self.plan, self.resets = found.plan, found.resets
        self.storage, self.analyses, self.largest = found.storage, found.analyses, found.largest
        self.empty = not any(day.stored_bytes or day.analyses for day in found.days)
        dates, colours = [day.day for day in found.days], palette(theme)
        stored = [round(day.stored_bytes / MB, 2) for day in found.days]
        self.storage_figure = bars(dates, stored, colours, unit="MB")
        counted = [day.analyses for day in found.days]
        self.analyses_figure = bars(dates, counted, colours, unit="analyses")


def facts(session: Session, user_id: uuid.UUID) -> Facts:
    """Read what the page shows of a person."""
    used, days = quotas.usage(session, user_id), usage.daily(session, user_id, DAYS)
    return Facts(
        plan=entitlements.entitlement_of(session, user_id).plan.name,
        resets=day(used.period.end),
        storage=_storage(used, days),
        analyses=_analyses(used, days),
        days=days,
        largest=[
            LargeRow(str(one.id), one.name, size(one.size))
            for one in usage.largest(session, user_id)
        ],
    )


def _storage(used: Usage, days: list[Day]) -> Meter:
    limit, full = used.storage_limit, usage.storage_full_on(days, used)
    percent = share(used.storage_used, limit)
    return Meter(
        used=size(used.storage_used),
        limit=size(limit) if limit is not None else "unlimited",
        percent=min(percent, FULL),
        tone=tone(percent),
        warning=_warning(
            percent,
            "Your storage is full. Delete sounds or choose a larger plan to add more.",
            "Your storage is nearly full.",
        ),
        forecast=_forecast(full, "storage is full"),
    )


def _analyses(used: Usage, days: list[Day]) -> Meter:
    limit, full = used.analyses_limit, usage.analyses_full_on(days, used)
    percent = share(used.analyses_used, limit)
    return Meter(
        used=f"{used.analyses_used:,}",
        limit=f"{limit:,}" if limit is not None else "unlimited",
        percent=min(percent, FULL),
        tone=tone(percent),
        warning=_warning(
            percent,
            "This month's analyses are used up. New sounds play, and wait for their analysis.",
            "This month's analyses are nearly used up.",
        ),
        forecast=_forecast(full, "they are used up"),
    )


def share(used: int, limit: int | None) -> int:
    """Return how many whole percent are used; nothing of what is unlimited."""
    return 0 if limit is None else FULL if limit == 0 else used * 100 // limit


def tone(percent: int) -> str:
    """Return how a meter looks."""
    return "full" if percent >= FULL else "warn" if percent >= WARNING else "ok"


def _warning(percent: int, full: str, nearly: str) -> str:
    return {"full": full, "warn": nearly}.get(tone(percent), "")


def _forecast(when: dt.date | None, what: str) -> str:
    return f"At the pace of the last two weeks, {what} on {when:%-d %B}." if when else ""
