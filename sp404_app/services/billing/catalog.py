"""Create our prices, portal configuration and webhook endpoint at Stripe. Idempotent."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from sp404_app.errors import Conflict, NotFound, Unavailable
from sp404_app.models import StripeObject
from sp404_app.services.billing import stripe_client, stripe_parsing
from sp404_app.services.billing.stripe_client import StripeDict, stripe_errors, to_plain_dict
from sp404_app.services.plans import PLANS, Interval, Plan, Tier
from sp404_app.settings import settings

DEFAULT_CURRENCY = "usd"
PAID_PLANS = tuple(plan for plan in PLANS.values() if plan.price_cents)
PRICES = tuple((plan, interval) for plan in PAID_PLANS for interval in Interval)
PORTAL_OBJECT = "portal"
WEBHOOK_OBJECT = "webhook"
PORTAL_FEATURES: dict[str, Any] = {
    "customer_update": {"enabled": True, "allowed_updates": ["address", "name", "tax_id"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
}
WEBHOOK_EVENTS = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.failed",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.updated",
    "invoice.voided",
    "payment_method.attached",
    "payment_method.updated",
    "subscription_schedule.canceled",
    "subscription_schedule.created",
    "subscription_schedule.released",
    "subscription_schedule.updated",
)


@dataclass(frozen=True, slots=True)
class Price:
    """A price of one month or one year, as Stripe has it."""

    id: str
    amount: int
    currency: str


def get_plan_price(session: Session, tier: Tier, interval: Interval = Interval.MONTH) -> Price:
    """Return the Stripe price of a plan; with the emulator, create the prices if needed.

    Raises:
        Unavailable: If `billing setup` has not been run.
    """
    row = _find_object(session, _price_object_name(tier, interval))
    chosen = _configured_price_id(tier, interval)
    if row is None or (chosen and row.stripe_id != chosen):
        if not settings().stripe_emulated:
            raise Unavailable("This plan isn't available yet.")
        set_up_catalog(session)
        row = _find_object(session, _price_object_name(tier, interval))
        assert row
    return Price(row.stripe_id, row.amount or 0, row.currency)


def get_display_price(session: Session, plan: Plan, interval: Interval = Interval.MONTH) -> Price:
    """Return a plan's price at Stripe, or the list price from `plans` before `billing setup`."""
    name = _price_object_name(plan.tier, interval)
    row = _find_object(session, name) if plan.price_cents else None
    if row is None or row.amount is None:
        return Price("", plan.price_for(interval), DEFAULT_CURRENCY)
    return Price(row.stripe_id, row.amount, row.currency)


def tier_of_price(session: Session, price: StripeDict) -> Tier | None:
    """Return the plan a Stripe price belongs to, including retired prices; None if unknown.

    A price without a saved row is recognised by its metadata `tier`.
    """
    object_name = session.exec(
        select(StripeObject.name).where(
            StripeObject.realm == stripe_client.stripe_mode(), StripeObject.stripe_id == price["id"]
        )
    ).first()
    name = (
        object_name.split(":")[1]
        if object_name and ":" in object_name
        else (price.get("metadata") or {}).get("tier", "")
    )
    return Tier(name) if name in {plan.tier for plan in PAID_PLANS} else None


def tier_of_price_id(session: Session, price_id: str) -> Tier | None:
    """Return the plan a price id belongs to; an unknown (retired) price is fetched from Stripe.

    Raises:
        AppError: If Stripe does not answer.
    """
    if not price_id:
        return None
    found = tier_of_price(session, {"id": price_id})
    return found or tier_of_price(session, _fetch_price(stripe_client.stripe_mode(), price_id))


def interval_of_price(session: Session, price: StripeDict) -> Interval:
    """Return how often a Stripe price is paid; a price known by its id only is looked up.

    Raises:
        AppError: If Stripe does not answer.
    """
    if "recurring" not in price:
        name = session.exec(
            select(StripeObject.name).where(
                StripeObject.realm == stripe_client.stripe_mode(),
                StripeObject.stripe_id == price["id"],
            )
        ).first()
        if name:
            return Interval.YEAR if name.endswith(f":{Interval.YEAR}") else Interval.MONTH
        price = _fetch_price(stripe_client.stripe_mode(), price["id"])
    return stripe_parsing.price_interval(price)


