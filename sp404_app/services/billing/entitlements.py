"""What a subscription gives right now, from our mirror alone: asked at every upload."""

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


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The plan whose limits count, and how far its owner may go."""

    plan: Plan
    access: Access


def entitlement_of(session: Session, user_id: uuid.UUID) -> Entitlement:
    """Return what a person may do; who never subscribed is on Free."""
    found = session.exec(
        select(Subscription, BillingCustomer.clock_ahead)
        .join(
            BillingCustomer,
            (col(BillingCustomer.user_id) == Subscription.user_id)
            & (col(BillingCustomer.realm) == Subscription.realm),
        )
        .where(Subscription.user_id == user_id, *_in_force())
    ).first()
    if found is None:
        demo = session.exec(select(User.is_demo).where(User.id == user_id)).first()
        return Entitlement(PLANS[Tier.PRO if demo else Tier.FREE], Access.FULL)
    subscription, ahead = found
    state = access_rules.access_state(
        standing_of(subscription), now() + dt.timedelta(seconds=ahead)
    )
    if state is Access.FREE:
        return Entitlement(PLANS[Tier.FREE], Access.FULL)
    return Entitlement(PLANS[Tier(subscription.tier)], state)


def standing_of(subscription: Subscription) -> access_rules.Standing:
    """Read from a row what decides about access."""
    return access_rules.Standing(
        subscription.status,
        subscription.attempts,
        subscription.next_attempt_at is not None,
        subscription.pause_reason,
        subscription.grace_since,
    )


def current_subscription(session: Session, user_id: uuid.UUID) -> Subscription | None:
    """Return the one subscription that counts, if there is one."""
    mine = select(Subscription).where(Subscription.user_id == user_id, *_in_force())
    return session.exec(mine.execution_options(populate_existing=True)).first()


def customer_now(customer: BillingCustomer | None) -> dt.datetime:
    """Return the time in a customer's clock, which a test clock may have moved ahead."""
    return now() + dt.timedelta(seconds=customer.clock_ahead if customer else 0)


def _in_force() -> tuple[Any, ...]:
    return (
        Subscription.realm == stripe_client.stripe_mode(),
        col(Subscription.is_secondary).is_(False),
        col(Subscription.status).in_(BILLABLE),
    )
