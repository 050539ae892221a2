"""Texts of the plans page: plan cards, and the dialog that confirms a change."""

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlmodel import Session

from sp404_app.models.columns import now
from sp404_app.services.billing import catalog, currency, proration_preview, schemas
from sp404_app.services.billing.email_templates import format_date
from sp404_app.services.billing.proration_preview import ChangeKind, ChangePreview
from sp404_app.services.billing.schemas import SubscriptionView
from sp404_app.services.plans import PLANS, RECOMMENDED, Interval, Plan, Tier
from sp404_app.state.formatting import format_size

NOTHING_MORE_DUE = "Nothing. You won't have to pay the open invoice."
PAID: Final = {Interval.MONTH: "monthly", Interval.YEAR: "yearly"}
# Kinds of change that can keep the plan and change how often it is paid.
INTERVAL_CHANGES: Final = (ChangeKind.UPGRADE, ChangeKind.DOWNGRADE, ChangeKind.SWITCH)
QUEUE_PRIORITY = {Tier.FREE: "Standard", Tier.PRO: "Priority", Tier.ENTERPRISE: "Highest"}


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan, formatted for the page; `label` is the text of its button.

    `owned` is the user's plan, `current` also if it is paid as often as the page shows. `starts`
    says when a change waits, `is_scheduled` whether it was made already.
    """

    tier: str
    name: str
    price: str
    per: str
    other_price: str
    storage: str
    analyses: str
    queue: str
    owned: bool
    current: bool
    recommended: bool
    badge: str
    label: str
    trial: bool
    starts: str
    is_scheduled: bool


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the previewed invoice."""

    description: str
    amount: str


@dataclass(frozen=True, slots=True)
class ChangeDialog:
    """The dialog that confirms a change; without a tier it is closed."""

    tier: str = ""
    interval: str = ""
    kind: str = ""
    title: str = ""
    gains: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    lines: tuple[CostLine, ...] = ()
    due_today: str = ""
    next_charge: str = ""
    warning: str = ""
    confirm: str = ""
    trial: bool = False
    immediate: bool = False


def change_confirmation(dialog: ChangeDialog) -> str:
    """Return the message after a change was made."""
    name = f"{PLANS[Tier(dialog.tier)].name}, paid {PAID[Interval(dialog.interval)]}"
    if dialog.immediate:
        return "Your subscription has ended. All your sounds are still there."
    return {
        ChangeKind.UPGRADE: f"You're now on {name}.",
        ChangeKind.DOWNGRADE: f"You'll move to {name}, at the end of the billing period.",
        ChangeKind.CANCEL: (
            "Subscription cancelled. You keep your plan until the end of the billing period."
        ),
        ChangeKind.KEEP: f"You're staying on {name}.",
        ChangeKind.SWITCH: f"Your trial goes on. After it you'll pay {dialog.next_charge}.",
    }.get(ChangeKind(dialog.kind), "Done.")


def current_interval(session: Session, user_id: uuid.UUID) -> Interval:
    """Return how often the user's subscription is paid; a month without one."""
    return schemas.subscription_view(session, user_id).interval


def load_plan_cards(
    session: Session, user_id: uuid.UUID, language: str, interval: Interval
) -> list[PlanCard]:
    """Return the three plan cards for a user, with the prices of one interval."""
    view = schemas.subscription_view(session, user_id)
    kinds = schemas.classify_changes(session, user_id, interval)
    cards = []
    for plan in PLANS.values():
        amounts = {}
        for each in Interval:
            price = catalog.get_display_price(session, plan, each)
            amounts[each] = currency.format_short_amount(price.amount, price.currency, language)
        cards.append(_plan_card(plan, kinds[plan.tier], view, amounts, interval))
    return cards


