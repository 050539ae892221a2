"""Buying: to Stripe's Checkout and back."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import BillingCustomer, User
from sp404_app.services.billing import catalog, customers, entitlements, stripe_client, sync, trials
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    Plain,
    in_time,
    stripe_errors,
    to_plain_dict,
)
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings

OCCUPIED = "You have a subscription already. Change it instead of buying a second one."


@dataclass(frozen=True, slots=True)
class Return:
    """How things stand when a person comes back from Checkout."""

    complete: bool
    subscribed: bool


def paid_tier(name: str) -> Tier:
    """Return a plan that is sold.

    Raises:
        ValidationFailed: If it is not one.
    """
    if name not in {plan.tier for plan in catalog.PAID}:
        raise ValidationFailed("Choose Pro or Enterprise.", {"plan": ["Choose Pro or Enterprise."]})
    return Tier(name)


@in_time
def start(session: Session, user_id: uuid.UUID, tier: Tier, *, trial: bool = False) -> str:
    """Return the address where a person pays for a plan; two tabs get the same one.

    Raises:
        Conflict: If they have a subscription, or had their trial.
        AppError: If Stripe does not answer.
    """
    _ensure_buyer(session, user_id, tier, trial=trial)
    customers.ensure(session, user_id)
    sync.sync_customer(session, user_id)  # one that our mirror missed must not be bought twice
    customer = customers.ensure(session, user_id)
    current = entitlements.current_subscription(session, user_id)
    if current is not None and current.status != "incomplete":
        raise Conflict(OCCUPIED)
    price = catalog.price_of(session, tier)
    metadata = {"user_id": str(user_id), "tier": str(tier), "trial": str(int(trial))}
    if url := _open_session(customer, metadata, price.id):
        return url
    made = _make(session, customer, metadata, price.id, PLANS[tier].trial_days if trial else 0)
    customer.checkout_id = made["id"]
    session.add(customer)
    return made["url"]


@in_time
def finish(session: Session, user_id: uuid.UUID, checkout_id: str) -> Return:
    """Take over at once what a person bought, when they come back.

    Raises:
        NotFound: If it is not their purchase.
        AppError: If Stripe does not answer.
    """
    customer = customers.find(session, user_id)
    if customer is None or not checkout_id.startswith("cs_") or len(checkout_id) > 255:
        raise NotFound("There is no such purchase.")
    with stripe_errors():
        found = to_plain_dict(stripe_client.client().v1.checkout.sessions.retrieve(checkout_id))
    theirs = found["client_reference_id"] == str(user_id)
    if not theirs or found["customer"] != customer.stripe_id:
        raise NotFound("There is no such purchase.")
    sync.sync_customer(session, user_id)
    row = entitlements.current_subscription(session, user_id)
    return Return(found["status"] == "complete", row is not None and row.tier != Tier.FREE)


def _ensure_buyer(session: Session, user_id: uuid.UUID, tier: Tier, *, trial: bool) -> None:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("No such person.")
    if user.is_demo:
        raise Conflict("The demo account is on Pro already. Make an account of your own to buy.")
    if trial and not PLANS[tier].trial_days:
        raise ValidationFailed("This plan has no trial.", {"trial": ["This plan has no trial."]})
    if trial and not trials.eligible(session, user_id):
        raise Conflict("You had your free trial already.")


def _open_session(customer: BillingCustomer, metadata: dict[str, str], price: str) -> str:
    """Return the address of the purchase that is open, if it is the same; close it if not."""
    if not customer.checkout_id:
        return ""
    sessions = stripe_client.client().v1.checkout.sessions
    try:
        with stripe_errors():
            found = to_plain_dict(sessions.retrieve(customer.checkout_id))
            if found["status"] != "open":
                return ""
            if found["metadata"] == metadata | {"price": price}:
                return found["url"]
            sessions.expire(customer.checkout_id)
    except (NotFound, Conflict):  # it is gone, or was just paid: then the next look shows it
        return ""
    return ""


def _make(
    session: Session, customer: BillingCustomer, metadata: dict[str, str], price: str, days: int
) -> Plain:
    origin = settings().origin
    subscription: dict[str, Any] = {"metadata": {"user_id": metadata["user_id"]}}
    if days:
        subscription["trial_period_days"] = days
        ends = {"missing_payment_method": "cancel"}
        subscription["trial_settings"] = {"end_behavior": ends}
    intent = f"co:{customer.user_id}:{metadata['tier']}:{metadata['trial']}"
    params: Any = {
        "mode": "subscription",
        "customer": customer.stripe_id,
        "client_reference_id": metadata["user_id"],
        "line_items": [{"price": price, "quantity": 1}],
        "payment_method_collection": "always",
        "subscription_data": subscription,
        "metadata": metadata | {"price": price},
        "success_url": f"{origin}/billing?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{origin}/plans?cancelled=1",
    }
    try:
        with customers.writing(session, customer, intent) as options:
            return to_plain_dict(
                stripe_client.client().v1.checkout.sessions.create(params, {**options})
            )
    except CustomerGone as error:
        raise Conflict("Please try once more.") from error
