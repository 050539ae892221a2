"""One look at everything Stripe has about a customer."""

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

from sp404_app.errors import NotFound
from sp404_app.models import BillingCustomer
from sp404_app.services.billing import stripe_client, stripe_parsing
from sp404_app.services.billing.stripe_client import (
    CustomerGone,
    Plain,
    stripe_errors,
    to_plain_dict,
)

MOST = 100
RECENT = 30


@dataclass(slots=True)
class StripeSnapshot:
    """What Stripe says now."""

    gone: bool = False
    subscriptions: list[Plain] = field(default_factory=list)
    schedules: dict[str, Plain] = field(default_factory=dict)
    invoices: list[Plain] = field(default_factory=list)
    older_invoices: bool = False  # there are more than `invoices` has
    methods: list[Any] = field(default_factory=list)
    clock_ahead: int = 0

    @property
    def at(self) -> dt.datetime:
        """Return the time in the customer's clock."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_ahead)


def fetch_snapshot(customer: BillingCustomer, known: list[str]) -> StripeSnapshot:
    """Ask for a customer's subscriptions, schedules, invoices and cards.

    `known` are the subscriptions to ask for by id when the customer was deleted.

    Raises:
        AppError: If Stripe does not answer.
    """
    if customer.stripe_id is None:
        return StripeSnapshot(gone=True, subscriptions=_one_by_one(known))
    try:
        with stripe_errors():
            return _look(customer.stripe_id)
    except CustomerGone:
        return StripeSnapshot(gone=True, subscriptions=_one_by_one(known))


def _look(customer_id: str) -> StripeSnapshot:
    stripe = stripe_client.client().v1
    person = to_plain_dict(stripe.customers.retrieve(customer_id))
    if person.get("deleted"):
        raise CustomerGone("The customer was deleted.")
    listed = stripe.subscriptions.list(
        {
            "customer": customer_id,
            "status": "all",
            "limit": MOST,
            "expand": ["data.default_payment_method"],
        }
    )
    truth = StripeSnapshot(
        subscriptions=[to_plain_dict(found) for found in listed.auto_paging_iter()]
    )
    # After the subscriptions: an item may not be newer than the invoices that decide about it.
    recent = stripe.invoices.list({"customer": customer_id, "limit": RECENT})
    truth.invoices = [to_plain_dict(found) for found in recent.data]
    truth.older_invoices = bool(recent.has_more)
    for found in truth.subscriptions:
        if schedule := stripe_parsing.ident(found.get("schedule")):
            truth.schedules[schedule] = to_plain_dict(
                stripe.subscription_schedules.retrieve(schedule)
            )
    living = [s for s in truth.subscriptions if s["status"] not in stripe_parsing.ENDED]
    truth.methods = [m for found in living if (m := found.get("default_payment_method"))]
    default = (person.get("invoice_settings") or {}).get("default_payment_method")
    if not truth.methods and default:
        cards = stripe.payment_methods.list({"customer": customer_id, "limit": MOST}).data
        truth.methods = [
            to_plain_dict(card) for card in cards if card.id == stripe_parsing.ident(default)
        ]
    truth.clock_ahead = _ahead(stripe_parsing.ident(person.get("test_clock")))
    return truth


def _ahead(clock: str) -> int:
    """Return by how many seconds a test clock runs ahead of the world's."""
    if not clock:
        return 0
    frozen = stripe_client.client().v1.test_helpers.test_clocks.retrieve(clock).frozen_time
    return max(0, int(frozen - time.time()))


def _one_by_one(known: list[str]) -> list[Plain]:
    found = []
    for stripe_id in known:
        try:
            with stripe_errors():
                found.append(
                    to_plain_dict(stripe_client.client().v1.subscriptions.retrieve(stripe_id))
                )
        except NotFound:
            continue
    return found
