"""Changes of plan that wait for the end of the period: Stripe's subscription schedules."""

from typing import Any

from sqlmodel import Session

from sp404_app.models import BillingCustomer, Subscription
from sp404_app.services.billing import customers, stripe_client
from sp404_app.services.billing.stripe_client import StripeDict, to_plain_dict
from sp404_app.services.plans import Interval


def schedule_change(
    session: Session,
    customer: BillingCustomer,
    row: Subscription,
    price_id: str,
    interval: Interval,
) -> None:
    """Let a subscription without a schedule continue with another price after its period.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    schedules = stripe_client.client().v1.subscription_schedules
    with customers.idempotent_write(session, customer, f"sch:{row.stripe_id}") as options:
        schedule = to_plain_dict(
            schedules.create({"from_subscription": row.stripe_id}, {**options})
        )
    phases: Any = _phases(schedule, price_id, interval)
    intent = f"down:{schedule['id']}:{price_id}"
    with customers.idempotent_write(session, customer, intent) as options:
        schedules.update(schedule["id"], {"phases": phases, "end_behavior": "release"}, {**options})


def release_schedule(session: Session, customer: BillingCustomer, row: Subscription) -> None:
    """Release the subscription's schedule; Stripe rejects other updates while one is attached.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    if row.schedule_id:
        with customers.idempotent_write(session, customer, f"rel:{row.schedule_id}") as options:
            stripe_client.client().v1.subscription_schedules.release(
                row.schedule_id, {}, {**options}
            )
        row.schedule_id = ""


def _phases(schedule: StripeDict, price: str, interval: Interval) -> list[StripeDict]:
    """Return a schedule's current phase, followed by one period with the new price."""
    current = schedule["phases"][0]
    items = [{"price": i["price"], "quantity": i.get("quantity") or 1} for i in current["items"]]
    return [
        {"items": items, "start_date": current["start_date"], "end_date": current["end_date"]},
        {
            "items": [{"price": price, "quantity": 1}],
            "duration": {"interval": interval.value, "interval_count": 1},
            "proration_behavior": "none",
        },
    ]
