"""Changing a subscription: up at once, down at the period's end, out, and back."""

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
    stripe_client,
    stripe_parsing,
    sync,
    uncancel,
)
from sp404_app.services.billing.proration_preview import Kind
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    Plain,
    in_time,
    stripe_errors,
    to_plain_dict,
)
from sp404_app.services.plans import Tier
from sp404_app.settings import settings

UNPAID = frozenset({"past_due", "unpaid"})
PAY_FIRST = "A payment is missing. Pay the open invoice first, then change the plan."


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a wish to change: `pay_url` leads to what the card did not pay."""

    done: bool
    pay_url: str = ""

    def ensure_paid(self) -> None:
        """Raise unless the change was made.

        Raises:
            PaymentFailed: With `pay_url`; the old plan is still in force.
        """
        if not self.done:
            raise PaymentFailed(
                "Your card did not pay for the change, so you are still on your plan.",
                {"pay_url": self.pay_url},
            )


@in_time
def change(
    session: Session, user_id: uuid.UUID, tier: Tier, proration_date: int | None = None
) -> Changed:
    """Change to a plan in the way it calls for; what is so already stays so.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    _, row = _held(session, user_id)
    match proration_preview.kind_of(row, tier):
        case Kind.UPGRADE:
            return upgrade(session, user_id, tier, proration_date)
        case Kind.DOWNGRADE:
            downgrade(session, user_id, tier)
        case Kind.CANCEL:
            cancel(session, user_id)
        case Kind.KEEP:
            resume(session, user_id)
    return Changed(done=True)


@in_time
def upgrade(
    session: Session, user_id: uuid.UUID, tier: Tier, proration_date: int | None = None
) -> Changed:
    """Change to a larger plan now, charged as the preview of the same second said.

    A declined card changes nothing: the plan in force follows the paid invoices (`granting`).

    Raises:
        Conflict: If it is not an upgrade, a payment is missing, or the preview is old.
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _held(session, user_id)
    if row.tier == tier:  # a double click: it is done
        return Changed(done=True)
    if tier == catalog.tier_of(session, stripe_parsing.price_of(row.raw)):
        return Changed(done=False, pay_url=invoices.pay_url(session, user_id))
    if row.status in UNPAID:
        raise Conflict(PAY_FIRST)
    price = catalog.price_of(session, tier)
    if price.amount <= row.amount:
        raise Conflict("That is not a larger plan.")
    stamp = proration_preview.checked_date(customer, row, proration_date)
    _release(session, customer, row)
    params: Any = {
        "items": [{"id": row.item_id, "price": price.id, "quantity": 1}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "pending_if_incomplete",
        "expand": ["latest_invoice"],
        **proration_preview.timing(row, stamp),
    }
    intent = f"up:{row.stripe_id}:{row.price_id}->{price.id}:{stamp}"
    updated = _update(session, customer, row, intent, params)
    sync.sync_customer(session, user_id)
    row = entitlements.current_subscription(session, user_id)
    if row is None or row.tier != tier:
        return _unpaid(session, row, updated.get("latest_invoice") or {})
    if row.cancel_at:
        uncancel.stay(session, customer, row)
        sync.sync_customer(session, user_id)
    return Changed(done=True)


def _unpaid(session: Session, row: Subscription | None, invoice: Plain) -> Changed:
    """Let a cancellation stand until the upgrade that replaces it is paid."""
    if row is not None and row.cancel_at and invoice:
        row.stay_invoice = invoice["id"]
        session.add(row)
        session.flush()
    return Changed(done=False, pay_url=invoice.get("hosted_invoice_url") or "")


@in_time
def downgrade(session: Session, user_id: uuid.UUID, tier: Tier) -> None:
    """Change to a smaller paid plan when the period ends; nothing is charged or lost before.

    Raises:
        Conflict: If it is not a downgrade, or a payment is missing.
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _held(session, user_id)
    if row.pending_tier == tier:
        return
    if row.status in UNPAID:
        raise Conflict(PAY_FIRST)
    price = catalog.price_of(session, tier)
    if price.amount >= row.amount:
        raise Conflict("That is not a smaller plan.")
    _release(session, customer, row)
    if row.cancel_at:
        uncancel.stay(session, customer, row)
    schedules = stripe_client.client().v1.subscription_schedules
    with customers.writing(session, customer, f"sch:{row.stripe_id}") as options:
        schedule = to_plain_dict(
            schedules.create({"from_subscription": row.stripe_id}, {**options})
        )
    phases: Any = _phases(schedule, price.id)
    with customers.writing(session, customer, f"down:{schedule['id']}:{price.id}") as options:
        schedules.update(schedule["id"], {"phases": phases, "end_behavior": "release"}, {**options})
    sync.sync_customer(session, user_id)


