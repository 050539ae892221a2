"""Preview invoices (docs.stripe.com/api/invoices/create_preview)."""

import copy

from stripe_emulator.due_dates import current_period_end
from stripe_emulator.engine import invoices, proration, subscription_updates
from stripe_emulator.engine.subscriptions import SubscriptionOrder, build_subscription, period_line
from stripe_emulator.errors import ApiError
from stripe_emulator.objects import Object, random_token
from stripe_emulator.transaction import Transaction, snapshot


def mark_as_preview(invoice: Object) -> Object:
    """Give an unsaved invoice the id of a preview."""
    invoice["id"] = f"upcoming_in_{random_token(24)}"
    invoice["auto_advance"] = False
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    for line in invoice["lines"]["data"]:
        line["invoice"] = invoice["id"]
    return invoice


def preview_next_invoice(
    tx: Transaction, subscription: Object, prorations: list[Object] | None = None
) -> Object:
    """Return the invoice of the next period.

    Raises:
        ApiError: 404 if the subscription ends with this period.
    """
    subscription = snapshot(subscription)
    end = current_period_end(subscription)
    ends = subscription["cancel_at"] is not None and subscription["cancel_at"] <= end
    if subscription["status"] == "canceled" or subscription["cancel_at_period_end"] or ends:
        text = f"No upcoming invoices for customer: {subscription['customer']}"
        raise ApiError(404, text, code="invoice_upcoming_none")
    customer = tx.get("customer", subscription["customer"])
    start = subscription["items"]["data"][0]["current_period_start"]
    lines = copy.deepcopy(subscription_updates.pending_lines(tx, subscription))
    lines += prorations or []
    subscription_updates.advance_period(subscription)
    items = subscription["items"]["data"]
    lines += [period_line(tx, item, trial=False) for item in items]
    invoice = invoices.build_invoice(tx, customer, subscription, lines, "upcoming")
    invoice |= {"created": end, "next_payment_attempt": end + 3600}
    invoice |= {"period_start": start, "period_end": end}
    return mark_as_preview(invoice)


def preview_item_change(
    tx: Transaction, subscription: Object, request: subscription_updates.ItemChangeRequest
) -> Object:
    """Return the invoice for a change of items: one issued now, or the next period's."""
    subscription = snapshot(subscription)
    planned = proration.plan_change(
        tx, subscription, request.items, request.proration_date, reset=request.reset_anchor
    )
    if request.proration_behavior == "always_invoice" or planned.anchor is not None:
        lines = planned.lines
        if request.proration_behavior == "none":
            lines = [line for line in lines if line["amount"] > 0]
        customer = tx.get("customer", subscription["customer"])
        return mark_as_preview(
            invoices.build_invoice(
                tx, customer, subscription, lines, "subscription_update", request.proration_date
            )
        )
    subscription_updates.apply_change(subscription, planned)
    lines = planned.lines if request.proration_behavior == "create_prorations" else []
    return preview_next_invoice(tx, subscription, lines)


def preview_trial_end(tx: Transaction, subscription: Object, wanted: list[Object]) -> Object:
    """Return the invoice that ending the trial now, with changed items, would create."""
    subscription = snapshot(subscription)
    moment = tx.now(subscription["customer"])
    planned = proration.plan_change(tx, subscription, wanted, moment)
    subscription_updates.apply_change(subscription, planned)
    start_next_period_at(subscription, moment)
    customer = tx.get("customer", subscription["customer"])
    items = subscription["items"]["data"]
    lines = [period_line(tx, item, trial=False) for item in items]
    return mark_as_preview(
        invoices.build_invoice(tx, customer, subscription, lines, "subscription_cycle")
    )


def start_next_period_at(subscription: Object, moment: int) -> None:
    """Start the next period at `moment` instead of at the end of the current one."""
    subscription["billing_cycle_anchor"] = moment
    for item in subscription["items"]["data"]:
        item["current_period_end"] = moment
    subscription_updates.advance_period(subscription)


def preview_new_subscription(tx: Transaction, order: SubscriptionOrder) -> Object:
    """Return the first invoice of a subscription that does not exist yet."""
    customer = tx.get("customer", order.customer, "customer")
    subscription = build_subscription(tx, customer, order)
    trial = order.trial_end is not None
    lines = [period_line(tx, item, trial=trial) for item in subscription["items"]["data"]]
    return mark_as_preview(
        invoices.build_invoice(tx, customer, subscription, lines, "subscription_create")
    )
