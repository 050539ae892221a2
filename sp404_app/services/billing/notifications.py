"""Which mails a change of somebody's money calls for; each is sent once, whatever comes twice."""

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

OLD_NEWS = dt.timedelta(days=3)
TRIAL_NOTICE = dt.timedelta(days=3, hours=1)


@dataclass(frozen=True, slots=True)
class View:
    """What a person would notice of their subscription."""

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

    @property
    def lives(self) -> bool:
        """Say whether Stripe may still charge for it."""
        return self.status in BILLABLE


def view_of(row: Subscription) -> View:
    """Return what counts of a row."""
    return View(
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
    )


def about_change(
    session: Session, customer: BillingCustomer, before: View | None, after: View | None
) -> None:
    """Send what a change calls for, then what the invoices call for."""
    at = entitlements.customer_now(customer)
    if after is not None:
        _about_plan(session, customer, before, after)
        _about_end(session, customer, before, after, at)
    _about_invoices(session, customer, at)


def trial_refused(session: Session, user_id: uuid.UUID, subscription: str) -> None:
    """Tell a person why their second trial ended before it began."""
    _once(session, user_id, f"refused:{subscription}", email_templates.trial_refused())


def refunded(session: Session, user_id: uuid.UUID, key: str, number: str, price: str) -> None:
    """Tell a person that money goes back."""
    _once(session, user_id, key, email_templates.refunded(number, price))


def disputed(session: Session, user_id: uuid.UUID, key: str, number: str, price: str) -> None:
    """Tell a person that a charge is disputed."""
    _once(session, user_id, key, email_templates.disputed(number, price))


def _about_plan(
    session: Session, customer: BillingCustomer, before: View | None, after: View
) -> None:
    if not after.lives or after.status == "incomplete" or after.tier == Tier.FREE:
        return
    price = currency.written(after.amount, after.currency)
    if before is None or before.stripe_id != after.stripe_id or not _in_force(before):
        letter = email_templates.started(after.tier, price, after.period_end, trial=after.trial_end)
        _once(session, customer.user_id, f"started:{after.stripe_id}", letter)
    elif before.tier != after.tier:
        key = f"plan:{after.stripe_id}:{before.tier}->{after.tier}:{after.period_end:%Y%m%d}"
        letter = email_templates.plan_changed(before.tier, after.tier, price, after.period_end)
        _once(session, customer.user_id, key, letter)
    if before and before.stripe_id == after.stripe_id and _recovered(before, after):
        key = f"restored:{after.stripe_id}:{after.period_end:%Y%m%d}"
        _once(session, customer.user_id, key, email_templates.restored(after.tier))


def _in_force(view: View) -> bool:
    """Say whether a subscription gave a plan; one that was never paid gives none."""
    return view.lives and view.tier != Tier.FREE


def _recovered(before: View, after: View) -> bool:
    """Say whether a missing payment came."""
    missing = before.status in {"past_due", "unpaid"} or (
        before.status == "paused" and before.attempts > 0
    )
    return missing and after.status == "active"


def _about_end(
    session: Session,
    customer: BillingCustomer,
    before: View | None,
    after: View,
    at: dt.datetime,
) -> None:
    user_id = customer.user_id
    known = before is not None and before.stripe_id == after.stripe_id
    if after.lives and after.cancel_at:
        key = f"cancel:{after.stripe_id}:{after.canceled_at or after.cancel_at:%Y%m%d%H%M%S}"
        _once(session, user_id, key, email_templates.cancelled(after.tier, after.cancel_at))
    elif known and before and before.lives and not after.lives:
        _once(session, user_id, f"ended:{after.stripe_id}", email_templates.ended(after.tier))
    elif after.status == "trialing" and after.trial_end and after.trial_end - at <= TRIAL_NOTICE:
        price = currency.written(after.amount, after.currency)
        key = f"trial:{after.stripe_id}:{after.trial_end:%Y%m%d}"
        _once(
            session, user_id, key, email_templates.trial_ending(after.tier, price, after.trial_end)
        )


def _about_invoices(session: Session, customer: BillingCustomer, at: dt.datetime) -> None:
    recent = select(Invoice).where(
        Invoice.user_id == customer.user_id,
        Invoice.realm == customer.realm,
        (col(Invoice.paid_at) > at - OLD_NEWS)
        | ((col(Invoice.status) == "open") & (col(Invoice.attempts) > 0)),
    )
    for invoice in session.exec(recent.execution_options(populate_existing=True)):
        _about_invoice(session, invoice)


def _about_invoice(session: Session, invoice: Invoice) -> None:
    if invoice.status == "paid" and invoice.amount_paid > 0:
        price = currency.written(invoice.amount_paid, invoice.currency)
        letter = email_templates.receipt(invoice.number, price, invoice.description)
        _once(session, invoice.user_id, f"receipt:{invoice.stripe_id}", letter)
    elif invoice.status == "open":
        price = currency.written(invoice.amount_due, invoice.currency)
        letter = email_templates.payment_failed(invoice.number, price, invoice.next_attempt_at)
        key = f"failed:{invoice.stripe_id}:{invoice.attempts}"
        _once(session, invoice.user_id, key, letter)


def _once(session: Session, user_id: uuid.UUID, key: str, letter: EmailContent) -> None:
    row = insert(MailLog).values(dedupe_key=key, user_id=user_id)
    fresh = session.execute(row.on_conflict_do_nothing().returning(col(MailLog.dedupe_key)))
    if fresh.scalar() is not None:
        email.send_to_user(session, user_id, letter)
