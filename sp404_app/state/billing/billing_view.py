"""Texts of the billing page: subscription status, payment problems and invoices."""

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from sp404_app.services.billing import currency, customers, invoices, schemas
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.billing.email_templates import format_date
from sp404_app.services.billing.proration_preview import CANCELS_IMMEDIATELY
from sp404_app.services.billing.schemas import InvoiceView, SubscriptionView
from sp404_app.services.plans import PLANS, Tier
from sp404_app.state.billing.plans_view import keep_label

INVOICE_STATUS = {"paid": "Paid", "open": "Open", "void": "Void", "uncollectible": "Uncollectible"}


@dataclass(frozen=True, slots=True)
class SubscriptionCard:
    """The subscription, formatted for the page; `mood` is the CSS class of its status badge."""

    plan: str = ""
    mood: str = ""
    state: str = ""
    price: str = ""
    next_label: str = ""
    next_text: str = ""
    method: str = ""
    can_cancel: bool = False
    can_resume: bool = False
    keep_label: str = ""  # of the button that undoes a scheduled change, if there is one
    known: bool = False
    question: str = ""


@dataclass(frozen=True, slots=True)
class PaymentBanner:
    """A payment problem and its consequences; empty if there is none."""

    title: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice, formatted for the page."""

    id: str
    number: str
    date: str
    what: str
    amount: str
    status: str
    open: bool
    pdf: str


@dataclass(frozen=True, slots=True)
class BillingPage:
    """Everything the page shows."""

    card: SubscriptionCard
    banner: PaymentBanner
    rows: list[InvoiceRow]


def load_billing_page(session: Session, user_id: uuid.UUID, language: str = "en") -> BillingPage:
    """Return the data of a user's billing page."""
    view = schemas.subscription_view(session, user_id)
    customer = customers.find_customer(session, user_id)
    views = [schemas.invoice_view(row) for row in invoices.list_invoices(session, user_id)]
    is_customer = customer is not None and customer.stripe_id is not None
    card = subscription_card(view, language, is_customer=is_customer)
    return BillingPage(card, payment_banner(view), [_invoice_row(one, language) for one in views])


def subscription_card(
    view: SubscriptionView, language: str, *, is_customer: bool
) -> SubscriptionCard:
    """Return the card of a subscription; `is_customer` enables the portal button."""
    mood, state = status_badge(view)
    label, text = _next_event(view, language)
    price = currency.format_amount(view.amount, view.currency, language)
    subscribed = view.status not in {"none", "incomplete"}
    return SubscriptionCard(
        plan=PLANS[Tier(view.plan)].name,
        mood=mood,
        state=state,
        price=f"{price} a {view.interval}"
        if subscribed
        else currency.format_short_amount(0, view.currency, language),
        next_label=label,
        next_text=text,
        method=view.payment_method or "",
        can_cancel=subscribed and view.cancel_at is None,
        can_resume=subscribed and view.cancel_at is not None,
        keep_label=keep_label(view) if view.pending_plan else "",
        known=is_customer,
        question=_cancel_question(view) if subscribed else "",
    )


def _cancel_question(view: SubscriptionView) -> str:
    name = PLANS[Tier(view.plan)].name
    if view.status in CANCELS_IMMEDIATELY:
        return (
            f"Your last payment failed, so {name} ends immediately and "
            "you move to Free. You won't have to pay the open invoice. All your sounds stay."
        )
    ends = (
        format_date(view.current_period_end)
        if view.current_period_end
        else "the end of the billing period"
    )
    waiting = f" The change to {_pending_text(view)} is dropped." if view.pending_plan else ""
    return (
        f"You keep {name} until {ends} and won't be charged again.{waiting} You "
        "can resume your subscription until then. All your sounds stay."
    )


