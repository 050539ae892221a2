"""Change a subscription: upgrade, downgrade, cancel, resume; open the customer portal."""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from sp404_app.errors import Conflict, NotFound, PaymentFailed
from sp404_app.models import BillingCustomer, Invoice, Subscription
from sp404_app.models.billing import BILLABLE
from sp404_app.services.billing import (
    catalog,
    customers,
    entitlements,
    invoices,
    proration_preview,
    scheduled_changes,
    stripe_client,
    stripe_parsing,
    sync,
    uncancel,
)
from sp404_app.services.billing.proration_preview import ChangeKind
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    StripeDict,
    stripe_errors,
    to_plain_dict,
    within_time_budget,
)
from sp404_app.services.plans import Interval, Tier
from sp404_app.settings import settings

UNPAID_STATUSES = frozenset({"past_due", "unpaid"})
PAY_FIRST = "Your last payment failed. Pay the open invoice before changing your plan."


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """Whether a change took effect; if not, `pay_url` is the page of the unpaid invoice."""

    done: bool
    pay_url: str = ""

    def ensure_paid(self) -> None:
        """Raise unless the change took effect.

        Raises:
            PaymentFailed: With `pay_url` in its details; the old plan is still in force.
        """
        if not self.done:
            raise PaymentFailed(
                "Your card was declined, so your plan hasn't changed.",
                {"pay_url": self.pay_url},
            )