@in_time
def keep(session: Session, user_id: uuid.UUID) -> None:
    """Take back a downgrade that has not come yet.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _held(session, user_id)
    _release(session, customer, row)
    sync.sync_customer(session, user_id)


@in_time
def cancel(session: Session, user_id: uuid.UUID) -> None:
    """End the subscription when the period ends; at once if a payment is missing.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _held(session, user_id)
    _release(session, customer, row)
    if row.status in proration_preview.ENDS_AT_ONCE:
        _end_now(session, customer, row)
    elif not row.cancel_at:
        _update(session, customer, row, f"cancel:{row.stripe_id}", {"cancel_at_period_end": True})
    sync.sync_customer(session, user_id)


@in_time
def resume(session: Session, user_id: uuid.UUID) -> None:
    """Take back a cancellation that has not come yet.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    customer, row = _held(session, user_id)
    _release(session, customer, row)
    if row.cancel_at:
        uncancel.stay(session, customer, row)
    sync.sync_customer(session, user_id)


@in_time
def close_account(session: Session, user_id: uuid.UUID) -> None:
    """End everything at once, before an account is deleted: nobody is charged afterwards.

    Raises:
        AppError: If Stripe does not answer; the account must not be deleted then.
    """
    if customers.find(session, user_id) is None:
        return
    customer = customers.locked(session, user_id)
    _close_purchases(customer)
    sync.sync_customer(session, user_id)
    mine = select(Subscription).where(
        Subscription.user_id == user_id,
        Subscription.realm == customer.realm,
        col(Subscription.status).in_(BILLABLE),
    )
    for row in session.exec(mine).all():
        _release(session, customer, row)
        _end_now(session, customer, row)
    sync.sync_customer(session, user_id)


@in_time
def portal(session: Session, user_id: uuid.UUID) -> str:
    """Return the address where a person changes their card and sees their invoices.

    Raises:
        NotFound: If they never came near a payment.
        AppError: If Stripe does not answer.
    """
    customer = customers.find(session, user_id)
    if customer is None or customer.stripe_id is None:
        raise NotFound("There is nothing to manage yet. Choose a plan first.")
    params: Any = {"customer": customer.stripe_id, "return_url": f"{settings().origin}/billing"}
    if configuration := catalog.portal(session):
        params["configuration"] = configuration
    with stripe_errors():
        return stripe_client.client().v1.billing_portal.sessions.create(params).url


def _held(session: Session, user_id: uuid.UUID) -> tuple[BillingCustomer, Subscription]:
    """Return the customer, held, and the subscription as Stripe has it at this moment.

    Raises:
        NotFound: If they never had one.
        Conflict: If it has ended.
    """
    if customers.find(session, user_id) is None:
        raise NotFound("You have no subscription.")
    customer = customers.locked(session, user_id)
    sync.sync_customer(session, user_id)
    row = entitlements.current_subscription(session, user_id)
    if row is None:
        had = select(Subscription.id).where(
            Subscription.user_id == user_id, Subscription.realm == customer.realm
        )
        if session.exec(had).first():
            raise Conflict("Your subscription has ended. Choose a plan to subscribe again.")
        raise NotFound("You have no subscription.")
    return customer, row


def _update(
    session: Session, customer: BillingCustomer, row: Subscription, intent: str, params: Any
) -> Plain:
    with customers.writing(session, customer, intent) as options:
        return to_plain_dict(
            stripe_client.client().v1.subscriptions.update(row.stripe_id, params, {**options})
        )


def _release(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    """Take a schedule off before anything else is written: Stripe refuses it otherwise."""
    if row.schedule_id:
        with customers.writing(session, customer, f"rel:{row.schedule_id}") as options:
            stripe_client.client().v1.subscription_schedules.release(
                row.schedule_id, {}, {**options}
            )
        row.schedule_id = ""


def _close_purchases(customer: BillingCustomer) -> None:
    """Let nobody pay any more for what was begun: a page of Checkout stays open for a day."""
    if customer.stripe_id is None:
        return
    sessions = stripe_client.client().v1.checkout.sessions
    with suppress(CustomerGone), stripe_errors():
        listed = sessions.list({"customer": customer.stripe_id, "status": "open", "limit": 100})
        for found in listed.auto_paging_iter():
            sessions.expire(found.id)


def _end_now(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    """End a subscription and let go of what it still asks for."""
    stripe = stripe_client.client().v1
    with customers.writing(session, customer, f"end:{row.stripe_id}") as options:
        stripe.subscriptions.cancel(row.stripe_id, {}, {**options})
    open_ones = select(Invoice.stripe_id).where(
        Invoice.user_id == row.user_id,
        Invoice.subscription_id == row.stripe_id,
        Invoice.status == "open",
    )
    for invoice_id in session.exec(open_ones).all():
        with customers.writing(session, customer, f"void:{invoice_id}") as options:
            stripe.invoices.void_invoice(invoice_id, {}, {**options})


def _phases(schedule: Plain, price: str) -> list[Plain]:
    now = schedule["phases"][0]
    items = [{"price": i["price"], "quantity": i.get("quantity") or 1} for i in now["items"]]
    return [
        {"items": items, "start_date": now["start_date"], "end_date": now["end_date"]},
        {
            "items": [{"price": price, "quantity": 1}],
            "duration": {"interval": "month", "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