def _plan_card(
    plan: Plan,
    kind: ChangeKind,
    view: SubscriptionView,
    amounts: dict[Interval, str],
    interval: Interval,
) -> PlanCard:
    owned = view.plan == plan.tier
    current = owned and (view.status == "none" or view.interval == interval)
    # A plan that was given, as to the demo account, can't be bought.
    is_given = current and kind is ChangeKind.SUBSCRIBE
    can_try = kind is ChangeKind.SUBSCRIBE and plan.trial_days > 0 and view.trial_eligible
    trial = can_try and not is_given
    other = Interval.MONTH if interval is Interval.YEAR else Interval.YEAR
    return PlanCard(
        tier=plan.tier,
        name=plan.name,
        price=amounts[interval],
        per=f"a {interval}",
        other_price=f"or {amounts[other]} a {other}" if plan.price_cents else "no card needed",
        storage=format_storage_limit(plan.storage_bytes) if plan.storage_bytes else "Unlimited",
        analyses=f"{plan.analyses_per_month:,}" if plan.analyses_per_month else "Unlimited",
        queue=QUEUE_PRIORITY[plan.tier],
        owned=owned,
        current=current,
        recommended=is_recommended(plan.tier, Tier(view.plan)),
        badge=_plan_badge(plan, view, interval, current=current),
        label="" if is_given else _button_label(plan, view, kind, interval, trial=trial),
        trial=trial,
        starts=_start_note(view, kind),
        is_scheduled=_is_scheduled(plan, view, interval),
    )


def _is_scheduled(plan: Plan, view: SubscriptionView, interval: Interval) -> bool:
    if plan.tier == Tier.FREE:
        return view.cancel_at is not None
    return (view.pending_plan, view.pending_interval) == (plan.tier, interval)


def _start_note(view: SubscriptionView, kind: ChangeKind) -> str:
    """Return when a change would take effect, empty for one that does at once."""
    if kind is not ChangeKind.DOWNGRADE or view.current_period_end is None:
        return ""
    return f"Starts on {format_date(view.current_period_end)}"


def is_recommended(tier: Tier, current: Tier) -> bool:
    """Tell whether a plan is recommended to a user: only to one whose plan costs less."""
    return tier == RECOMMENDED and PLANS[current].price_cents < PLANS[tier].price_cents


def _plan_badge(plan: Plan, view: SubscriptionView, interval: Interval, *, current: bool) -> str:
    begins = view.cancel_at or view.pending_at
    if begins and _is_scheduled(plan, view, interval):
        return f"From {format_date(begins)}"
    if not current:
        if view.plan == plan.tier:
            return f"Yours, paid {PAID[view.interval]}"
        return "Recommended" if is_recommended(plan.tier, Tier(view.plan)) else ""
    if view.trial_end:
        return f"Trial until {format_date(view.trial_end)}"
    ends = view.cancel_at or view.pending_at
    return f"Until {format_date(ends)}" if ends else "Current plan"


def _button_label(
    plan: Plan, view: SubscriptionView, kind: ChangeKind, interval: Interval, *, trial: bool
) -> str:
    current = Tier(view.plan)
    if trial:
        return f"Start {plan.trial_days}-day free trial"
    if plan.tier == current and kind in INTERVAL_CHANGES:
        return f"Pay {PAID[interval]}"
    if kind is ChangeKind.KEEP:
        return keep_label(view)
    # A larger plan paid monthly waits for the end of a paid year, as a smaller plan does.
    is_larger = plan.price_cents > PLANS[current].price_cents
    return {
        ChangeKind.SUBSCRIBE: f"Subscribe to {plan.name}",
        ChangeKind.UPGRADE: f"Upgrade to {plan.name}",
        ChangeKind.DOWNGRADE: f"{'Switch' if is_larger else 'Downgrade'} to {plan.name}",
        ChangeKind.CANCEL: "Cancel plan",
    }.get(kind, "")


def keep_label(view: SubscriptionView) -> str:
    """Return what undoes a scheduled change: of the plan, or of how often it is paid."""
    if view.pending_plan == view.plan:
        return f"Keep paying {PAID[view.interval]}"
    return f"Stay on {PLANS[Tier(view.plan)].name}"


def paid_change_word(preview: ChangePreview, current: Tier) -> str:
    """Return "Pay yearly" or "Pay monthly" if only the interval changes, or ""."""
    is_interval = preview.tier == current and preview.kind in INTERVAL_CHANGES
    return f"Pay {PAID[preview.interval]}" if is_interval else ""


