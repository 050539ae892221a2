"""Decide which billing emails a change calls for; each is sent once, keyed in `mail_log`."""

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from sp404_app.models import BillingCustomer, Invoice, MailLog, Subscription
from sp404_app.models.billing import BILLABLE
from sp404_app.services.billing import currency, email_templates, entitlements
from sp404_app.services.infra import email
from sp404_app.services.infra.email_templates import EmailContent
from sp404_app.services.plans import Tier
from sp404_app.settings import settings

RECEIPT_MAX_AGE = dt.timedelta(days=3)
TRIAL_ENDING_NOTICE = dt.timedelta(days=3, hours=1)


@dataclass(frozen=True, slots=True)
class SubscriptionSummary:
    """The fields of a subscription whose change the user is notified of."""

    stripe_id: str
    status: str
    tier: str
    period_end: dt.datetime
    trial_end: dt.datetime | None
    cancel_at: dt.datetime | None
    canceled_at: dt.datetime | None
    pending_tier: str
    attempts: int
    in_grace: bool
    unpaid_change: bool
    amount: int
    currency: str
    interval: str
    pending_interval: str

    @property
    def is_billable(self) -> bool:
        """Whether Stripe may still charge for it."""
        return self.status in BILLABLE


def summarise_subscription(row: Subscription) -> SubscriptionSummary:
    """Return the summary of a subscription row."""
    return SubscriptionSummary(
        row.stripe_id,
        row.status,
        row.tier,
        row.period_end,
        row.trial_end,
        row.cancel_at,
        row.canceled_at,
        row.pending_tier,
        row.attempts,
        row.grace_since is not None,
        row.unpaid_change,
        row.amount,
        row.currency,
        row.interval,
        row.pending_interval,
    )


def notify_changes(
    session: Session,
    customer: BillingCustomer,
    before: SubscriptionSummary | None,
    after: SubscriptionSummary | None,
) -> None:
    """Send the emails for a changed subscription, then those for recent invoices."""
    at = entitlements.customer_now(customer)
    if after is not None:
        _notify_plan(session, customer, before, after)
        _notify_end(session, customer, before, after, at)
    _notify_invoices(session, customer, at)


def notify_trial_refused(session: Session, user_id: uuid.UUID, subscription: str) -> None:
    """Email the user that a second trial was ended."""
    _send_once(session, user_id, f"refused:{subscription}", email_templates.trial_refused())


def notify_refund(session: Session, user_id: uuid.UUID, key: str, number: str, price: str) -> None:
    """Email the user about a refund."""
    _send_once(session, user_id, key, email_templates.refund_issued(number, price))


def notify_dispute(session: Session, user_id: uuid.UUID, key: str, number: str, price: str) -> None:
    """Email the user about a disputed charge."""
    _send_once(session, user_id, key, email_templates.dispute_opened(number, price))


def _notify_plan(
    session: Session,
    customer: BillingCustomer,
    before: SubscriptionSummary | None,
    after: SubscriptionSummary,
) -> None:
    if not after.is_billable or after.status == "incomplete" or after.tier == Tier.FREE:
        return
    user_id = customer.user_id
    price = _price_text(after)
    if before is None or before.stripe_id != after.stripe_id or not _grants_paid_plan(before):
        content = email_templates.subscription_started(
            after.tier, price, after.period_end, trial=after.trial_end
        )
        _send_once(session, user_id, f"started:{after.stripe_id}", content)
    elif before.tier != after.tier:
        key = f"plan:{after.stripe_id}:{before.tier}->{after.tier}:{after.period_end:%Y%m%d}"
        content = email_templates.plan_changed(before.tier, after.tier, price, after.period_end)
        _send_once(session, user_id, key, content)
    elif before.interval != after.interval:
        key = f"interval:{after.stripe_id}:{after.interval}:{after.period_end:%Y%m%d}"
        content = email_templates.interval_changed(
            after.tier,
            after.interval,
            price,
            after.period_end,
            is_trial=after.status == "trialing",
        )
        _send_once(session, user_id, key, content)
    if before and before.stripe_id == after.stripe_id and _has_recovered(before, after):
        key = f"restored:{after.stripe_id}:{after.period_end:%Y%m%d}"
        _send_once(session, user_id, key, email_templates.subscription_restored(after.tier))


