"""Actions of the customer portal (docs.stripe.com/customer-management)."""

from dataclasses import dataclass

from stripe_emulator import cards, periods
from stripe_emulator.due_dates import current_period_end
from stripe_emulator.engine import (
    cancellation,
    customer_details,
    payments,
    schedules,
    subscription_updates,
)
from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.periods import HOUR_S
from stripe_emulator.shapes import schedule as schedule_shapes
from stripe_emulator.transaction import Transaction, snapshot

HIDDEN_STATUSES = ("canceled", "incomplete", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class PortalVisit:
    """A portal session with its customer and the enabled features."""

    session: Object
    customer: Object
    features: Object

    def allows(self, feature: str) -> bool:
        """Return whether the configuration enables a feature."""
        return self.features[feature]["enabled"]

    def allowed_updates(self) -> list[str]:
        """Return what the configuration lets the customer change of its details."""
        return (
            self.features["customer_update"]["allowed_updates"]
            if self.allows("customer_update")
            else []
        )

    def subscriptions(self, tx: Transaction) -> list[Object]:
        """Return the customer's current subscriptions."""
        found = tx.find_all("subscription", customer=self.customer["id"])
        return [one for one in found if one["status"] not in HIDDEN_STATUSES]

    def card(self, tx: Transaction) -> Object | None:
        """Return the payment method that is charged, or None."""
        names = [one["default_payment_method"] for one in self.subscriptions(tx)]
        names.append(self.customer["invoice_settings"]["default_payment_method"])
        return next((found for name in names if name and (found := tx.get_or_none(name))), None)


def find_visit(tx: Transaction, key: str) -> PortalVisit | None:
    """Return the portal session for a URL key, or None if it is unknown or over an hour old."""
    identifier, _, secret = key.rpartition("_")
    session = tx.get_or_none(identifier)
    if session is None or session.get("_token") != secret:
        return None
    customer = tx.get_or_none(session["customer"])
    over = session["created"] + HOUR_S < tx.real_time()
    if over or customer is None or customer.get("deleted"):
        return None
    configuration = tx.get("billing_portal.configuration", session["configuration"])
    return PortalVisit(session, customer, configuration["features"])


def run_portal_action(
    tx: Transaction, visit: PortalVisit, action: str, form: dict[str, str]
) -> str | None:
    """Run an action and return the URL to redirect to, or None for the portal itself.

    Raises:
        ApiError: the action is unknown, not allowed or fails.
    """
    value = form.get("value", "")
    if action == "card" and visit.allows("payment_method_update"):
        change_card(tx, visit, form)
        return None
    if action in ("details", "add-tax-id", "remove-tax-id"):
        change_billing_information(tx, visit, action, form)
        return None
    own = {one["id"]: one for one in visit.subscriptions(tx)}
    if action == "cancel" and visit.allows("subscription_cancel") and value in own:
        cancel_plan(tx, visit, own[value])
        return None
    if action == "resume" and value in own:
        resume_plan(tx, own[value])
        return None
    if action == "switch" and visit.allows("subscription_update") and own:
        return switch_plan(tx, visit, next(iter(own.values())), value)
    raise invalid_request("This action is not available.")


def change_billing_information(
    tx: Transaction, visit: PortalVisit, action: str, form: dict[str, str]
) -> None:
    """Change name and address, or add or remove a tax id, as far as the configuration allows.

    Raises:
        ApiError: it is not allowed, or a value is not valid.
    """
    customer, allowed = visit.customer, visit.allowed_updates()
    if action == "details":
        customer_details.change_details(tx, customer, form, allowed)
        return
    if "tax_id" not in allowed:
        raise invalid_request("This action is not available.")
    if action == "add-tax-id":
        customer_details.add_tax_id(tx, customer, form.get("type", ""), form.get("value", ""))
        return
    found = customer_details.tax_id_of_customer(tx, customer["id"], form.get("value", ""))
    customer_details.remove_tax_id(tx, found)


def change_card(tx: Transaction, visit: PortalVisit, form: dict[str, str]) -> None:
    """Replace the customer's default payment method and that of every subscription."""
    entry = cards.parse_card(
        form.get("number", ""), form.get("expiry", ""), form.get("cvc", ""), int(tx.real_time())
    )
    customer = visit.customer
    method = payments.add_payment_method(tx, entry, customer["email"], customer["name"])
    payments.attach_payment_method(tx, method, customer["id"])
    before = snapshot(customer)
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    tx.save_changes("customer.updated", customer, before)
    for subscription in visit.subscriptions(tx):
        before = snapshot(subscription)
        subscription["default_payment_method"] = method["id"]
        tx.save_changes("customer.subscription.updated", subscription, before)


def ends_at(subscription: Object) -> int | None:
    """Return when a subscription is set to end, or None."""
    if subscription["cancel_at_period_end"]:
        return current_period_end(subscription)
    return subscription["cancel_at"]


def reject_if_scheduled(subscription: Object) -> None:
    """Refuse to change a subscription that a schedule manages."""
    if subscription["schedule"]:
        raise invalid_request("A plan change is scheduled. Cancel it first.")


def cancel_plan(tx: Transaction, visit: PortalVisit, subscription: Object) -> None:
    """Cancel now or at the end of the period.

    In flexible billing mode, the latter sets only `cancel_at`.
    """
    reject_if_scheduled(subscription)
    if visit.features["subscription_cancel"]["mode"] == "immediately":
        cancellation.cancel_subscription(tx, subscription, "cancellation_requested")
        return
    before = snapshot(subscription)
    end = current_period_end(subscription)
    cancellation.set_cancel_at(tx, subscription, end, at_end=False)
    tx.save_changes("customer.subscription.updated", subscription, before)


def resume_plan(tx: Transaction, subscription: Object) -> None:
    """Undo a cancellation that has not taken effect."""
    reject_if_scheduled(subscription)
    before = snapshot(subscription)
    cancellation.set_cancel_at(tx, subscription, None, at_end=False)
    tx.save_changes("customer.subscription.updated", subscription, before)


def other_prices(tx: Transaction, visit: PortalVisit, subscription: Object) -> list[Object]:
    """Return the active prices that the customer can switch to."""
    products = visit.features["subscription_update"]["products"] or []
    names = [name for product in products for name in product["prices"]]
    current = subscription["items"]["data"][0]["price"]["id"]
    found = (tx.get_or_none(name) for name in names if name != current)
    return [price for price in found if price and price["active"]]


def switch_plan(
    tx: Transaction, visit: PortalVisit, subscription: Object, price_id: str
) -> str | None:
    """Switch to another price.

    A cheaper price is scheduled for the end of the period if the configuration says so. Returns the
    URL of an invoice that needs authentication, or None.
    """
    reject_if_scheduled(subscription)
    allowed = {price["id"]: price for price in other_prices(tx, visit, subscription)}
    if price_id not in allowed:
        raise invalid_request("This plan is not available.")
    item = subscription["items"]["data"][0]
    rules = visit.features["subscription_update"]
    kinds = [one["type"] for one in rules["schedule_at_period_end"]["conditions"]]
    cheaper = allowed[price_id]["unit_amount"] < item["price"]["unit_amount"]
    if cheaper and "decreasing_item_amount" in kinds:
        schedule_switch(tx, subscription, price_id)
        return None
    before = snapshot(subscription)
    request = subscription_updates.ItemChangeRequest(
        items=[{"id": item["id"], "price": price_id}],
        proration_date=tx.now(subscription["customer"]),
        proration_behavior=rules["proration_behavior"],
        payment_behavior="pending_if_incomplete",
    )
    error = subscription_updates.change_items(tx, subscription, request)
    tx.save_changes("customer.subscription.updated", subscription, before)
    return invoice_url_if_pending(tx, subscription, error)


def invoice_url_if_pending(
    tx: Transaction, subscription: Object, error: ApiError | None
) -> str | None:
    """Return the invoice URL if the update is pending; raise the error of a failed payment."""
    if error:
        raise error
    if subscription["pending_update"] is None:
        return None
    return tx.get("invoice", subscription["latest_invoice"])["hosted_invoice_url"]


def schedule_switch(tx: Transaction, subscription: Object, price_id: str) -> None:
    """Create a schedule that changes the price at the end of the period."""
    schedule = schedules.create_from_subscription(tx, subscription)
    before = snapshot(schedule)
    item = subscription["items"]["data"][0]
    start = schedule["phases"][0]["end_date"]
    end = periods.next_period_end(start, start, item["price"]["recurring"])
    wanted = [schedule_shapes.new_phase_item(price_id, item["quantity"])]
    schedule["phases"].append(
        schedule_shapes.new_phase(
            wanted, subscription["currency"], start, end, proration_behavior="none"
        )
    )
    tx.save_changes("subscription_schedule.updated", schedule, before)