@lru_cache(maxsize=256)
def _fetch_price(_realm: str, price_id: str) -> StripeDict:
    try:
        with stripe_errors():
            return to_plain_dict(stripe_client.client().v1.prices.retrieve(price_id))
    except NotFound:
        return {"id": price_id}


def portal_configuration_id(session: Session) -> str:
    """Return the id of our customer portal configuration, or "" for Stripe's default."""
    row = _find_object(session, PORTAL_OBJECT)
    return row.stripe_id if row else ""


def is_catalog_set_up(session: Session) -> bool:
    """Return whether every paid plan has its Stripe prices."""
    return all(
        _find_object(session, _price_object_name(plan.tier, interval)) for plan, interval in PRICES
    )


def set_up_catalog(session: Session) -> list[str]:
    """Create whatever is missing at Stripe; return one line of output per object.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    lines = [_set_up_price(session, plan, interval) for plan, interval in PRICES]
    lines.append(f"portal {_set_up_portal(session)[0]}")
    if not settings().stripe_emulated:
        lines.append(_set_up_webhook(session))
    return lines


def _set_up_price(session: Session, plan: Plan, interval: Interval) -> str:
    with stripe_errors():
        found = _find_price(plan, interval) or _create_price(plan, interval)
    if stripe_parsing.price_interval(found) is not interval:
        raise Conflict(f"{found['id']} is not paid every {interval}, as {plan.name} needs it.")
    name = _price_object_name(plan.tier, interval)
    _save_object(session, name, found["id"], found["unit_amount"], found["currency"])
    return f"{plan.name} {interval} {found['id']} {found['unit_amount']} {found['currency']}"


def _find_price(plan: Plan, interval: Interval) -> StripeDict | None:
    prices = stripe_client.client().v1.prices
    if chosen := _configured_price_id(plan.tier, interval):
        return to_plain_dict(prices.retrieve(chosen))
    key = _lookup_key(plan, interval)
    listed = prices.list({"lookup_keys": [key], "active": True, "limit": 1})
    return to_plain_dict(listed.data[0]) if listed.data else None


def _find_product(plan: Plan) -> str:
    """Return the product of the plan's other price, or ""."""
    for interval in Interval:
        if found := _find_price(plan, interval):
            return stripe_parsing.object_id(found["product"])
    return ""


def _create_product(plan: Plan) -> str:
    key = f"product:{_lookup_key(plan, Interval.MONTH)}"
    return (
        stripe_client.client()
        .v1.products.create(
            {"name": f"Crate 404 {plan.name}", "metadata": {"tier": plan.tier}},
            {"idempotency_key": key},
        )
        .id
    )


def _create_price(plan: Plan, interval: Interval) -> StripeDict:
    key = _lookup_key(plan, interval)
    return to_plain_dict(
        stripe_client.client().v1.prices.create(
            {
                "product": _find_product(plan) or _create_product(plan),
                "currency": DEFAULT_CURRENCY,
                "unit_amount": plan.price_for(interval),
                "recurring": {"interval": interval.value},
                "lookup_key": key,
                "metadata": {"tier": plan.tier},
            },
            {"idempotency_key": f"price:{key}"},
        )
    )


def mend_portal(session: Session) -> bool:
    """Create the portal configuration, or correct it; return whether anything was wrong.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    return _set_up_portal(session)[1]


def _set_up_portal(session: Session) -> tuple[str, bool]:
    """Create or correct the portal configuration; return its id, and whether it was changed.

    The portal changes no email, because the account's counts, and no plan: our page does that.
    """
    configurations = stripe_client.client().v1.billing_portal.configurations
    wanted: Any = {
        "features": PORTAL_FEATURES,
        "default_return_url": f"{settings().origin}/billing",
    }
    if row := _find_object(session, PORTAL_OBJECT):
        with suppress(NotFound), stripe_errors():
            found = to_plain_dict(configurations.retrieve(row.stripe_id))
            if found["active"] and _contains(found, wanted):
                return row.stripe_id, False
            configurations.update(row.stripe_id, wanted | {"active": True})
            return row.stripe_id, True
    with stripe_errors():
        made = configurations.create(wanted)
    _save_object(session, PORTAL_OBJECT, made.id)
    return made.id, True


def _contains(found: Any, wanted: Any) -> bool:
    """Return whether an object of Stripe has the wanted values; lists may differ in order."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            _contains(found.get(key), item) for key, item in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and sorted(found) == sorted(wanted)
    return found == wanted


