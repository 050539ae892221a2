"""Subjects and texts of billing emails."""

import datetime as dt

from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings

SOUNDS_KEPT = "You can always play, download and delete your sounds, on any plan."


def subscription_started(
    tier: str, price: str, until: dt.datetime, *, trial: dt.datetime | None
) -> EmailContent:
    """Confirm a new subscription or trial."""
    plan = PLANS[Tier(tier)].name
    if trial:
        lines = (
            f"Your free {plan} trial has started. You haven't been charged.",
            f"It ends on {format_date(trial)}. After that, {plan} costs {price}. Cancel "
            "before then and you won't be charged.",
        )
        return _email(f"Your {plan} trial has started", lines, "View subscription")
    lines = (
        f"You're on {plan} for {price}. It renews on {format_date(until)}.",
        "You can change or cancel your plan at any time.",
    )
    return _email(f"Welcome to {plan}", lines, "View subscription")


def plan_changed(before: str, after: str, price: str, until: dt.datetime) -> EmailContent:
    """Confirm a change of plan."""
    old, new = PLANS[Tier(before)].name, PLANS[Tier(after)].name
    line = f"You've moved from {old} to {new}: {price} from {format_date(until)}."
    return _email(f"You're now on {new}", (line, SOUNDS_KEPT), "View subscription")


def interval_changed(
    tier: str, interval: str, price: str, until: dt.datetime, *, is_trial: bool
) -> EmailContent:
    """Confirm that a plan is paid by the year instead of by the month, or the reverse."""
    plan, date = PLANS[Tier(tier)].name, format_date(until)
    if is_trial:
        lines = (
            f"Your free {plan} trial goes on until {date}. After that, {plan} costs {price}.",
            "Cancel before then and you won't be charged.",
        )
        return _email(f"After your trial you pay every {interval}", lines, "View subscription")
    lines = (
        f"You now pay {price} for {plan}. It renews on {date}.",
        "Your limits stay the same, and analyses reset every month.",
    )
    return _email(f"You now pay every {interval}", lines, "View subscription")


def change_scheduled(before: str, after: str, interval: str, starts: dt.datetime) -> EmailContent:
    """Confirm a change that waits for the end of the billing period."""
    old, new = PLANS[Tier(before)].name, PLANS[Tier(after)].name
    change = f"you stay on {new}" if old == new else f"you move from {old} to {new}"
    lines = (
        f"On {format_date(starts)} {change} and pay every {interval}. Until then nothing changes.",
        "Changed your mind? You can undo this until then.",
    )
    return _email(f"Your plan changes on {format_date(starts)}", lines, "View subscription")


def trial_ending(tier: str, price: str, ends: dt.datetime) -> EmailContent:
    """Remind the user three days before the trial becomes a paid subscription."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Your free {plan} trial ends on {format_date(ends)}. After that, {plan} costs {price}.",
        "If you don't want to continue, cancel before then and you won't be charged.",
    )
    return _email(f"Your {plan} trial ends on {format_date(ends)}", lines, "Manage subscription")


def trial_refused() -> EmailContent:
    """Explain why a second trial was ended."""
    lines = (
        "This card has already been used for a free trial, so we ended this one. You haven't been "
        "charged.",
        "You can subscribe without a trial.",
    )
    return _email("Your trial couldn't be started", lines, "See plans", "/plans")


def cancellation_confirmed(tier: str, until: dt.datetime) -> EmailContent:
    """Confirm a cancellation."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Your subscription is cancelled. You keep {plan} until {format_date(until)}. After that "
        "you're on Free and won't be charged again.",
        SOUNDS_KEPT,
        "Changed your mind? You can resume your subscription until then.",
    )
    return _email("Your subscription is cancelled", lines, "View subscription")


def subscription_ended(tier: str) -> EmailContent:
    """Tell the user that the subscription has ended and they are on Free."""
    plan = PLANS[Tier(tier)].name
    lines = (f"Your {plan} subscription has ended, and you're now on Free.", SOUNDS_KEPT)
    return _email(f"Your {plan} subscription has ended", lines, "See plans", "/plans")


def receipt(number: str, price: str, what: str) -> EmailContent:
    """Confirm a payment; the link leads to the invoices, which require signing in."""
    lines = (
        f"Thanks for your payment of {price}. Invoice number: {number}.",
        *((f"Description: {what}",) if what else ()),
    )
    return _email(f"Receipt {number}", lines, "View invoice")


def payment_failed(number: str, price: str, again: dt.datetime | None) -> EmailContent:
    """Tell the user that a payment was declined, and when it is retried."""
    next_step = (
        f"We'll try again on {format_date(again)}. Until then, nothing changes."
        if again
        else "We won't try again automatically, so please pay soon."
    )
    lines = (f"Your card was declined for {price} (invoice {number}).", next_step)
    return _email("Your payment failed", lines, "Pay or update card")


def subscription_restored(tier: str) -> EmailContent:
    """Tell the user that a late payment arrived and the subscription is active again."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Thanks, your payment went through. {plan} is active again.",
        "Sounds that were waiting are being analysed now.",
    )
    return _email(f"Your {plan} subscription is active again", lines, "View subscription")


def refund_issued(number: str, price: str) -> EmailContent:
    """Confirm a refund; the plan does not change."""
    lines = (
        f"We've refunded {price}{_for_invoice(number)}. It can take up to 10 days to appear on "
        "your bank statement.",
        "Your plan stays the same.",
    )
    return _email(f"{price} refunded", lines, "View subscription")


def dispute_opened(number: str, price: str) -> EmailContent:
    """Tell the user that their bank disputes a charge; the plan does not change."""
    lines = (
        f"Your bank asked us to return {price}{_for_invoice(number)} because the charge was "
        "disputed.",
        "Your plan stays the same while the dispute is open. If this is a mistake, contact your "
        "bank or reply to this email.",
    )
    return _email(f"A charge of {price} is disputed", lines, "View subscription")


def _for_invoice(number: str) -> str:
    return f" for invoice {number}" if number else ""


def format_date(moment: dt.datetime) -> str:
    """Format a date: "6 December 2026"."""
    return f"{moment:%-d %B %Y}"


def _email(
    subject: str, lines: tuple[str, ...], label: str, path: str = "/billing"
) -> EmailContent:
    return EmailContent(subject, lines, label, f"{settings().origin}{path}")