def change_dialog(
    preview: ChangePreview, current: Tier, language: str = "en", *, trial: bool
) -> ChangeDialog:
    """Return the dialog for a previewed change; every amount in it is Stripe's."""
    plan, trial = PLANS[preview.tier], trial and preview.trial_days > 0
    gains, losses = compare_plans(PLANS[current], plan)
    price = partial(currency.format_amount, currency=preview.currency, language=language)
    return ChangeDialog(
        tier=preview.tier,
        interval=preview.interval,
        kind=preview.kind,
        title=_dialog_title(preview, plan, paid_change_word(preview, current), trial=trial),
        gains=gains,
        losses=losses,
        lines=tuple(CostLine(line.description, price(line.amount)) for line in preview.lines),
        due_today=price(0 if trial else preview.due_today),
        next_charge=_next_charge(preview, price(preview.next_amount), trial=trial),
        warning=proration_preview.excess_warning(preview),
        confirm=_confirm_label(preview, price(preview.due_today), trial=trial),
        trial=trial,
        immediate=preview.immediate,
    )


def compare_plans(old: Plan, new: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the gains and the losses of moving from one plan to another, as sentences."""
    limits = (
        (old.storage_bytes, new.storage_bytes, format_storage_limit, "{} storage"),
        (old.analyses_per_month, new.analyses_per_month, _format_count, "{} analyses a month"),
    )
    gains, losses = [], []
    for before, after, format_limit, text in limits:
        if before == after:
            continue
        is_gain = after is None or (before is not None and after > before)
        line = f"{text.format(format_limit(after))} instead of {format_limit(before)}"
        (gains if is_gain else losses).append(line[:1].upper() + line[1:])
    priority = f"Queue priority: {QUEUE_PRIORITY[new.tier]} instead of {QUEUE_PRIORITY[old.tier]}"
    if new.price_cents > old.price_cents:
        gains.append(priority)
    elif new.price_cents < old.price_cents:
        losses.append(priority)
    return tuple(gains), tuple(losses)


def format_storage_limit(limit: int | None) -> str:
    """Format a plan's storage limit: "5 GB", "100 MB" or "unlimited"."""
    return "unlimited" if limit is None else format_size(limit)


def _format_count(count: int | None) -> str:
    return "unlimited" if count is None else f"{count:,}"


def _dialog_title(preview: ChangePreview, plan: Plan, pays: str, *, trial: bool) -> str:
    if trial:
        return f"Try {plan.name} free for {preview.trial_days} days"
    if pays:
        ends = preview.kind is ChangeKind.DOWNGRADE
        return f"{pays} for {plan.name}{' from the next period' if ends else ''}"
    if preview.immediate:
        return "Cancel your plan now"
    return {
        ChangeKind.SUBSCRIBE: f"Subscribe to {plan.name}",
        ChangeKind.UPGRADE: f"Upgrade to {plan.name}",
        ChangeKind.DOWNGRADE: f"Move to {plan.name} at the end of the billing period",
        ChangeKind.CANCEL: "Cancel your plan at the end of the billing period",
        ChangeKind.KEEP: f"Stay on {plan.name}, paid {PAID[preview.interval]}",
    }.get(preview.kind, plan.name)


def _next_charge(preview: ChangePreview, price: str, *, trial: bool) -> str:
    each = f"{price} a {preview.interval}"
    if trial:
        ends = now() + dt.timedelta(days=preview.trial_days)
        return f"{each} from {format_date(ends)}, unless you cancel before then"
    if preview.kind is ChangeKind.CANCEL:
        if not preview.next_at:
            return NOTHING_MORE_DUE
        return f"Nothing from {format_date(preview.next_at)}"
    return f"{each} from {format_date(preview.next_at)}" if preview.next_at else each


def _confirm_label(preview: ChangePreview, due: str, *, trial: bool) -> str:
    if preview.kind is ChangeKind.UPGRADE:
        return f"Pay {due} and upgrade"
    return {
        ChangeKind.SUBSCRIBE: "Start trial" if trial else "Continue to payment",
        ChangeKind.DOWNGRADE: "Schedule change",
        ChangeKind.SWITCH: f"Pay {PAID[preview.interval]}",
        ChangeKind.CANCEL: "Cancel plan",
        ChangeKind.KEEP: "Keep plan",
    }.get(preview.kind, "OK")


def current_tier(cards: list[PlanCard]) -> Tier:
    """Return the tier of the user's plan, or Free."""
    return next((Tier(card.tier) for card in cards if card.owned), Tier.FREE)