def _set_up_webhook(session: Session) -> str:
    """Create the webhook endpoint for the events we handle, or update the existing one."""
    url = f"{settings().origin}/api/webhooks/stripe"
    with stripe_errors():
        found = _find_and_update_webhook(session, url) or _create_webhook(url)
    _save_object(session, WEBHOOK_OBJECT, found["id"])
    line = f"webhook {found['id']} {url}"
    if secret := found.get("secret"):
        return f"{line}\nset SP404_STRIPE_WEBHOOK_SECRET={secret}"
    if found.get("api_version") not in (None, stripe_client.API_VERSION):
        return (
            f"{line}\nuses API version {found['api_version']}: delete this endpoint at Stripe and "
            "run the command again"
        )
    return line


def _find_and_update_webhook(session: Session, url: str) -> StripeDict | None:
    """Return our endpoint, by its saved id or else by URL, after correcting its settings."""
    endpoints = stripe_client.client().v1.webhook_endpoints
    row = _find_object(session, WEBHOOK_OBJECT)
    listed = [to_plain_dict(one) for one in endpoints.list({"limit": 100}).auto_paging_iter()]
    saved = [one for one in listed if row and one["id"] == row.stripe_id]
    found = next(iter(saved or [one for one in listed if one["url"] == url]), None)
    if found is None:
        return None
    expected = (url, sorted(WEBHOOK_EVENTS), "enabled")
    if (found["url"], sorted(found["enabled_events"]), found["status"]) == expected:
        return found
    wanted: Any = {"url": url, "enabled_events": list(WEBHOOK_EVENTS), "disabled": False}
    return to_plain_dict(endpoints.update(found["id"], wanted))


def _create_webhook(url: str) -> StripeDict:
    wanted: Any = {
        "url": url,
        "enabled_events": list(WEBHOOK_EVENTS),
        "api_version": stripe_client.API_VERSION,
    }
    return to_plain_dict(stripe_client.client().v1.webhook_endpoints.create(wanted))


def _find_object(session: Session, name: str) -> StripeObject | None:
    return session.get(StripeObject, (stripe_client.stripe_mode(), name), populate_existing=True)


def _save_object(
    session: Session, name: str, stripe_id: str, amount: int | None = None, currency: str = ""
) -> None:
    values = {"stripe_id": stripe_id, "amount": amount, "currency": currency}
    row = insert(StripeObject).values(realm=stripe_client.stripe_mode(), name=name, **values)
    session.execute(row.on_conflict_do_update(index_elements=["realm", "name"], set_=values))


def _price_object_name(tier: Tier, interval: Interval) -> str:
    """Return the name of a price's row; a monthly price has the name of the first release."""
    return f"price:{tier}" if interval is Interval.MONTH else f"price:{tier}:{interval}"


def _configured_price_id(tier: Tier, interval: Interval) -> str:
    return {
        (Tier.PRO, Interval.MONTH): settings().stripe_price_pro,
        (Tier.PRO, Interval.YEAR): settings().stripe_price_pro_year,
        (Tier.ENTERPRISE, Interval.MONTH): settings().stripe_price_enterprise,
        (Tier.ENTERPRISE, Interval.YEAR): settings().stripe_price_enterprise_year,
    }.get((tier, interval), "")


def _lookup_key(plan: Plan, interval: Interval) -> str:
    return f"crate404_{plan.tier}_{DEFAULT_CURRENCY}_{plan.price_for(interval)}_{interval}"
