"""Start a Stripe Checkout Session and take over its result when the user returns."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from sp404_app.errors import Conflict, NotFound, ValidationFailed
from sp404_app.models import BillingCustomer, User
from sp404_app.services.billing import catalog, customers, entitlements, stripe_client, sync, trials
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    StripeDict,
    stripe_errors,
    to_plain_dict,
    within_time_budget,
)
from sp404_app.services.plans import PLANS, Interval, Tier
from sp404_app.settings import settings

ALREADY_SUBSCRIBED = "You already have a subscription. Change your plan instead."


@dataclass(frozen=True, slots=True)
class CheckoutResult:
    """State of a purchase when the user returns from Checkout."""

    complete: bool
    subscribed: bool


def parse_paid_tier(name: str) -> Tier:
    """Return the tier of a paid plan.

    Raises:
        ValidationFailed: If the name is not a paid plan.
    """
    if name not in {plan.tier for plan in catalog.PAID_PLANS}:
        raise ValidationFailed("Choose Pro or Enterprise.", {"plan": ["Choose Pro or Enterprise."]})
    return Tier(name)


@within_time_budget
def start_checkout(
    session: Session,
    user_id: uuid.UUID,
    tier: Tier,
    *,
    trial: bool = False,
    interval: Interval = Interval.MONTH,
) -> str:
    """Return the URL of a Checkout Session for a plan; an open session for it is reused.

    Raises:
        Conflict: If the user has a subscription, or has used the trial.
        AppError: If Stripe does not answer.
    """
    _ensure_can_buy(session, user_id, tier, trial=trial)
    customers.ensure_customer(session, user_id)
    sync.sync_customer(session, user_id)  # finds a subscription that our mirror missed
    customer = customers.ensure_customer(session, user_id)
    current = entitlements.find_current_subscription(session, user_id)
    if current is not None and current.status != "incomplete":
        raise Conflict(ALREADY_SUBSCRIBED)
    price = catalog.get_plan_price(session, tier, interval)
    metadata = {"user_id": str(user_id), "tier": str(tier), "trial": str(int(trial))}
    if url := _reuse_open_session(customer, metadata, price.id):
        return url
    made = _create_session(
        session, customer, metadata, price.id, PLANS[tier].trial_days if trial else 0
    )
    customer.checkout_id = made["id"]
    session.add(customer)
    return made["url"]


@within_time_budget
def finish_checkout(session: Session, user_id: uuid.UUID, checkout_id: str) -> CheckoutResult:
    """Sync the user's subscription after Checkout, without waiting for the webhook.

    Raises:
        NotFound: If the Checkout Session is not the user's.
        AppError: If Stripe does not answer.
    """
    customer = customers.find_customer(session, user_id)
    if customer is None or not checkout_id.startswith("cs_") or len(checkout_id) > 255:
        raise NotFound("There is no such purchase.")
    with stripe_errors():
        found = to_plain_dict(stripe_client.client().v1.checkout.sessions.retrieve(checkout_id))
    is_own = found["client_reference_id"] == str(user_id)
    if not is_own or found["customer"] != customer.stripe_id:
        raise NotFound("There is no such purchase.")
    sync.sync_customer(session, user_id)
    row = entitlements.find_current_subscription(session, user_id)
    return CheckoutResult(found["status"] == "complete", row is not None and row.tier != Tier.FREE)


def _ensure_can_buy(session: Session, user_id: uuid.UUID, tier: Tier, *, trial: bool) -> None:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such user.")
    if user.is_demo:
        raise Conflict("The demo account is already on Pro. Create your own account to subscribe.")
    if trial and not PLANS[tier].trial_days:
        message = "This plan doesn't have a free trial."
        raise ValidationFailed(message, {"trial": [message]})
    if trial and not trials.is_trial_eligible(session, user_id):
        raise Conflict("You've already used your free trial.")


def _reuse_open_session(customer: BillingCustomer, metadata: dict[str, str], price: str) -> str:
    """Return the URL of the open Checkout Session if it is for the same purchase, or "".

    A session for another plan or price is expired, so that only one can be paid.
    """
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
    except (NotFound, Conflict):  # it no longer exists, or was just paid: the next sync shows it
        return ""
    return ""


def _create_session(
    session: Session, customer: BillingCustomer, metadata: dict[str, str], price: str, days: int
) -> StripeDict:
    origin = settings().origin
    subscription: dict[str, Any] = {"metadata": {"user_id": metadata["user_id"]}}
    if days:
        subscription["trial_period_days"] = days
        ends = {"missing_payment_method": "cancel"}
        subscription["trial_settings"] = {"end_behavior": ends}
    intent = f"co:{customer.user_id}:{metadata['tier']}:{metadata['trial']}:{price}"
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
        with customers.idempotent_write(session, customer, intent) as options:
            return to_plain_dict(
                stripe_client.client().v1.checkout.sessions.create(params, {**options})
            )
    except CustomerGone as error:
        raise Conflict("Please try again.") from error
