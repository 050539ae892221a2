"""Subscriptions (docs.stripe.com/api/subscriptions)."""

import stripe.params as p

from stripe_emulator import limits
from stripe_emulator.due_dates import ENDED_STATUSES
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
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.periods import DAY_S
from stripe_emulator.transaction import Transaction, snapshot

PATH = "/v1/subscriptions"


def read_order(tx: Transaction, call: Call) -> subscriptions.SubscriptionOrder:
    """Return the order in a request to create a subscription."""
    params = call.params
    customer_id = tx.get("customer", params.get("customer", ""), "customer")["id"]
    wanted = params.get("items") or []
    if not wanted:
        raise invalid_request("Missing required param: items.", "items", "parameter_missing")
    items = [
        (
            subscriptions.active_recurring_price(
                tx, one.get("price", ""), f"items[{index}][price]"
            ),
            one.get("quantity", 1),
        )
        for index, one in enumerate(wanted)
    ]
    limits.check_prices_compatible([price for price, _ in items], "items")
    moment, end = tx.now(customer_id), params.get("trial_end")
    if days := params.get("trial_period_days"):
        end = moment + days * DAY_S
    if isinstance(end, int):
        limits.check_trial_end(moment, end)
    given = fields.read_fields(tx, customer_id, params)
    trial = None if end == "now" else end
    return subscriptions.SubscriptionOrder(
        customer=customer_id, items=items, trial_end=trial, fields=given
    )


def create_subscription(tx: Transaction, call: Call) -> Object:
    """Create a subscription without Checkout."""
    payment_behavior = call.params.get("payment_behavior", "allow_incomplete")
    return subscriptions.start_subscription(
        tx, read_order(tx, call), payment_behavior=payment_behavior
    )


def list_subscriptions(tx: Transaction, call: Call) -> Object:
    """List subscriptions; cancelled ones only if `status` includes them."""
    status, price = call.params.get("status"), call.params.get("price")
    found = filter_by_params(
        tx.find_all("subscription", customer=call.params.get("customer")),
        call,
        "collection_method",
        "test_clock",
    )
    ended = {"ended": ENDED_STATUSES, "all": None, None: None}.get(status, (status,))
    kept = [
        one
        for one in found
        if (one["status"] in ended if ended else status == "all" or one["status"] != "canceled")
        and (not price or any(item["price"]["id"] == price for item in one["items"]["data"]))
    ]
    return paginate(kept, call, PATH)


def update_subscription(tx: Transaction, call: Call) -> Object:
    """Update a subscription."""
    subscription = tx.get("subscription", call.id)
    fields.check_update_allowed(subscription, call.params)
    before = snapshot(subscription)
    subscription |= fields.read_fields(tx, subscription["customer"], call.params, subscription)
    fields.set_end(tx, subscription, call.params)
    tx.save(subscription)
    end = call.params.get("trial_end")
    if isinstance(end, int):
        move_trial_end(tx, subscription, end)
    payment_behavior = call.params.get("payment_behavior", "allow_incomplete")
    ends = end == "now" and subscription["status"] == "trialing"
    can_wait = tx.settings()["trial_end_can_be_pending"]
    if ends and can_wait and payment_behavior == "pending_if_incomplete":
        void_pending_update(tx, subscription)
        trials.end_trial_when_paid(tx, subscription, call.params.get("items") or [])
        tx.save_changes("customer.subscription.updated", subscription, before)
        return tx.get("subscription", call.id)
    update_items(tx, subscription, call.params)
    tx.save_changes("customer.subscription.updated", subscription, before)
    if ends:
        renewal.end_trial_now(tx, subscription, payment_behavior)
    return tx.get("subscription", call.id)


def move_trial_end(tx: Transaction, subscription: Object, end: int) -> None:
    """Move the end of a trial, or start one."""
    moment = tx.now(subscription["customer"])
    limits.check_trial_end(moment, end)
    subscription_updates.extend_trial(subscription, moment, end)


