"""The plan selector in words: cards, and the question before anything happens."""

import uuid
from dataclasses import dataclass
from functools import partial

from sqlmodel import Session

from sp404_app.services.billing import catalog, currency, proration_preview, schemas
from sp404_app.services.billing.email_templates import day
from sp404_app.services.billing.proration_preview import Kind, Preview
from sp404_app.services.plans import PLANS, Plan, Tier
from sp404_app.state.formatting import size

OPEN_IS_VOID = "Nothing; the open invoice need not be paid"


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan, and what its button does."""

    tier: str
    name: str
    price: str
    storage: str
    analyses: str
    queue: str
    current: bool
    badge: str
    label: str
    trial: bool


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the invoice that would be made."""

    description: str
    amount: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before anything happens."""

    tier: str = ""
    kind: str = ""
    title: str = ""
    gains: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    lines: tuple[CostLine, ...] = ()
    today: str = ""
    then: str = ""
    warning: str = ""
    confirm: str = ""
    trial: bool = False
    at_once: bool = False


def said(asked: Question) -> str:
    """Say what was done."""
    name = PLANS[Tier(asked.tier)].name
    if asked.at_once:
        return "Your subscription has ended. All your sounds stay."
    return {
        Kind.UPGRADE: f"You are on {name} now.",
        Kind.DOWNGRADE: f"You change to {name} when this period ends.",
        Kind.CANCEL: "Your subscription is cancelled. Everything stays until the period ends.",
        Kind.KEEP: f"You stay on {name}.",
    }.get(Kind(asked.kind), "Done.")


def cards(session: Session, user_id: uuid.UUID, tongue: str = "en") -> list[PlanCard]:
    """Return the three plans as they look to a person."""
    shown = schemas.subscription_view(session, user_id)
    kinds = schemas.kinds(session, user_id)
    found = []
    for plan in PLANS.values():
        price = catalog.shown_price(session, plan)
        cost = currency.short(price.amount, price.currency, tongue)
        found.append(_card(plan, kinds[plan.tier], shown, cost))
    return found


def _card(plan: Plan, kind: Kind, shown: schemas.SubscriptionView, price: str) -> PlanCard:
    current = shown.plan == plan.tier
    trial = kind is Kind.SUBSCRIBE and plan.trial_days > 0 and shown.trial_eligible
    return PlanCard(
        tier=plan.tier,
        name=plan.name,
        price=price,
        storage=_size(plan.storage_bytes) if plan.storage_bytes else "Unlimited",
        analyses=f"{plan.analyses_per_month:,}" if plan.analyses_per_month else "Unlimited",
        queue={Tier.FREE: "After everybody else", Tier.PRO: "Before Free"}.get(plan.tier, "First"),
        current=current,
        badge=_badge(plan, shown, current=current),
        label=_label(plan, kind, trial=trial),
        trial=trial,
    )


def _badge(plan: Plan, shown: schemas.SubscriptionView, *, current: bool) -> str:
    if shown.pending_plan == plan.tier and shown.pending_at:
        return f"From {day(shown.pending_at)}"
    if plan.tier == Tier.FREE and shown.cancel_at:
        return f"From {day(shown.cancel_at)}"
    if not current:
        return ""
    if shown.trial_end:
        return f"Trial until {day(shown.trial_end)}"
    ends = shown.cancel_at or shown.pending_at
    return f"Until {day(ends)}" if ends else "Your plan"


def _label(plan: Plan, kind: Kind, *, trial: bool) -> str:
    if trial:
        return f"Start the {plan.trial_days}-day trial"
    return {
        Kind.SUBSCRIBE: f"Choose {plan.name}",
        Kind.UPGRADE: f"Upgrade to {plan.name}",
        Kind.DOWNGRADE: f"Change to {plan.name}",
        Kind.CANCEL: "Cancel the subscription",
        Kind.KEEP: f"Stay on {plan.name}",
    }.get(kind, "")


def question(found: Preview, current: Tier, tongue: str = "en", *, trial: bool) -> Question:
    """Put a preview into words; every amount in it is Stripe's."""
    plan, trial = PLANS[found.tier], trial and found.trial_days > 0
    gains, losses = compared(PLANS[current], plan)
    cost = partial(currency.written, currency=found.currency, tongue=tongue)
    return Question(
        tier=found.tier,
        kind=found.kind,
        title=_title(found, plan, trial=trial),
        gains=gains,
        losses=losses,
        lines=tuple(CostLine(line.description, cost(line.amount)) for line in found.lines),
        today=cost(0 if trial else found.due_today),
        then=_then(found, cost(found.next_amount), trial=trial),
        warning=proration_preview.warning(found),
        confirm=_confirm(found, cost(found.due_today), trial=trial),
        trial=trial,
        at_once=found.at_once,
    )


def compared(old: Plan, new: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say in words what one gains and loses between two plans."""
    pairs = (
        (old.storage_bytes, new.storage_bytes, _size, "{} storage"),
        (old.analyses_per_month, new.analyses_per_month, _count, "{} analyses a month"),
    )
    gains, losses = [], []
    for before, after, worded, what in pairs:
        if before == after:
            continue
        more = after is None or (before is not None and after > before)
        line = f"{what.format(worded(after))} instead of {worded(before)}"
        (gains if more else losses).append(line[:1].upper() + line[1:])
    if new.price_cents > old.price_cents:
        gains.append("Your sounds are analysed before those of smaller plans")
    elif new.price_cents < old.price_cents:
        losses.append("Your sounds are analysed after those of larger plans")
    return tuple(gains), tuple(losses)


def _size(count: int | None) -> str:
    return "unlimited" if count is None else size(count)


def _count(count: int | None) -> str:
    return "unlimited" if count is None else f"{count:,}"


def _title(found: Preview, plan: Plan, *, trial: bool) -> str:
    if trial:
        return f"{found.trial_days} days of {plan.name}, free"
    if found.at_once:
        return "Cancel now"
    return {
        Kind.SUBSCRIBE: f"Subscribe to {plan.name}",
        Kind.UPGRADE: f"Upgrade to {plan.name} now",
        Kind.DOWNGRADE: f"Change to {plan.name} when this period ends",
        Kind.CANCEL: "Cancel when this period ends",
        Kind.KEEP: f"Stay on {plan.name}",
    }.get(found.kind, plan.name)


def _then(found: Preview, price: str, *, trial: bool) -> str:
    monthly = f"{price} a month"
    if trial:
        return f"{monthly} after {found.trial_days} days, unless you cancel before"
    if found.kind is Kind.CANCEL:
        return f"Nothing, from {day(found.next_at)} on" if found.next_at else OPEN_IS_VOID
    return f"{monthly} from {day(found.next_at)} on" if found.next_at else monthly


def _confirm(found: Preview, due: str, *, trial: bool) -> str:
    if found.kind is Kind.UPGRADE:
        return f"Pay {due} and upgrade"
    return {
        Kind.SUBSCRIBE: "Go to the trial" if trial else "Go to payment",
        Kind.DOWNGRADE: "Change at the period's end",
        Kind.CANCEL: "Cancel my subscription",
        Kind.KEEP: "Keep my plan",
    }.get(found.kind, "OK")


def current_of(found: list[PlanCard]) -> Tier:
    """Return which of the plans is theirs."""
    return next((Tier(card.tier) for card in found if card.current), Tier.FREE)