def status_badge(view: SubscriptionView) -> tuple[str, str]:
    """Return the CSS class and text of the status badge."""
    by_access = {
        Access.RESTRICTED: ("bad", "Restricted"),
        Access.PAST_DUE: ("bad", "Past due"),
        Access.PROBLEM: ("warn", "Payment failed"),
    }
    if badge := by_access.get(Access(view.access)):
        return badge
    if view.status == "none":
        return ("calm", "Demo account" if view.plan != Tier.FREE else "No subscription")
    if view.cancel_at:
        return "warn", "Cancelled"
    if view.pending_plan:
        return "warn", "Change scheduled"
    return ("good", "Trial") if view.trial_end else ("good", "Active")


def payment_banner(view: SubscriptionView) -> PaymentBanner:
    """Return the banner for a payment problem; an empty one if there is none."""
    retry = (
        f" We'll try again on {format_date(view.next_payment_attempt)}."
        if view.next_payment_attempt
        else ""
    )
    match Access(view.access):
        case Access.PROBLEM:
            return PaymentBanner(
                "Your last payment failed",
                f"Everything still works.{retry} Pay now or update your card to keep your plan.",
            )
        case Access.PAST_DUE:
            return PaymentBanner(
                "Your subscription is past due",
                "You can still upload sounds, but they won't be analysed until you pay. Uploads "
                "stop three days after the third failed payment.",
            )
        case Access.RESTRICTED:
            return PaymentBanner(
                "Your subscription is restricted",
                "You can play, download, export and delete your sounds. To add sounds again, pay "
                "the open invoice.",
            )
    if view.upgrade_unpaid:
        return PaymentBanner(
            "Your upgrade is waiting for payment",
            "Your card was declined, so you're still on your current plan. Pay within 23 hours, or "
            "the upgrade will be cancelled.",
        )
    return PaymentBanner()


def _next_event(view: SubscriptionView, language: str) -> tuple[str, str]:
    """Return the label and text of the next date: end, change, retry or invoice."""
    price = currency.format_amount(view.amount, view.currency, language)
    if view.cancel_at:
        return "Ends on", format_date(view.cancel_at)
    if view.pending_plan and view.pending_at:
        return f"Changes to {_pending_text(view)} on", format_date(view.pending_at)
    if view.trial_end:
        return "First payment", f"{price} on {format_date(view.trial_end)}"
    if view.next_payment_attempt:
        return "Next payment attempt", format_date(view.next_payment_attempt)
    if view.status == "active" and view.current_period_end:
        return "Next invoice", f"{price} on {format_date(view.current_period_end)}"
    return "", ""


def _pending_text(view: SubscriptionView) -> str:
    """Return what a subscription changes to: a plan, an interval, or both."""
    pays = f"{view.pending_interval}ly payment" if view.pending_interval else ""
    if view.pending_plan == view.plan:
        return pays
    name = PLANS[Tier(view.pending_plan or view.plan)].name
    return name if view.pending_interval == view.interval else f"{name}, {pays}"


def _invoice_status(view: InvoiceView, language: str) -> str:
    """Return the status of an invoice, including disputes and refunds."""
    if view.disputed:
        return "Disputed"
    if view.refunded:
        refunded = currency.format_amount(view.refunded, view.currency, language)
        partial = f"Paid, {refunded} refunded"
        return partial if view.refunded < view.amount_paid else "Refunded"
    return _settlement_text(view, language)


def _settlement_text(view: InvoiceView, language: str) -> str:
    """Return how an invoice was settled: by card, from the balance, or in part from each."""
    if view.status != "paid" or view.total == view.amount_paid:
        return INVOICE_STATUS.get(view.status, view.status)
    if view.total < 0:
        return "Credited to your balance"
    if view.amount_paid == 0:
        return "Paid from your balance"
    credit = currency.format_amount(view.total - view.amount_paid, view.currency, language)
    return f"Paid, {credit} from your balance"


def _invoice_row(view: InvoiceView, language: str) -> InvoiceRow:
    amount = view.amount_due if view.status == "open" else view.total
    return InvoiceRow(
        id=str(view.id),
        number=view.number,
        date=f"{view.created_at:%-d %b %Y}",
        what=view.description,
        amount=currency.format_amount(amount, view.currency, language),
        status=_invoice_status(view, language),
        open=view.status == "open",
        pdf=view.pdf_url,
    )
