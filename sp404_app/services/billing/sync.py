"""Copy one Stripe customer's state into our tables; called whenever it may have changed."""

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select, update

from sp404_app.db import after_commit
from sp404_app.models import BillingCustomer, Invoice, Subscription
from sp404_app.models.billing import BILLABLE
from sp404_app.models.columns import uuid7
from sp404_app.services.billing import (
    access_rules,
    catalog,
    customers,
    entitlements,
    notifications,
    paid_plan,
    stripe_client,
    stripe_parsing,
    stripe_snapshot,
    trials,
    uncancel,
)
from sp404_app.services.billing.notifications import SubscriptionSummary
from sp404_app.services.billing.stripe_client import StripeDict
from sp404_app.services.billing.stripe_snapshot import StripeSnapshot
from sp404_app.services.infra import events, queue
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.plans import Tier

# A job queues samples that wait for quota, because billing must not import processing.
QUOTA_BACKLOG_JOB = "sp404_app.jobs.quota_backlog.queue_waiting"
# The subscription to use if a customer has several, in this order of status.
STATUS_PREFERENCE = ("active", "trialing", "past_due", "unpaid", "paused", "incomplete")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Changed fields as text, and problems that only an operator can solve."""

    changes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def sync_customer(session: Session, user_id: uuid.UUID) -> SyncResult:
    """Fetch a customer's state from Stripe and save it. Idempotent; independent of event order.

    Raises:
        AppError: If Stripe does not answer; then nothing is changed.
    """
    customer = customers.lock_customer(session, user_id)
    started_at = session.exec(select(func.clock_timestamp())).one()
    snapshot = stripe_snapshot.fetch_snapshot(customer, _billable_ids(session, customer))
    before = _summarise(session, user_id)
    problems = _save_subscriptions(session, customer, snapshot)
    _save_invoices(session, customer, snapshot)
    _save_customer(session, customer, snapshot, started_at)
    session.flush()
    trials.enforce_one_trial(session, customer, snapshot)
    uncancel.undo_cancellation_once_paid(session, customer)
    after = _summarise(session, user_id)
    notifications.notify_changes(session, customer, before, after)
    if before != after:
        after_commit(session, partial(queue.enqueue_function, QUOTA_BACKLOG_JOB, str(user_id)))
        after_commit(
            session,
            partial(events.publish, user_id, Event(Topic.SUBSCRIPTION), Event(Topic.QUOTA)),
        )
    return SyncResult(_describe_changes(before, after), tuple(problems))


def synced_since(session: Session, user_id: uuid.UUID, moment: dt.datetime) -> bool:
    """Return whether a sync started after a time, and so covers every change before it."""
    customer = customers.lock_customer(session, user_id)
    return customer.synced_at is not None and customer.synced_at > moment


def _billable_ids(session: Session, customer: BillingCustomer) -> list[str]:
    billable = select(Subscription.stripe_id).where(
        Subscription.user_id == customer.user_id,
        Subscription.realm == customer.realm,
        col(Subscription.status).in_(BILLABLE),
    )
    return list(session.exec(billable))


def _save_subscriptions(
    session: Session, customer: BillingCustomer, snapshot: StripeSnapshot
) -> list[str]:
    """Save all subscriptions and mark the current one; return problems."""
    is_own = (col(Subscription.user_id) == customer.user_id) & (
        col(Subscription.realm) == customer.realm
    )
    # The unique index allows one billable subscription that is not secondary, so all are marked
    # until the current one is chosen. Other transactions do not see this state.
    session.exec(update(Subscription).where(is_own).values(is_secondary=True))
    problems: list[str] = []
    saved_ids = [
        _save_subscription(session, customer, snapshot, raw, problems)
        for raw in snapshot.subscriptions
    ]
    missing = (
        is_own
        & col(Subscription.stripe_id).not_in(saved_ids)
        & col(Subscription.status).in_(BILLABLE)
    )
    ended = {"status": "canceled", "ended_at": snapshot.now}
    session.exec(update(Subscription).where(missing).values(**ended))
    current_id = _choose_current(snapshot.subscriptions)
    primary = is_own & (
        (col(Subscription.stripe_id) == current_id) | col(Subscription.status).not_in(BILLABLE)
    )
    session.exec(update(Subscription).where(primary).values(is_secondary=False))
    billable = [raw["id"] for raw in snapshot.subscriptions if raw["status"] in BILLABLE]
    if len(billable) > 1:
        problems.append(f"{customer.stripe_id} has {len(billable)} subscriptions: {billable}")
    return problems


def _choose_current(subscriptions: list[StripeDict]) -> str:
    """Return the id of the best billable subscription: by status, highest price, age; or ""."""
    billable = [raw for raw in subscriptions if raw["status"] in BILLABLE]
    ranked = sorted(
        billable,
        key=lambda raw: (
            STATUS_PREFERENCE.index(raw["status"]),
            -stripe_parsing.yearly_amount(stripe_parsing.item_price(raw)),
            raw["created"],
            raw["id"],
        ),
    )
    return ranked[0]["id"] if ranked else ""


def _save_subscription(
    session: Session,
    customer: BillingCustomer,
    snapshot: StripeSnapshot,
    raw: StripeDict,
    problems: list[str],
) -> str:
    values = stripe_parsing.parse_subscription(raw)
    tier = catalog.tier_of_price(session, stripe_parsing.item_price(raw))
    if tier is None:
        problems.append(f"{raw['id']} has an unknown price {values['price_id']}")
    values["tier"] = _granted_tier(session, snapshot, raw, tier or Tier.FREE)
    values["unpaid_change"] |= values["tier"] != (tier or Tier.FREE)
    invoices = [stripe_parsing.parse_invoice(found) for found in _invoices_of(snapshot, raw)]
    values["attempts"], values["next_attempt_at"] = stripe_parsing.dunning_state(
        raw["status"], invoices
    )
    values |= _pending_change(session, snapshot, values)
    saved = select(Subscription.grace_since).where(Subscription.stripe_id == raw["id"])
    grace_since = session.exec(saved).first()
    in_grace = access_rules.is_in_grace(
        raw["status"], values["attempts"], retries_left=values["next_attempt_at"] is not None
    )
    values["grace_since"] = (grace_since or snapshot.now) if in_grace else None
    owner = {"user_id": customer.user_id, "realm": customer.realm, "is_secondary": True}
    _upsert(session, Subscription, values | owner | {"synced_at": func.now()})
    return raw["id"]


def _granted_tier(
    session: Session, snapshot: StripeSnapshot, raw: StripeDict, item_tier: Tier
) -> Tier:
    """Return the plan in force of a subscription whose item has the plan `item_tier`."""
    price = stripe_parsing.item_price(raw)["id"]

    def find_tier(price_id: str) -> Tier | None:
        return item_tier if price_id == price else catalog.tier_of_price_id(session, price_id)

    saved = select(Subscription.tier).where(Subscription.stripe_id == raw["id"])
    default = item_tier if snapshot.has_older_invoices else Tier.FREE
    before = Tier(session.exec(saved).first() or default)
    oldest_first = sorted(_invoices_of(snapshot, raw), key=lambda found: found["created"])
    invoices = [paid_plan.read_invoice_tiers(found, find_tier) for found in oldest_first]
    return paid_plan.granted_tier(item_tier, invoices, before)


def _invoices_of(snapshot: StripeSnapshot, raw: StripeDict) -> list[StripeDict]:
    return [
        found
        for found in snapshot.invoices[::-1]
        if stripe_parsing.invoice_subscription_id(found) == raw["id"]
    ]


def _pending_change(
    session: Session, snapshot: StripeSnapshot, values: dict[str, Any]
) -> dict[str, Any]:
    """Return the column values of the next plan change in the subscription's schedule."""
    schedule = snapshot.schedules.get(values["schedule_id"])
    scheduled = schedule and stripe_parsing.next_scheduled_price(
        schedule, values["price_id"], snapshot.now
    )
    if not scheduled:
        return {"pending_tier": "", "pending_interval": "", "pending_at": None}
    price, at = scheduled
    plain_price = price if isinstance(price, dict) else {"id": price}
    return {
        "pending_tier": catalog.tier_of_price(session, plain_price) or "",
        "pending_interval": catalog.interval_of_price(session, plain_price),
        "pending_at": at,
    }


