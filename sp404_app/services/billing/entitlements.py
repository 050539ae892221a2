"""The plan and access a user has now. Reads our tables only, because every upload calls it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from sp404_app.models import BillingCustomer, Subscription, User
from sp404_app.models.billing import BILLABLE
from sp404_app.models.columns import now
from sp404_app.services.billing import access_rules, stripe_client
from sp404_app.services.billing.access_rules import Access
from sp404_app.services.plans import PLANS, Plan, Tier
from sp404_app.settings import settings


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The plan whose limits apply, and the access its payment status allows."""

    plan: Plan
    access: Access


def get_entitlement(session: Session, user_id: uuid.UUID) -> Entitlement:
    """Return the user's plan and access; without a subscription, Free (the demo account: Pro).

    Without billing (`SP404_BILLING=off`), everybody has the plan of `SP404_PLAN`.
    """
    if not settings().billing:
        return Entitlement(PLANS[Tier(settings().plan)], Access.FULL)
    found = session.exec(
        select(Subscription, BillingCustomer.clock_ahead)
        .join(
            BillingCustomer,
            (col(BillingCustomer.user_id) == Subscription.user_id)
            & (col(BillingCustomer.realm) == Subscription.realm),
        )
        .where(Subscription.user_id == user_id, *_is_current())
    ).first()
    if found is None:
        demo = session.exec(select(User.is_demo).where(User.id == user_id)).first()
        return Entitlement(PLANS[Tier.PRO if demo else Tier.FREE], Access.FULL)
    subscription, clock_ahead_s = found
    access = access_rules.determine_access(
        subscription_state_of(subscription), now() + dt.timedelta(seconds=clock_ahead_s)
    )
    if access is Access.FREE:
        return Entitlement(PLANS[Tier.FREE], Access.FULL)
    return Entitlement(PLANS[Tier(subscription.tier)], access)


def subscription_state_of(subscription: Subscription) -> access_rules.SubscriptionState:
    """Return the fields of a subscription that decide access."""
    return access_rules.SubscriptionState(
        subscription.status,
        subscription.attempts,
        subscription.next_attempt_at is not None,
        subscription.pause_reason,
        subscription.grace_since,
    )


def find_current_subscription(session: Session, user_id: uuid.UUID) -> Subscription | None:
    """Return the user's current subscription: billable and not a duplicate; or None."""
    query = select(Subscription).where(Subscription.user_id == user_id, *_is_current())
    return session.exec(query.execution_options(populate_existing=True)).first()


def customer_now(customer: BillingCustomer | None) -> dt.datetime:
    """Return the customer's current time, which a Stripe test clock may run ahead of ours."""
    return now() + dt.timedelta(seconds=customer.clock_ahead if customer else 0)


def _is_current() -> tuple[Any, ...]:
    return (
        Subscription.realm == stripe_client.stripe_mode(),
        col(Subscription.is_secondary).is_(False),
        col(Subscription.status).in_(BILLABLE),
    )