@within_time_budget
def change_plan(
    session: Session,
    user_id: uuid.UUID,
    tier: Tier,
    proration_date: int | None = None,
    interval: Interval | None = None,
) -> ChangeResult:
    """Switch plans: upgrade now, downgrade or cancel at period end. Idempotent.

    Without an interval, that of the current subscription stays.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    _, row = _lock_current(session, user_id)
    interval = proration_preview.chosen_interval(row, interval)
    match proration_preview.classify_change(row, tier, interval):
        case ChangeKind.UPGRADE:
            return upgrade_plan(session, user_id, tier, proration_date, interval)
        case ChangeKind.DOWNGRADE:
            downgrade_plan(session, user_id, tier, interval)
        case ChangeKind.SWITCH:
            switch_interval(session, user_id, interval)
        case ChangeKind.CANCEL:
            cancel_subscription(session, user_id)
        case ChangeKind.KEEP:
            resume_subscription(session, user_id)
    return ChangeResult(done=True)


@within_time_budget
def upgrade_plan(
    session: Session,
    user_id: uuid.UUID,
    tier: Tier,
    proration_date: int | None = None,
    interval: Interval | None = None,
) -> ChangeResult:
    """Upgrade now, charging the amount previewed for the same proration date.

    Another interval starts a new period now, and Stripe credits the rest of the old one. A
    declined card leaves the plan unchanged: the plan in force follows the paid invoices
    (`paid_plan`).

    Raises:
        Conflict: If it is not an upgrade, a payment is missing, or the preview is out of date.
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    interval = proration_preview.chosen_interval(row, interval)
    if (row.tier, row.interval) == (tier, interval):  # a repeated request
        return ChangeResult(done=True)
    item_tier = catalog.tier_of_price(session, stripe_parsing.item_price(row.raw))
    if (item_tier, row.interval) == (tier, interval):
        return ChangeResult(done=False, pay_url=invoices.open_invoice_url(session, user_id))
    if row.status in UNPAID_STATUSES:
        raise Conflict(PAY_FIRST)
    if proration_preview.classify_change(row, tier, interval) is not ChangeKind.UPGRADE:
        raise Conflict("This plan isn't an upgrade.")
    price = catalog.get_plan_price(session, tier, interval)
    stamp = proration_preview.validate_proration_date(customer, row, proration_date)
    scheduled_changes.release_schedule(session, customer, row)
    params: Any = {
        "items": [{"id": row.item_id, "price": price.id, "quantity": 1}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
        "expand": ["latest_invoice"],
        **proration_preview.upgrade_timing(row, stamp),
    }
    intent = f"up:{row.stripe_id}:{row.price_id}->{price.id}:{stamp}"
    updated = _update_subscription(session, customer, row, intent, params)
    sync.sync_customer(session, user_id)
    row = entitlements.find_current_subscription(session, user_id)
    if row is None or (row.tier, row.interval) != (tier, interval):
        return _unpaid_upgrade(session, row, updated.get("latest_invoice") or {})
    if row.cancel_at:
        uncancel.undo_cancellation(session, customer, row)
        sync.sync_customer(session, user_id)
    return ChangeResult(done=True)


def _unpaid_upgrade(
    session: Session, row: Subscription | None, invoice: StripeDict
) -> ChangeResult:
    """Return the invoice to pay. Once it is paid, a cancellation before or since is undone."""
    if row is not None and invoice:
        row.stay_invoice = invoice["id"]
        session.add(row)
        session.flush()
    return ChangeResult(done=False, pay_url=invoice.get("hosted_invoice_url") or "")


@within_time_budget
def downgrade_plan(
    session: Session, user_id: uuid.UUID, tier: Tier, interval: Interval | None = None
) -> None:
    """Schedule a lower paid plan, or monthly payment, at period end; undo a cancellation.

    Raises:
        Conflict: If it is not a downgrade, or a payment is missing.
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    interval = proration_preview.chosen_interval(row, interval)
    if (row.pending_tier, row.pending_interval) == (tier, interval):
        return
    if row.status in UNPAID_STATUSES:
        raise Conflict(PAY_FIRST)
    if proration_preview.classify_change(row, tier, interval) is not ChangeKind.DOWNGRADE:
        raise Conflict("This plan isn't a downgrade.")
    price = catalog.get_plan_price(session, tier, interval)
    scheduled_changes.release_schedule(session, customer, row)
    if row.cancel_at:
        uncancel.undo_cancellation(session, customer, row)
    scheduled_changes.schedule_change(session, customer, row, price.id, interval)
    sync.sync_customer(session, user_id)


@within_time_budget
def switch_interval(session: Session, user_id: uuid.UUID, interval: Interval) -> None:
    """Change how a plan will be paid for after its trial; the trial goes on, nothing is due.

    Raises:
        Conflict: If it is not a trial.
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    if row.interval == interval:
        return
    if row.status != "trialing":
        raise Conflict("Your trial has ended. Please review the new price and try again.")
    price = catalog.get_plan_price(session, Tier(row.tier), interval)
    scheduled_changes.release_schedule(session, customer, row)
    if row.cancel_at:
        uncancel.undo_cancellation(session, customer, row)
    params: Any = {
        "items": [{"id": row.item_id, "price": price.id, "quantity": 1}],
        "proration_behavior": "none",
    }
    _update_subscription(session, customer, row, f"every:{row.stripe_id}:{price.id}", params)
    sync.sync_customer(session, user_id)


@within_time_budget
def keep_plan(session: Session, user_id: uuid.UUID) -> None:
    """Undo a scheduled downgrade.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    scheduled_changes.release_schedule(session, customer, row)
    sync.sync_customer(session, user_id)


@within_time_budget
def cancel_subscription(session: Session, user_id: uuid.UUID) -> None:
    """Cancel at period end, or immediately if a payment is missing.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    scheduled_changes.release_schedule(session, customer, row)
    if row.status in proration_preview.CANCELS_IMMEDIATELY:
        _cancel_now(session, customer, row)
    elif not row.cancel_at:
        _update_subscription(
            session, customer, row, f"cancel:{row.stripe_id}", {"cancel_at_period_end": True}
        )
    sync.sync_customer(session, user_id)


@within_time_budget
def resume_subscription(session: Session, user_id: uuid.UUID) -> None:
    """Undo a scheduled cancellation or downgrade.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _lock_current(session, user_id)
    scheduled_changes.release_schedule(session, customer, row)
    if row.cancel_at:
        uncancel.undo_cancellation(session, customer, row)
    sync.sync_customer(session, user_id)


@within_time_budget
def end_all_billing(session: Session, user_id: uuid.UUID) -> None:
    """Cancel all subscriptions and expire Checkout Sessions, before an account is deleted.

    Raises:
        AppError: If Stripe does not answer; then the account must not be deleted.
    """
    if customers.find_customer(session, user_id) is None:
        return
    customer = customers.lock_customer(session, user_id)
    _expire_checkout_sessions(customer)
    sync.sync_customer(session, user_id)
    billable = select(Subscription).where(
        Subscription.user_id == user_id,
        Subscription.realm == customer.realm,
        col(Subscription.status).in_(BILLABLE),
    )
    for row in session.exec(billable).all():
        scheduled_changes.release_schedule(session, customer, row)
        _cancel_now(session, customer, row)
    sync.sync_customer(session, user_id)


@within_time_budget
def open_portal(session: Session, user_id: uuid.UUID) -> str:
    """Return the URL of a customer portal session.

    Raises:
        NotFound: If the user has no Stripe customer.
        AppError: If Stripe does not answer.
    """
    customer = customers.find_customer(session, user_id)
    if customer is None or customer.stripe_id is None:
        raise NotFound("You don't have a subscription yet. Choose a plan first.")
    params: Any = {"customer": customer.stripe_id, "return_url": f"{settings().origin}/billing"}
    if configuration := catalog.portal_configuration_id(session):
        params["configuration"] = configuration
    with stripe_errors():
        return stripe_client.client().v1.billing_portal.sessions.create(params).url


def _lock_current(session: Session, user_id: uuid.UUID) -> tuple[BillingCustomer, Subscription]:
    """Lock the customer and return it with the freshly synced current subscription.

    Raises:
        NotFound: If the user never had a subscription.
        Conflict: If it has ended.
    """
    if customers.find_customer(session, user_id) is None:
        raise NotFound("You don't have a subscription.")
    customer = customers.lock_customer(session, user_id)
    sync.sync_customer(session, user_id)
    row = entitlements.find_current_subscription(session, user_id)
    if row is None:
        earlier = select(Subscription.id).where(
            Subscription.user_id == user_id, Subscription.realm == customer.realm
        )
        if session.exec(earlier).first():
            raise Conflict("Your subscription has ended. Choose a plan to subscribe again.")
        raise NotFound("You don't have a subscription.")
    return customer, row


def _update_subscription(
    session: Session, customer: BillingCustomer, row: Subscription, intent: str, params: Any
) -> StripeDict:
    with customers.idempotent_write(session, customer, intent) as options:
        return to_plain_dict(
            stripe_client.client().v1.subscriptions.update(row.stripe_id, params, {**options})
        )


def _expire_checkout_sessions(customer: BillingCustomer) -> None:
    """Expire the customer's open Checkout Sessions, which could be paid for up to a day."""
    if customer.stripe_id is None:
        return
    sessions = stripe_client.client().v1.checkout.sessions
    with suppress(CustomerGone), stripe_errors():
        listed = sessions.list({"customer": customer.stripe_id, "status": "open", "limit": 100})
        for found in listed.auto_paging_iter():
            sessions.expire(found.id)


def _cancel_now(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    """Cancel a subscription immediately and void its open invoices."""
    stripe = stripe_client.client().v1
    with customers.idempotent_write(session, customer, f"end:{row.stripe_id}") as options:
        stripe.subscriptions.cancel(row.stripe_id, {}, {**options})
    open_invoices = select(Invoice.stripe_id).where(
        Invoice.user_id == row.user_id,
        Invoice.subscription_id == row.stripe_id,
        Invoice.status == "open",
    )
    for invoice_id in session.exec(open_invoices).all():
        with customers.idempotent_write(session, customer, f"void:{invoice_id}") as options:
            stripe.invoices.void_invoice(invoice_id, {}, {**options})
