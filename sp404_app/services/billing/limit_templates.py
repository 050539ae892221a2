"""Texts of the emails at 80 % and 100 % of a limit. Each says what still works and the way out."""

import datetime as dt

from sp404_app.services.billing.email_templates import format_date
from sp404_app.services.infra.byte_size import format_size
from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.services.plans import PLANS, Plan
from sp404_app.settings import settings

STILL_WORKS = "You can always play, download and delete your sounds."


def storage_reached(plan: Plan, level: int, used: int) -> EmailContent:
    """Tell the user that `level` percent of the storage is used; `used` and limits in bytes."""
    limit = plan.storage_bytes or 0
    is_full = level >= 100
    refused = "New sounds are refused now." if is_full else "New sounds are refused at 100%."
    lines = (
        f"You're using {format_size(used)} of the {format_size(limit)} that {plan.name} includes.",
        f"{refused} {STILL_WORKS}",
        "To make room, delete sounds that you don't need; sounds in the trash don't count."
        f"{_upgrade_advice(plan, 'storage')}",
    )
    subject = "Your storage is full" if is_full else f"You've used {level}% of your storage"
    return _email(subject, lines)


def analyses_reached(plan: Plan, level: int, used: int, resets: dt.datetime) -> EmailContent:
    """Tell the user that `level` percent of the month's analyses are used, and when they reset."""
    limit = plan.analyses_per_month or 0
    is_used_up = level >= 100
    waits = "New sounds are kept and play, and wait for their analysis"
    lines = (
        f"You've used {min(used, limit):,} of the {limit:,} analyses that {plan.name} includes "
        f"each month. They reset on {format_date(resets)}.",
        f"{waits} until then." if is_used_up else f"When they are used up: {waits.lower()}.",
        f"{STILL_WORKS}{_upgrade_advice(plan, 'analyses')}",
    )
    subject = (
        "You've used all analyses of this month"
        if is_used_up
        else f"You've used {level}% of this month's analyses"
    )
    return _email(subject, lines)


def _upgrade_advice(plan: Plan, metric: str) -> str:
    """Return a sentence about the next larger plan; "" without billing or a larger one."""
    larger = [each for each in PLANS.values() if each.price_cents > plan.price_cents]
    if not larger or not settings().billing:
        return ""
    following = larger[0]
    if metric == "storage":
        limit = following.storage_bytes
        has = "unlimited storage" if limit is None else f"{format_size(limit)} of storage"
    else:
        count = following.analyses_per_month
        has = "unlimited analyses" if count is None else f"{count:,} analyses a month"
    return f" Or upgrade: {following.name} has {has}."


def _email(subject: str, lines: tuple[str, ...]) -> EmailContent:
    has_plans = settings().billing
    label, path = ("View usage", "/usage") if has_plans else ("Open library", "/library")
    return EmailContent(subject, lines, label, f"{settings().origin}{path}")
