"""What our mails about money say."""

import datetime as dt

from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings

KEPT = "All your sounds stay: you can hear, download and delete them on every plan."


def started(
    tier: str, price: str, until: dt.datetime, *, trial: dt.datetime | None
) -> EmailContent:
    """Welcome somebody to a plan or its trial."""
    plan = PLANS[Tier(tier)].name
    if trial:
        lines = (
            f"Your free trial of {plan} has begun. Nothing was charged.",
            f"It ends on {day(trial)}. {plan} then costs {price} a month; cancel before, and it "
            "costs nothing.",
        )
        return _letter(f"Your {plan} trial has begun", lines, "See my subscription")
    lines = (
        f"You are on {plan}, {price} a month. It renews on {day(until)}.",
        "You can change or cancel it at any time.",
    )
    return _letter(f"Welcome to {plan}", lines, "See my subscription")


def plan_changed(before: str, after: str, price: str, until: dt.datetime) -> EmailContent:
    """Tell somebody that they are on another plan now."""
    old, new = PLANS[Tier(before)].name, PLANS[Tier(after)].name
    line = f"You were on {old} and are on {new} now: {price} a month from {day(until)} on."
    return _letter(f"You are on {new} now", (line, KEPT), "See my subscription")


def trial_ending(tier: str, price: str, ends: dt.datetime) -> EmailContent:
    """Remind somebody before a trial becomes a subscription."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Your free trial of {plan} ends on {day(ends)}. After that, {plan} costs {price} a month.",
        "If you do not want that, cancel before; nothing is charged then.",
    )
    return _letter(f"Your {plan} trial ends on {day(ends)}", lines, "Keep or cancel")


def trial_refused() -> EmailContent:
    """Explain why a second trial ended at once."""
    lines = (
        "The card you gave has had its free trial before, so this one ended. Nothing was charged.",
        "You are welcome to subscribe without a trial.",
    )
    return _letter("Your trial did not begin", lines, "See the plans", "/plans")


def cancelled(tier: str, until: dt.datetime) -> EmailContent:
    """Confirm a cancellation."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Your subscription is cancelled. {plan} stays yours until {day(until)}; after that you "
        "are on Free, and nothing more is charged.",
        KEPT,
        "Changed your mind? Until then, one click takes the cancellation back.",
    )
    return _letter("Your subscription is cancelled", lines, "See my subscription")


def ended(tier: str) -> EmailContent:
    """Tell somebody that they are on Free again."""
    plan = PLANS[Tier(tier)].name
    lines = (f"Your {plan} subscription has ended and you are on Free now.", KEPT)
    return _letter(f"Your {plan} subscription has ended", lines, "See the plans", "/plans")


def receipt(number: str, price: str, what: str) -> EmailContent:
    """Confirm a payment; the invoice is one click away, behind the sign-in."""
    lines = (
        f"Thank you: {price} are paid, invoice {number}.",
        *((f"For: {what}",) if what else ()),
    )
    return _letter(f"Receipt {number}", lines, "Open the invoice")


def payment_failed(number: str, price: str, again: dt.datetime | None) -> EmailContent:
    """Say that a card was declined, and how to mend it."""
    then = (
        f"We try again on {day(again)}. Nothing changes until then."
        if again
        else "We will not try again by ourselves, so please pay it soon."
    )
    lines = (f"Your card was declined for {price}, invoice {number}.", then)
    return _letter("Your payment did not go through", lines, "Pay or change the card")


def restored(tier: str) -> EmailContent:
    """Say that everything works again after a missing payment came."""
    plan = PLANS[Tier(tier)].name
    lines = (
        f"Your payment problem is solved. {plan} is active, and everything works again.",
        "Sounds that waited for their analysis are analysed now.",
    )
    return _letter(f"Your {plan} subscription is active again", lines, "See my subscription")


def refunded(number: str, price: str) -> EmailContent:
    """Say that money goes back, and that the plan stays."""
    lines = (
        f"We refunded {price}{_of(number)}. Your bank shows it within ten days.",
        "Your plan stays as it is.",
    )
    return _letter(f"{price} refunded", lines, "See my subscription")


def disputed(number: str, price: str) -> EmailContent:
    """Say that a bank asks for a payment back, and that the plan stays."""
    lines = (
        f"Your bank asks us to return {price}{_of(number)}, because the charge was disputed.",
        "Your plan stays as it is while this is decided. If it is a mistake, please tell your bank "
        "or answer this mail.",
    )
    return _letter(f"A charge of {price} is disputed", lines, "See my subscription")


def _of(number: str) -> str:
    return f" of invoice {number}" if number else ""


def day(moment: dt.datetime) -> str:
    """Write a day: "6 December 2026"."""
    return f"{moment:%-d %B %Y}"


def _letter(
    subject: str, lines: tuple[str, ...], label: str, path: str = "/billing"
) -> EmailContent:
    return EmailContent(subject, lines, label, f"{settings().origin}{path}")
