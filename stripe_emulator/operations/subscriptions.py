"""Subscriptions (docs.stripe.com/api/subscriptions)."""

import stripe.params as p

from stripe_emulator import limits
from stripe_emulator.due_dates import DAY
from stripe_emulator.engine import (
    cancellation,
    invoices,
    proration,
    renewal,
    subscription_updates,
    subscriptions,
    trials,
)
from stripe_emulator.engine import subscription_fields as fields
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.transaction import Ledger, snapshot

PATH = "/v1/subscriptions"
ENDED = ("canceled", "incomplete_expired")


def ordered(ledger: Ledger, call: Call) -> subscriptions.Order:
    """Return what a request to subscribe asks for."""
    params = call.params
    owner = ledger.get("customer", params.get("customer", ""), "customer")["id"]
    wanted = params.get("items") or []
    if not wanted:
        raise invalid("Missing required param: items.", "items", "parameter_missing")
    items = [
        (
            subscriptions.recurring(ledger, one.get("price", ""), f"items[{index}][price]"),
            one.get("quantity", 1),
        )
        for index, one in enumerate(wanted)
    ]
    limits.mixable([price for price, _ in items], "items")
    moment, end = ledger.now(owner), params.get("trial_end")
    if days := params.get("trial_period_days"):
        end = moment + days * DAY
    if isinstance(end, int):
        limits.trial_end(moment, end)
    given = fields.read(ledger, owner, params)
    trial = None if end == "now" else end
    return subscriptions.Order(customer=owner, items=items, trial_end=trial, fields=given)


def create(ledger: Ledger, call: Call) -> Object:
    """Begin a subscription without Checkout."""
    behaviour = call.params.get("payment_behavior", "allow_incomplete")
    return subscriptions.create(ledger, ordered(ledger, call), behaviour=behaviour)


def find(ledger: Ledger, call: Call) -> Object:
    """List subscriptions, without canceled ones unless they are asked for."""
    status, price = call.params.get("status"), call.params.get("price")
    found = matching(
        ledger.find("subscription", customer=call.params.get("customer")),
        call,
        "collection_method",
        "test_clock",
    )
    ended = {"ended": ENDED, "all": None, None: None}.get(status, (status,))
    kept = [
        one
        for one in found
        if (one["status"] in ended if ended else status == "all" or one["status"] != "canceled")
        and (not price or any(item["price"]["id"] == price for item in one["items"]["data"]))
    ]
    return page(kept, call, PATH)


def update(ledger: Ledger, call: Call) -> Object:
    """Change a subscription."""
    subscription = ledger.get("subscription", call.id)
    fields.check(subscription, call.params)
    before = snapshot(subscription)
    subscription |= fields.read(ledger, subscription["customer"], call.params, subscription)
    fields.plan_end(ledger, subscription, call.params)
    ledger.save(subscription)
    end = call.params.get("trial_end")
    if isinstance(end, int):
        extend(ledger, subscription, end)
    behaviour = call.params.get("payment_behavior", "allow_incomplete")
    ends = end == "now" and subscription["status"] == "trialing"
    can_wait = ledger.settings()["trial_end_can_be_pending"]
    if ends and can_wait and behaviour == "pending_if_incomplete":
        drop_pending(ledger, subscription)
        trials.end_when_paid(ledger, subscription, call.params.get("items") or [])
        ledger.keep("customer.subscription.updated", subscription, before)
        return ledger.get("subscription", call.id)
    change_items(ledger, subscription, call.params)
    ledger.keep("customer.subscription.updated", subscription, before)
    if ends:
        renewal.end_trial_now(ledger, subscription, behaviour)
    return ledger.get("subscription", call.id)


def extend(ledger: Ledger, subscription: Object, end: int) -> None:
    """Move the end of a trial."""
    moment = ledger.now(subscription["customer"])
    limits.trial_end(moment, end)
    subscription_updates.extend_trial(subscription, moment, end)


def change_items(ledger: Ledger, subscription: Object, params: Object) -> None:
    """Change prices and quantities, with the prorations that are asked for."""
    anchor = (params.get("billing_cycle_anchor") or {}).get("type")
    if not params.get("items") and anchor != "now":
        return
    if subscription["status"] in ENDED:
        raise invalid(f"A {subscription['status']} subscription cannot be changed.")
    drop_pending(ledger, subscription)
    moment = ledger.now(subscription["customer"])
    request = subscription_updates.Request(
        items=params.get("items") or [],
        at=params.get("proration_date", moment),
        prorations=params.get("proration_behavior", "create_prorations"),
        behaviour=params.get("payment_behavior", "allow_incomplete"),
        reset=anchor == "now",
    )
    subscription_updates.change(ledger, subscription, request)


def drop_pending(ledger: Ledger, subscription: Object) -> None:
    """A new change takes the place of one that waits: its invoice is void."""
    pending = subscription.pop("_pending", None)
    if pending is None:
        return
    subscription["pending_update"] = None
    subscription["latest_invoice"] = pending["before"]
    ledger.save(subscription)
    invoice = ledger.get("invoice", pending["invoice"])
    if invoice["status"] == "open":
        invoices.close(ledger, invoice, "void")


def cancel(ledger: Ledger, call: Call) -> Object:
    """End a subscription at once, with a credit for unused time if it is asked for."""
    subscription = ledger.get("subscription", call.id)
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{call.id}'", "id", "resource_missing")
    if call.params.get("prorate"):
        moment = ledger.now(subscription["customer"])
        lines = [
            line
            for item in subscription["items"]["data"]
            for line in proration.credit(ledger, item, moment)
        ]
        subscription_updates.postpone(ledger, subscription, lines)
    if call.params.get("invoice_now"):
        subscription_updates.bill_pending(ledger, subscription)
    details = call.params.get("cancellation_details") or {}
    return cancellation.end(ledger, subscription, "cancellation_requested", details)


def resume(ledger: Ledger, call: Call) -> Object:
    """Resume a paused subscription."""
    subscription = ledger.get("subscription", call.id)
    if subscription["status"] != "paused":
        text = f"You can't resume a subscription whose status is {subscription['status']}."
        raise invalid(text)
    given = call.params.get("billing_cycle_anchor", "now")
    anchor = given["type"] if isinstance(given, dict) else given
    renewal.resume(ledger, subscription, anchor=anchor)
    return ledger.get("subscription", call.id)


def retrieve(ledger: Ledger, call: Call) -> Object:
    """Return a subscription."""
    return ledger.get("subscription", call.id)


OPERATIONS = (
    Operation(
        "POST",
        PATH,
        p.SubscriptionCreateParams,
        create,
        f"{fields.NAMES} customer items payment_behavior trial_end trial_period_days"
        " cancel_at_period_end cancel_at off_session billing_mode proration_behavior",
    ),
    Operation("GET", f"{PATH}/{{id}}", p.SubscriptionRetrieveParams, retrieve),
    Operation(
        "GET",
        PATH,
        p.SubscriptionListParams,
        find,
        f"{PAGING} collection_method created customer price status test_clock",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.SubscriptionUpdateParams,
        update,
        f"{fields.NAMES} billing_cycle_anchor cancel_at cancel_at_period_end"
        " cancellation_details items off_session payment_behavior proration_behavior"
        " proration_date trial_end",
    ),
    Operation(
        "DELETE",
        f"{PATH}/{{id}}",
        p.SubscriptionCancelParams,
        cancel,
        "cancellation_details invoice_now prorate",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/resume",
        p.SubscriptionResumeParams,
        resume,
        "billing_cycle_anchor proration_behavior proration_date",
    ),
)