def _save_invoices(session: Session, customer: BillingCustomer, snapshot: StripeSnapshot) -> None:
    owner = {"user_id": customer.user_id, "realm": customer.realm}
    for raw in snapshot.invoices:
        _upsert(session, Invoice, stripe_parsing.parse_invoice(raw) | owner)


def _upsert(session: Session, table: type[Subscription | Invoice], values: dict[str, Any]) -> None:
    row = insert(table).values(id=uuid7(), **values)
    session.execute(row.on_conflict_do_update(index_elements=["stripe_id"], set_=values))


def _save_customer(
    session: Session, customer: BillingCustomer, snapshot: StripeSnapshot, started_at: dt.datetime
) -> None:
    customer.synced_at = started_at
    customer.clock_ahead = snapshot.clock_ahead_s
    customer.payment_method = stripe_parsing.describe_card(snapshot.payment_methods)
    session.add(customer)
    if snapshot.deleted and customer.stripe_id:
        customers.unlink_customer(session, customer)


def _summarise(session: Session, user_id: uuid.UUID) -> SubscriptionSummary | None:
    """Return the summary of the current subscription, or else of the latest one."""
    row = (
        entitlements.find_current_subscription(session, user_id)
        or session.exec(
            select(Subscription)
            .where(
                Subscription.user_id == user_id, Subscription.realm == stripe_client.stripe_mode()
            )
            .order_by(col(Subscription.period_end).desc())
            .execution_options(populate_existing=True)
        ).first()
    )
    return notifications.summarise_subscription(row) if row else None


def _describe_changes(
    before: SubscriptionSummary | None, after: SubscriptionSummary | None
) -> tuple[str, ...]:
    if before == after:
        return ()
    if before is None or after is None:
        return (f"{before} -> {after}",)
    return tuple(
        f"{name}: {getattr(before, name)} -> {getattr(after, name)}"
        for name in SubscriptionSummary.__slots__
        if getattr(before, name) != getattr(after, name)
    )
