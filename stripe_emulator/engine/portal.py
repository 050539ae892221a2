"""What a customer may do in the portal (docs.stripe.com/customer-management)."""

from dataclasses import dataclass

from stripe_emulator import cards, periods
from stripe_emulator.due_dates import HOUR
from stripe_emulator.engine import cancellation, payments, schedules, subscription_updates
from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.shapes import schedule as schedule_shapes
from stripe_emulator.transaction import Ledger, snapshot

ENDED = ("canceled", "incomplete", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer in the portal, and what its configuration allows."""

    session: Object
    customer: Object
    features: Object

    def allows(self, feature: str) -> bool:
        """Whether the configuration has a feature."""
        return self.features[feature]["enabled"]

    def subscriptions(self, ledger: Ledger) -> list[Object]:
        """Return the subscriptions that run."""
        found = ledger.find("subscription", customer=self.customer["id"])
        return [one for one in found if one["status"] not in ENDED]

    def card(self, ledger: Ledger) -> Object | None:
        """Return the card that is charged."""
        names = [one["default_payment_method"] for one in self.subscriptions(ledger)]
        names.append(self.customer["invoice_settings"]["default_payment_method"])
        return next((found for name in names if name and (found := ledger.peek(name))), None)


def enter(ledger: Ledger, key: str) -> Visit | None:
    """Return the visit behind an address, unless its hour is over."""
    identifier, _, secret = key.rpartition("_")
    session = ledger.peek(identifier)
    if session is None or session.get("_token") != secret:
        return None
    customer = ledger.peek(session["customer"])
    over = session["created"] + HOUR < ledger.clock()
    if over or customer is None or customer.get("deleted"):
        return None
    configuration = ledger.get("billing_portal.configuration", session["configuration"])
    return Visit(session, customer, configuration["features"])


def act(ledger: Ledger, visit: Visit, action: str, form: dict[str, str]) -> str | None:
    """Do one thing; return where to go if not back to the portal."""
    value = form.get("value", "")
    if action == "card" and visit.allows("payment_method_update"):
        change_card(ledger, visit, form)
        return None
    own = {one["id"]: one for one in visit.subscriptions(ledger)}
    if action == "cancel" and visit.allows("subscription_cancel") and value in own:
        cancel(ledger, visit, own[value])
        return None
    if action == "resume" and value in own:
        resume(ledger, own[value])
        return None
    if action == "switch" and visit.allows("subscription_update") and own:
        return switch(ledger, visit, next(iter(own.values())), value)
    raise invalid("This is not possible here.")


def change_card(ledger: Ledger, visit: Visit, form: dict[str, str]) -> None:
    """Charge another card from now on."""
    entry = cards.read(
        form.get("number", ""), form.get("expiry", ""), form.get("cvc", ""), int(ledger.clock())
    )
    customer = visit.customer
    method = payments.add(ledger, entry, customer["email"], customer["name"])
    payments.attach(ledger, method, customer["id"])
    before = snapshot(customer)
    customer["invoice_settings"]["default_payment_method"] = method["id"]
    ledger.keep("customer.updated", customer, before)
    for subscription in visit.subscriptions(ledger):
        before = snapshot(subscription)
        subscription["default_payment_method"] = method["id"]
        ledger.keep("customer.subscription.updated", subscription, before)


def ending(subscription: Object) -> int | None:
    """Return when a subscription ends, if somebody decided so."""
    if subscription["cancel_at_period_end"]:
        return subscription_updates.period_end(subscription)
    return subscription["cancel_at"]


def guard(subscription: Object) -> None:
    """Refuse to touch what a schedule drives."""
    if subscription["schedule"]:
        raise invalid("A change of plan is scheduled. Undo it first.")


def cancel(ledger: Ledger, visit: Visit, subscription: Object) -> None:
    """Cancel now or at the period's end, where flexible billing sets `cancel_at` alone."""
    guard(subscription)
    if visit.features["subscription_cancel"]["mode"] == "immediately":
        cancellation.end(ledger, subscription, "cancellation_requested")
        return
    before = snapshot(subscription)
    end = subscription_updates.period_end(subscription)
    cancellation.plan(ledger, subscription, end, at_end=False)
    ledger.keep("customer.subscription.updated", subscription, before)


def resume(ledger: Ledger, subscription: Object) -> None:
    """Let a subscription go on that was to end."""
    guard(subscription)
    before = snapshot(subscription)
    cancellation.plan(ledger, subscription, None, at_end=False)
    ledger.keep("customer.subscription.updated", subscription, before)


def other_prices(ledger: Ledger, visit: Visit, subscription: Object) -> list[Object]:
    """Return the prices one may switch to."""
    products = visit.features["subscription_update"]["products"] or []
    names = [name for product in products for name in product["prices"]]
    current = subscription["items"]["data"][0]["price"]["id"]
    found = (ledger.peek(name) for name in names if name != current)
    return [price for price in found if price and price["active"]]


def switch(ledger: Ledger, visit: Visit, subscription: Object, price_id: str) -> str | None:
    """Switch the plan, at the period's end if that is how the configuration wants it."""
    guard(subscription)
    allowed = {price["id"]: price for price in other_prices(ledger, visit, subscription)}
    if price_id not in allowed:
        raise invalid("This plan is not offered.")
    item = subscription["items"]["data"][0]
    rules = visit.features["subscription_update"]
    kinds = [one["type"] for one in rules["schedule_at_period_end"]["conditions"]]
    cheaper = allowed[price_id]["unit_amount"] < item["price"]["unit_amount"]
    if cheaper and "decreasing_item_amount" in kinds:
        postpone(ledger, subscription, price_id)
        return None
    before = snapshot(subscription)
    request = subscription_updates.Request(
        items=[{"id": item["id"], "price": price_id}],
        at=ledger.now(subscription["customer"]),
        prorations=rules["proration_behavior"],
        behaviour="pending_if_incomplete",
    )
    problem = subscription_updates.change(ledger, subscription, request)
    ledger.keep("customer.subscription.updated", subscription, before)
    return unpaid(ledger, subscription, problem)


def unpaid(ledger: Ledger, subscription: Object, problem: Problem | None) -> str | None:
    """Refuse, or lead to the invoice that somebody has to confirm."""
    if problem:
        raise problem
    if subscription["pending_update"] is None:
        return None
    return ledger.get("invoice", subscription["latest_invoice"])["hosted_invoice_url"]


def postpone(ledger: Ledger, subscription: Object, price_id: str) -> None:
    """Let a schedule change the plan when the period ends."""
    schedule = schedules.adopt(ledger, subscription)
    before = snapshot(schedule)
    item = subscription["items"]["data"][0]
    start = schedule["phases"][0]["end_date"]
    end = periods.next_end(start, start, item["price"]["recurring"])
    wanted = [schedule_shapes.phase_item(price_id, item["quantity"])]
    schedule["phases"].append(
        schedule_shapes.phase(
            wanted, subscription["currency"], start, end, proration_behavior="none"
        )
    )
    ledger.keep("subscription_schedule.updated", schedule, before)