def _price_text(summary: SubscriptionSummary) -> str:
    """Return the price of each period: "$29.00 a month"."""
    return f"{currency.format_amount(summary.amount, summary.currency)} a {summary.interval}"


def _grants_paid_plan(summary: SubscriptionSummary) -> bool:
    """Return whether a subscription grants a paid plan; one that was never paid does not."""
    return summary.is_billable and summary.tier != Tier.FREE


def _has_recovered(before: SubscriptionSummary, after: SubscriptionSummary) -> bool:
    """Return whether a late payment made the subscription active again."""
    was_unpaid = before.status in {"past_due", "unpaid"} or (
        before.status == "paused" and before.attempts > 0
    )
    return was_unpaid and after.status == "active"


def _notify_end(
    session: Session,
    customer: BillingCustomer,
    before: SubscriptionSummary | None,
    after: SubscriptionSummary,
    at: dt.datetime,
) -> None:
    user_id = customer.user_id
    is_same = before is not None and before.stripe_id == after.stripe_id
    if after.is_billable and after.cancel_at:
        key = f"cancel:{after.stripe_id}:{after.canceled_at or after.cancel_at:%Y%m%d%H%M%S}"
        content = email_templates.cancellation_confirmed(after.tier, after.cancel_at)
        _send_once(session, user_id, key, content)
    elif after.is_billable and after.pending_tier:
        change = f"{after.pending_tier}:{after.pending_interval}:{after.period_end:%Y%m%d}"
        content = email_templates.change_scheduled(
            after.tier, after.pending_tier, after.pending_interval, after.period_end
        )
        _send_once(session, user_id, f"scheduled:{after.stripe_id}:{change}", content)
    elif is_same and before and before.is_billable and not after.is_billable:
        content = email_templates.subscription_ended(after.tier)
        _send_once(session, user_id, f"ended:{after.stripe_id}", content)
    elif (
        after.status == "trialing"
        and after.trial_end
        and after.trial_end - at <= TRIAL_ENDING_NOTICE
    ):
        price = _price_text(after)
        key = f"trial:{after.stripe_id}:{after.trial_end:%Y%m%d}"
        content = email_templates.trial_ending(after.tier, price, after.trial_end)
        _send_once(session, user_id, key, content)


def _notify_invoices(session: Session, customer: BillingCustomer, at: dt.datetime) -> None:
    recent = select(Invoice).where(
        Invoice.user_id == customer.user_id,
        Invoice.realm == customer.realm,
        (col(Invoice.paid_at) > at - RECEIPT_MAX_AGE)
        | ((col(Invoice.status) == "open") & (col(Invoice.attempts) > 0)),
    )
    for invoice in session.exec(recent.execution_options(populate_existing=True)):
        _notify_invoice(session, invoice)


def _notify_invoice(session: Session, invoice: Invoice) -> None:
    if invoice.status == "paid" and invoice.amount_paid > 0:
        price = currency.format_amount(invoice.amount_paid, invoice.currency)
        content = email_templates.receipt(invoice.number, price, invoice.description)
        _send_once(session, invoice.user_id, f"receipt:{invoice.stripe_id}", content)
    elif invoice.status == "open":
        price = currency.format_amount(invoice.amount_due, invoice.currency)
        content = email_templates.payment_failed(invoice.number, price, invoice.next_attempt_at)
        key = f"failed:{invoice.stripe_id}:{invoice.attempts}"
        _send_once(session, invoice.user_id, key, content)


def _send_once(session: Session, user_id: uuid.UUID, key: str, content: EmailContent) -> None:
    if not settings().billing:
        return
    row = insert(MailLog).values(dedupe_key=key, user_id=user_id)
    inserted = session.execute(row.on_conflict_do_nothing().returning(col(MailLog.dedupe_key)))
    if inserted.scalar() is not None:
        email.send_email_to_user(session, user_id, content)
