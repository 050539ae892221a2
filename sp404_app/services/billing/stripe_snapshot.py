"""Fetch everything Stripe has about one customer: subscriptions, schedules, invoices, cards."""

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

from sp404_app.errors import NotFound
from sp404_app.models import BillingCustomer
from sp404_app.services.billing import stripe_client, stripe_parsing
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    StripeDict,
    stripe_errors,
    to_plain_dict,
)

PAGE_SIZE = 100
RECENT_INVOICES = 30


@dataclass(slots=True)
class StripeSnapshot:
    """A customer's state at Stripe at one moment; `deleted` if the customer does not exist."""

    deleted: bool = False
    subscriptions: list[StripeDict] = field(default_factory=list)
    schedules: dict[str, StripeDict] = field(default_factory=dict)
    invoices: list[StripeDict] = field(default_factory=list)
    has_older_invoices: bool = False
    payment_methods: list[Any] = field(default_factory=list)
    clock_ahead_s: int = 0

    @property
    def now(self) -> dt.datetime:
        """The current time in the customer's clock."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_ahead_s)


def fetch_snapshot(customer: BillingCustomer, known_ids: list[str]) -> StripeSnapshot:
    """Fetch a customer's subscriptions, schedules, invoices and cards.

    `known_ids` are the subscriptions to fetch by id if the customer was deleted.

    Raises:
        AppError: If Stripe does not answer.
    """
    if customer.stripe_id is None:
        return StripeSnapshot(deleted=True, subscriptions=_fetch_subscriptions(known_ids))
    try:
        with stripe_errors():
            return _fetch_customer(customer.stripe_id)
    except CustomerGone:
        return StripeSnapshot(deleted=True, subscriptions=_fetch_subscriptions(known_ids))


def _fetch_customer(customer_id: str) -> StripeSnapshot:
    stripe = stripe_client.client().v1
    customer = to_plain_dict(stripe.customers.retrieve(customer_id))
    if customer.get("deleted"):
        raise CustomerGone("The customer was deleted.")
    subscriptions = stripe.subscriptions.list(
        {
            "customer": customer_id,
            "status": "all",
            "limit": PAGE_SIZE,
            "expand": ["data.default_payment_method"],
        }
    )
    snapshot = StripeSnapshot(
        subscriptions=[to_plain_dict(found) for found in subscriptions.auto_paging_iter()]
    )
    # Invoices are fetched after the subscriptions, so that they are never older than the items
    # whose plan they decide.
    invoices = stripe.invoices.list({"customer": customer_id, "limit": RECENT_INVOICES})
    snapshot.invoices = [to_plain_dict(found) for found in invoices.data]
    snapshot.has_older_invoices = bool(invoices.has_more)
    for subscription in snapshot.subscriptions:
        if schedule_id := stripe_parsing.object_id(subscription.get("schedule")):
            snapshot.schedules[schedule_id] = to_plain_dict(
                stripe.subscription_schedules.retrieve(schedule_id)
            )
    snapshot.payment_methods = _payment_methods(customer, snapshot.subscriptions)
    snapshot.clock_ahead_s = _clock_ahead_s(stripe_parsing.object_id(customer.get("test_clock")))
    return snapshot


def _payment_methods(customer: StripeDict, subscriptions: list[StripeDict]) -> list[Any]:
    """Return the subscriptions' payment methods, or else the customer's default card."""
    methods = [
        method
        for subscription in subscriptions
        if subscription["status"] not in stripe_parsing.ENDED_STATUSES
        and (method := subscription.get("default_payment_method"))
    ]
    default = (customer.get("invoice_settings") or {}).get("default_payment_method")
    if methods or not default:
        return methods
    cards = (
        stripe_client.client()
        .v1.payment_methods.list({"customer": customer["id"], "limit": PAGE_SIZE})
        .data
    )
    return [to_plain_dict(card) for card in cards if card.id == stripe_parsing.object_id(default)]


def _clock_ahead_s(clock_id: str) -> int:
    """Return how many seconds a test clock is ahead of real time; 0 without one."""
    if not clock_id:
        return 0
    frozen = stripe_client.client().v1.test_helpers.test_clocks.retrieve(clock_id).frozen_time
    return max(0, int(frozen - time.time()))


def _fetch_subscriptions(stripe_ids: list[str]) -> list[StripeDict]:
    """Fetch subscriptions by id, leaving out those that no longer exist."""
    found = []
    for stripe_id in stripe_ids:
        try:
            with stripe_errors():
                found.append(
                    to_plain_dict(stripe_client.client().v1.subscriptions.retrieve(stripe_id))
                )
        except NotFound:
            continue
    return found