def update_items(tx: Transaction, subscription: Object, params: Object) -> None:
    """Change prices and quantities, with prorations by `proration_behavior`."""
    anchor = (params.get("billing_cycle_anchor") or {}).get("type")
    if not params.get("items") and anchor != "now":
        return
    if subscription["status"] in ENDED_STATUSES:
        raise invalid_request(f"A {subscription['status']} subscription cannot be changed.")
    void_pending_update(tx, subscription)
    moment = tx.now(subscription["customer"])
    request = subscription_updates.ItemChangeRequest(
        items=params.get("items") or [],
        proration_date=params.get("proration_date", moment),
        proration_behavior=params.get("proration_behavior", "create_prorations"),
        payment_behavior=params.get("payment_behavior", "allow_incomplete"),
        reset_anchor=anchor == "now",
    )
    subscription_updates.change_items(tx, subscription, request)


def void_pending_update(tx: Transaction, subscription: Object) -> None:
    """Discard a pending update, which a new change replaces, and void its invoice."""
    pending = subscription.pop("_pending", None)
    if pending is None:
        return
    subscription["pending_update"] = None
    subscription["latest_invoice"] = pending["before"]
    tx.save(subscription)
    invoice = tx.get("invoice", pending["invoice"])
    if invoice["status"] == "open":
        invoices.close_invoice(tx, invoice, "void")


def cancel_subscription_now(tx: Transaction, call: Call) -> Object:
    """Cancel a subscription now; with `prorate`, credit the unused time."""
    subscription = tx.get("subscription", call.id)
    if subscription["status"] in ENDED_STATUSES:
        raise invalid_request(f"No such subscription: '{call.id}'", "id", "resource_missing")
    if call.params.get("prorate"):
        moment = tx.now(subscription["customer"])
        lines = [
            line
            for item in subscription["items"]["data"]
            for line in proration.unused_time_credit(tx, item, moment)
        ]
        subscription_updates.defer_prorations(tx, subscription, lines)
    if call.params.get("invoice_now"):
        subscription_updates.invoice_pending_items(tx, subscription)
    details = call.params.get("cancellation_details") or {}
    return cancellation.cancel_subscription(tx, subscription, "cancellation_requested", details)


def resume_subscription(tx: Transaction, call: Call) -> Object:
    """Resume a paused subscription."""
    subscription = tx.get("subscription", call.id)
    if subscription["status"] != "paused":
        text = f"You can't resume a subscription whose status is {subscription['status']}."
        raise invalid_request(text)
    given = call.params.get("billing_cycle_anchor", "now")
    anchor = given["type"] if isinstance(given, dict) else given
    renewal.resume_paused(tx, subscription, anchor=anchor)
    return tx.get("subscription", call.id)


def retrieve_subscription(tx: Transaction, call: Call) -> Object:
    """Return a subscription."""
    return tx.get("subscription", call.id)


OPERATIONS = (
    Operation(
        "POST",
        PATH,
        p.SubscriptionCreateParams,
        create_subscription,
        f"{fields.SUPPORTED_FIELDS} customer items payment_behavior trial_end trial_period_days"
        " cancel_at_period_end cancel_at off_session billing_mode proration_behavior",
    ),
    Operation("GET", f"{PATH}/{{id}}", p.SubscriptionRetrieveParams, retrieve_subscription),
    Operation(
        "GET",
        PATH,
        p.SubscriptionListParams,
        list_subscriptions,
        f"{PAGING} collection_method created customer price status test_clock",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.SubscriptionUpdateParams,
        update_subscription,
        f"{fields.SUPPORTED_FIELDS} billing_cycle_anchor cancel_at cancel_at_period_end"
        " cancellation_details items off_session payment_behavior proration_behavior"
        " proration_date trial_end",
    ),
    Operation(
        "DELETE",
        f"{PATH}/{{id}}",
        p.SubscriptionCancelParams,
        cancel_subscription_now,
        "cancellation_details invoice_now prorate",
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/resume",
        p.SubscriptionResumeParams,
        resume_subscription,
        "billing_cycle_anchor proration_behavior proration_date",
    ),
)
