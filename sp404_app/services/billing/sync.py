"""Make our mirror of one customer say what Stripe says; whoever learns of a change comes here."""

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
from sp404_app.services.billing.notifications import View
from sp404_app.services.billing.stripe_client import Plain
from sp404_app.services.billing.stripe_snapshot import StripeSnapshot
from sp404_app.services.infra import events, queue
from sp404_app.services.infra.events import Event, Topic
from sp404_app.services.plans import Tier

# Samples that wait for quota are queued by a job: billing does not depend on processing.
WAITING_JOB = "sp404_app.jobs.quota_backlog.queue_waiting"
# Which one counts if there should be several.
PREFERENCE = ("active", "trialing", "past_due", "unpaid", "paused", "incomplete")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look at Stripe changed here, in words, and what nobody but an operator can mend."""

    healed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def sync_customer(session: Session, user_id: uuid.UUID) -> Outcome:
    """Fetch everything about one person and take it over; safe at any time, in any order.

    Raises:
        AppError: If Stripe does not answer; nothing is changed then.
    """
    customer = customers.locked(session, user_id)
    started = session.exec(select(func.clock_timestamp())).one()
    truth = stripe_snapshot.fetch_snapshot(customer, _living(session, customer))
    before = _view(session, user_id)
    problems = _take_subscriptions(session, customer, truth)
    _take_invoices(session, customer, truth)
    _take_customer(session, customer, truth, started)
    session.flush()
    trials.settle(session, customer, truth)
    uncancel.settle(session, customer)
    after = _view(session, user_id)
    notifications.about_change(session, customer, before, after)
    if before != after:
        after_commit(session, partial(queue.enqueue_function, WAITING_JOB, str(user_id)))
        after_commit(
            session,
            partial(events.publish, user_id, Event(Topic.SUBSCRIPTION), Event(Topic.QUOTA)),
        )
    return Outcome(_differences(before, after), tuple(problems))


def seen_since(session: Session, user_id: uuid.UUID, moment: dt.datetime) -> bool:
    """Say whether a look at Stripe began after a moment, so that it saw all that was before."""
    customer = customers.locked(session, user_id)
    return customer.synced_at is not None and customer.synced_at > moment


def _living(session: Session, customer: BillingCustomer) -> list[str]:
    mine = select(Subscription.stripe_id).where(
        Subscription.user_id == customer.user_id,
        Subscription.realm == customer.realm,
        col(Subscription.status).in_(BILLABLE),
    )
    return list(session.exec(mine))


def _take_subscriptions(
    session: Session, customer: BillingCustomer, truth: StripeSnapshot
) -> list[str]:
    mine = (col(Subscription.user_id) == customer.user_id) & (
        col(Subscription.realm) == customer.realm
    )
    # All step aside until it is clear which one counts; nobody sees it in between.
    session.exec(update(Subscription).where(mine).values(is_secondary=True))
    problems: list[str] = []
    seen = [
        _take_subscription(session, customer, truth, raw, problems) for raw in truth.subscriptions
    ]
    lost = mine & col(Subscription.stripe_id).not_in(seen) & col(Subscription.status).in_(BILLABLE)
    session.exec(update(Subscription).where(lost).values(status="canceled", ended_at=truth.at))
    chosen = _chosen(truth.subscriptions)
    counts = mine & (
        (col(Subscription.stripe_id) == chosen) | col(Subscription.status).not_in(BILLABLE)
    )
    session.exec(update(Subscription).where(counts).values(is_secondary=False))
    billable = [raw["id"] for raw in truth.subscriptions if raw["status"] in BILLABLE]
    if len(billable) > 1:
        problems.append(f"{customer.stripe_id} has {len(billable)} subscriptions: {billable}")
    return problems


def _chosen(subscriptions: list[Plain]) -> str:
    billable = [raw for raw in subscriptions if raw["status"] in BILLABLE]
    ranked = sorted(
        billable,
        key=lambda raw: (
            PREFERENCE.index(raw["status"]),
            -(stripe_parsing.price_of(raw)["unit_amount"] or 0),
            raw["created"],
            raw["id"],
        ),
    )
    return ranked[0]["id"] if ranked else ""


def _take_subscription(
    session: Session,
    customer: BillingCustomer,
    truth: StripeSnapshot,
    raw: Plain,
    problems: list[str],
) -> str:
    values = stripe_parsing.subscription(raw)
    tier = catalog.tier_of(session, stripe_parsing.price_of(raw))
    if tier is None:
        problems.append(f"{raw['id']} has an unknown price {values['price_id']}")
    values["tier"] = _granted(session, truth, raw, tier or Tier.FREE)
    values["unpaid_change"] |= values["tier"] != (tier or Tier.FREE)
    own = [stripe_parsing.invoice(found) for found in _invoices_of(truth, raw)]
    values["attempts"], values["next_attempt_at"] = stripe_parsing.dunning(raw["status"], own)
    values |= _pending(session, truth, values)
    known = select(Subscription.grace_since).where(Subscription.stripe_id == raw["id"])
    since = session.exec(known).first()
    grace = access_rules.in_grace(
        raw["status"], values["attempts"], retries_left=values["next_attempt_at"] is not None
    )
    values["grace_since"] = (since or truth.at) if grace else None
    fixed = {"user_id": customer.user_id, "realm": customer.realm, "is_secondary": True}
    _upsert(session, Subscription, values | fixed | {"synced_at": func.now()})
    return raw["id"]


def _granted(session: Session, truth: StripeSnapshot, raw: Plain, wanted: Tier) -> Tier:
    """Return the plan in force of a subscription whose item has the plan `wanted`."""
    price = stripe_parsing.price_of(raw)["id"]

    def tier_of(price_id: str) -> Tier | None:
        return wanted if price_id == price else catalog.tier_of_id(session, price_id)

    known = select(Subscription.tier).where(Subscription.stripe_id == raw["id"])
    unknown = wanted if truth.older_invoices else Tier.FREE
    before = Tier(session.exec(known).first() or unknown)
    oldest_first = sorted(_invoices_of(truth, raw), key=lambda found: found["created"])
    bills = [paid_plan.bill(found, tier_of) for found in oldest_first]
    return paid_plan.granted(wanted, bills, before)


def _invoices_of(truth: StripeSnapshot, raw: Plain) -> list[Plain]:
    return [
        found
        for found in truth.invoices[::-1]
        if stripe_parsing.subscription_of(found) == raw["id"]
    ]


def _pending(session: Session, truth: StripeSnapshot, values: dict[str, Any]) -> dict[str, Any]:
    schedule = truth.schedules.get(values["schedule_id"])
    coming = schedule and stripe_parsing.coming_price(schedule, values["price_id"], truth.at)
    if not coming:
        return {"pending_tier": "", "pending_at": None}
    price, at = coming
    plain_price = price if isinstance(price, dict) else {"id": price}
    return {"pending_tier": catalog.tier_of(session, plain_price) or "", "pending_at": at}


def _take_invoices(session: Session, customer: BillingCustomer, truth: StripeSnapshot) -> None:
    for raw in truth.invoices:
        fixed = {"user_id": customer.user_id, "realm": customer.realm}
        _upsert(session, Invoice, stripe_parsing.invoice(raw) | fixed)


def _upsert(session: Session, table: type[Subscription | Invoice], values: dict[str, Any]) -> None:
    row = insert(table).values(id=uuid7(), **values)
    session.execute(row.on_conflict_do_update(index_elements=["stripe_id"], set_=values))


def _take_customer(
    session: Session, customer: BillingCustomer, truth: StripeSnapshot, started: dt.datetime
) -> None:
    customer.synced_at = started
    customer.clock_ahead = truth.clock_ahead
    customer.payment_method = stripe_parsing.card(truth.methods)
    session.add(customer)
    if truth.gone and customer.stripe_id:
        customers.forget(session, customer)


def _view(session: Session, user_id: uuid.UUID) -> View | None:
    """Return what a person would notice of their subscription, the latest one if none counts."""
    row = (
        entitlements.current_subscription(session, user_id)
        or session.exec(
            select(Subscription)
            .where(
                Subscription.user_id == user_id, Subscription.realm == stripe_client.stripe_mode()
            )
            .order_by(col(Subscription.period_end).desc())
            .execution_options(populate_existing=True)
        ).first()
    )
    return notifications.view_of(row) if row else None


def _differences(before: View | None, after: View | None) -> tuple[str, ...]:
    if before == after:
        return ()
    if before is None or after is None:
        return (f"{before} -> {after}",)
    names = [name for name in View.__slots__ if getattr(before, name) != getattr(after, name)]
    return tuple(f"{n}: {getattr(before, n)} -> {getattr(after, n)}" for n in names)
