"""The billing page in words: how the subscription stands, what is wrong, what was paid."""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.services.billing import currency, customers, invoices, schemas
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.billing.email_templates import day
from sp404_app.services.billing.proration_preview import ENDS_AT_ONCE
from sp404_app.services.billing.schemas import InvoiceView, SubscriptionView
from sp404_app.services.plans import PLANS, Tier

STATUS = {"paid": "Paid", "open": "To pay", "void": "Void", "uncollectible": "Not paid"}


@dataclass(frozen=True, slots=True)
class Card:
    """The subscription as its owner reads it; `mood` colours it."""

    plan: str = ""
    mood: str = ""
    state: str = ""
    price: str = ""
    next_label: str = ""
    next_text: str = ""
    method: str = ""
    can_cancel: bool = False
    can_resume: bool = False
    can_keep: bool = False
    known: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True)
class Banner:
    """What is wrong with a payment, and what it means."""

    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice."""

    id: str
    number: str
    date: str
    what: str
    amount: str
    status: str
    open: bool
    pdf: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page shows."""

    card: Card
    banner: Banner
    rows: list[InvoiceRow]


def facts(session: Session, user_id: uuid.UUID, tongue: str = "en") -> Facts:
    """Read what the page shows of a person."""
    shown = schemas.subscription_view(session, user_id)
    customer = customers.find(session, user_id)
    listed = [schemas.invoice_view(row) for row in invoices.listed(session, user_id)]
    known = customer is not None and customer.stripe_id is not None
    rows = [_row(one, tongue) for one in listed]
    return Facts(card(shown, tongue, known=known), banner(shown), rows)


def card(shown: SubscriptionView, tongue: str, *, known: bool) -> Card:
    """Put a subscription into words."""
    mood, state = mood_of(shown)
    label, text = _next(shown, tongue)
    price = currency.written(shown.amount, shown.currency, tongue)
    lives = shown.status not in {"none", "incomplete"}
    return Card(
        plan=PLANS[Tier(shown.plan)].name,
        mood=mood,
        state=state,
        price=f"{price} a month" if lives else currency.short(0, shown.currency, tongue),
        next_label=label,
        next_text=text,
        method=shown.payment_method or "",
        can_cancel=lives and shown.cancel_at is None,
        can_resume=lives and shown.cancel_at is not None,
        can_keep=shown.pending_plan is not None,
        known=known,
        question=_question(shown) if lives else "",
    )


def _question(shown: SubscriptionView) -> str:
    name = PLANS[Tier(shown.plan)].name
    if shown.status in ENDS_AT_ONCE:
        return (
            f"Cancel the subscription? A payment is missing, so {name} ends at once and you are on "
            "Free. The open invoice need not be paid, and all your sounds stay."
        )
    ends = day(shown.current_period_end) if shown.current_period_end else "the period ends"
    return (
        f"Cancel the subscription? {name} stays yours until {ends}, nothing more is charged, and "
        "all your sounds stay. Until then, one click takes it back."
    )


def mood_of(shown: SubscriptionView) -> tuple[str, str]:
    """Return the colour and the name of a state."""
    by_access = {
        Access.RESTRICTED: ("bad", "Restricted"),
        Access.PAST_DUE: ("bad", "Past due"),
        Access.PROBLEM: ("warn", "Payment problem"),
    }
    if found := by_access.get(Access(shown.access)):
        return found
    if shown.status == "none":
        return ("calm", "Demo account" if shown.plan != Tier.FREE else "No subscription")
    if shown.cancel_at:
        return "warn", "Cancelled"
    if shown.pending_plan:
        return "warn", "Changing"
    return ("good", "Trial") if shown.trial_end else ("good", "Active")


def banner(shown: SubscriptionView) -> Banner:
    """Say what is wrong, if anything is."""
    again = (
        f" We try again on {day(shown.next_payment_attempt)}." if shown.next_payment_attempt else ""
    )
    match Access(shown.access):
        case Access.PROBLEM:
            return Banner(
                "Your last payment did not go through",
                f"Everything still works.{again} Pay now or change your card to be sure.",
            )
        case Access.PAST_DUE:
            return Banner(
                "Your subscription is past due",
                "What you have stays as it is. New sounds are kept and analysed after the payment. "
                "Three days after the third failure, uploads stop too.",
            )
        case Access.RESTRICTED:
            return Banner(
                "Your subscription is restricted",
                "You can hear, download, export and delete everything. Adding works again within "
                "seconds of the payment.",
            )
    if shown.upgrade_unpaid:
        return Banner(
            "Your upgrade waits for its payment",
            "Your card did not pay for it, so you are still on your plan. Pay within 23 hours, or "
            "it is forgotten.",
        )
    return Banner()


def _next(shown: SubscriptionView, tongue: str) -> tuple[str, str]:
    price = currency.written(shown.amount, shown.currency, tongue)
    if shown.cancel_at:
        return "Ends", day(shown.cancel_at)
    if shown.pending_plan and shown.pending_at:
        return f"{PLANS[Tier(shown.pending_plan)].name} from", day(shown.pending_at)
    if shown.trial_end:
        return "First payment", f"{price} on {day(shown.trial_end)}"
    if shown.next_payment_attempt:
        return "Next attempt", day(shown.next_payment_attempt)
    if shown.status == "active" and shown.current_period_end:
        return "Next payment", f"{price} on {day(shown.current_period_end)}"
    return "", ""


def _status(one: InvoiceView, tongue: str) -> str:
    """Say how an invoice was settled, and whether money went back."""
    if one.disputed:
        return "Disputed"
    if one.refunded:
        part = f"Paid, {currency.written(one.refunded, one.currency, tongue)} refunded"
        return part if one.refunded < one.amount_paid else "Refunded"
    return _settled(one, tongue)


def _settled(one: InvoiceView, tongue: str) -> str:
    """Say how an invoice was settled: by card, from the balance, or in part from each."""
    if one.status != "paid" or one.total == one.amount_paid:
        return STATUS.get(one.status, one.status)
    if one.total < 0:
        return "Credited to your balance"
    if one.amount_paid == 0:
        return "Settled from your balance"
    credit = currency.written(one.total - one.amount_paid, one.currency, tongue)
    return f"Paid, {credit} from your balance"


def _row(one: InvoiceView, tongue: str) -> InvoiceRow:
    amount = one.amount_due if one.status == "open" else one.total
    return InvoiceRow(
        id=str(one.id),
        number=one.number,
        date=f"{one.created_at:%-d %b %Y}",
        what=one.description,
        amount=currency.written(amount, one.currency, tongue),
        status=_status(one, tongue),
        open=one.status == "open",
        pdf=one.pdf_url,
    )
