"""Billing periods in UTC: anniversaries of an anchor, clamped to the length of the month."""

import calendar
from datetime import UTC, datetime, timedelta

from stripe_emulator.objects import Object

HOUR_S = 3600
DAY_S = 24 * HOUR_S
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def add_intervals(anchor: int, interval: str, count: int) -> int:
    """Return the anchor (Unix time) moved by `count` intervals."""
    moment = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((moment + timedelta(days=DAYS[interval] * count)).timestamp())
    year, month = divmod(moment.year * 12 + moment.month - 1 + MONTHS[interval] * count, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())


def next_period_end(anchor: int, start: int, recurring: Object) -> int:
    """Return the first anniversary of the anchor after `start`."""
    interval, step = recurring["interval"], recurring["interval_count"]
    count = step
    while (end := add_intervals(anchor, interval, count)) <= start:
        count += step
    return end


def prorate_cents(amount: int, part: int, whole: int) -> int:
    """Return `amount * part / whole` in whole cents, rounded half away from zero."""
    if whole <= 0:
        return 0
    cents = (2 * abs(amount) * part + whole) // (2 * whole)
    return cents if amount >= 0 else -cents


def format_day(moment: int) -> str:
    """Format a date as in Stripe's descriptions, such as `15 Nov 2026`."""
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}"
