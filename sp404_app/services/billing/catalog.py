"""What we sell, at Stripe: prices, the portal, the webhook's address. Safe to run twice."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, select

from sp404_app.errors import NotFound, Unavailable
from sp404_app.models import StripeObject
from sp404_app.services.billing import stripe_client
from sp404_app.services.billing.stripe_client import Plain, stripe_errors, to_plain_dict
from sp404_app.services.plans import PLANS, Plan, Tier
from sp404_app.settings import settings

CURRENCY = "usd"
PAID = tuple(plan for plan in PLANS.values() if plan.price_cents)
PORTAL = "portal"
WEBHOOK = "webhook"
EVENTS = (
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
    """A monthly price as Stripe has it."""

    id: str
    amount: int
    currency: str


def price_of(session: Session, tier: Tier) -> Price:
    """Return the price of a plan.

    Raises:
        Unavailable: If `billing setup` has not been run.
    """
    row = _row(session, _name(tier))
    chosen = _chosen(tier)
    if row is None or (chosen and row.stripe_id != chosen):
        if not settings().stripe_emulated:
            raise Unavailable("Plans are not sold here yet.")
        set_up(session)
        row = _row(session, _name(tier))
        assert row
    return Price(row.stripe_id, row.amount or 0, row.currency)


def shown_price(session: Session, plan: Plan) -> Price:
    """Return what a plan costs at Stripe; what it will cost there where nothing is sold yet."""
    row = _row(session, _name(plan.tier)) if plan.price_cents else None
    if row is None or row.amount is None:
        return Price("", plan.price_cents, CURRENCY)
    return Price(row.stripe_id, row.amount, row.currency)


def tier_of(session: Session, price: Plain) -> Tier | None:
    """Return which plan a price of Stripe's belongs to, also one we do not sell any more."""
    known = session.exec(
        select(StripeObject.name).where(
            StripeObject.realm == stripe_client.stripe_mode(), StripeObject.stripe_id == price["id"]
        )
    ).first()
    name = known.removeprefix("price:") if known else (price.get("metadata") or {}).get("tier", "")
    return Tier(name) if name in {plan.tier for plan in PAID} else None


def tier_of_id(session: Session, price_id: str) -> Tier | None:
    """Return which plan a price belongs to; Stripe is asked about one we do not sell any more.

    Raises:
        AppError: If Stripe does not answer.
    """
    if not price_id:
        return None
    found = tier_of(session, {"id": price_id})
    return found or tier_of(session, _retired_price(stripe_client.stripe_mode(), price_id))


@lru_cache(maxsize=256)
def _retired_price(_realm: str, price_id: str) -> Plain:
    try:
        with stripe_errors():
            return to_plain_dict(stripe_client.client().v1.prices.retrieve(price_id))
    except NotFound:
        return {"id": price_id}


def portal(session: Session) -> str:
    """Return the id of the portal's configuration, or "" for Stripe's default."""
    row = _row(session, PORTAL)
    return row.stripe_id if row else ""


def is_set_up(session: Session) -> bool:
    """Say whether every plan that is sold has its price."""
    return all(_row(session, _name(plan.tier)) for plan in PAID)


def set_up(session: Session) -> list[str]:
    """Make what is missing, and say what there is.

    Raises:
        AppError: If Stripe refuses or does not answer.
    """
    said = [_set_up_price(session, plan) for plan in PAID]
    said.append(f"portal {_set_up_portal(session)}")
    if not settings().stripe_emulated:
        said.append(_set_up_webhook(session))
    return said


def _set_up_price(session: Session, plan: Plan) -> str:
    with stripe_errors():
        found = _found_price(plan) or _new_price(plan)
    _keep(session, _name(plan.tier), found["id"], found["unit_amount"], found["currency"])
    return f"{plan.name} {found['id']} {found['unit_amount']} {found['currency']}"


def _found_price(plan: Plan) -> Plain | None:
    prices = stripe_client.client().v1.prices
    if chosen := _chosen(plan.tier):
        return to_plain_dict(prices.retrieve(chosen))
    listed = prices.list({"lookup_keys": [_lookup_key(plan)], "active": True, "limit": 1})
    return to_plain_dict(listed.data[0]) if listed.data else None


def _new_price(plan: Plan) -> Plain:
    products, key = stripe_client.client().v1.products, _lookup_key(plan)
    product = products.create(
        {"name": f"Crate 404 {plan.name}", "metadata": {"tier": plan.tier}},
        {"idempotency_key": f"product:{key}"},
    )
    return to_plain_dict(
        stripe_client.client().v1.prices.create(
            {
                "product": product.id,
                "currency": CURRENCY,
                "unit_amount": plan.price_cents,
                "recurring": {"interval": "month"},
                "lookup_key": key,
                "metadata": {"tier": plan.tier},
            },
            {"idempotency_key": f"price:{key}"},
        )
    )


def _set_up_portal(session: Session) -> str:
    """Let the portal change the card, show invoices and cancel; plans are changed here."""
    configurations = stripe_client.client().v1.billing_portal.configurations
    if row := _row(session, PORTAL):
        with suppress(NotFound), stripe_errors():
            return configurations.retrieve(row.stripe_id).id
    features: Any = {
        "customer_update": {"enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    }
    with stripe_errors():
        made = configurations.create(
            {"features": features, "default_return_url": f"{settings().origin}/billing"}
        )
    _keep(session, PORTAL, made.id)
    return made.id


def _set_up_webhook(session: Session) -> str:
    """Let exactly the events we handle come to our address; what is there is brought up to date."""
    url = f"{settings().origin}/api/webhooks/stripe"
    with stripe_errors():
        found = _found_webhook(session, url) or _new_webhook(url)
    _keep(session, WEBHOOK, found["id"])
    said = f"webhook {found['id']} {url}"
    if secret := found.get("secret"):
        return f"{said}\nset SP404_STRIPE_WEBHOOK_SECRET={secret}"
    if found.get("api_version") not in (None, stripe_client.API_VERSION):
        return f"{said}\nspeaks {found['api_version']}: delete it at Stripe, and run this again"
    return said


def _found_webhook(session: Session, url: str) -> Plain | None:
    """Return the endpoint we made before, or one for our address, after mending it."""
    endpoints, row = stripe_client.client().v1.webhook_endpoints, _row(session, WEBHOOK)
    known = [to_plain_dict(one) for one in endpoints.list({"limit": 100}).auto_paging_iter()]
    ours = [one for one in known if row and one["id"] == row.stripe_id]
    found = next(iter(ours or [one for one in known if one["url"] == url]), None)
    if found is None:
        return None
    right = (url, sorted(EVENTS), "enabled")
    if (found["url"], sorted(found["enabled_events"]), found["status"]) == right:
        return found
    wanted: Any = {"url": url, "enabled_events": list(EVENTS), "disabled": False}
    return to_plain_dict(endpoints.update(found["id"], wanted))


def _new_webhook(url: str) -> Plain:
    wanted: Any = {
        "url": url,
        "enabled_events": list(EVENTS),
        "api_version": stripe_client.API_VERSION,
    }
    return to_plain_dict(stripe_client.client().v1.webhook_endpoints.create(wanted))


def _row(session: Session, name: str) -> StripeObject | None:
    return session.get(StripeObject, (stripe_client.stripe_mode(), name), populate_existing=True)


def _keep(
    session: Session, name: str, stripe_id: str, amount: int | None = None, currency: str = ""
) -> None:
    values = {"stripe_id": stripe_id, "amount": amount, "currency": currency}
    row = insert(StripeObject).values(realm=stripe_client.stripe_mode(), name=name, **values)
    session.execute(row.on_conflict_do_update(index_elements=["realm", "name"], set_=values))


def _name(tier: Tier) -> str:
    return f"price:{tier}"


def _chosen(tier: Tier) -> str:
    return {
        Tier.PRO: settings().stripe_price_pro,
        Tier.ENTERPRISE: settings().stripe_price_enterprise,
    }.get(tier, "")


def _lookup_key(plan: Plan) -> str:
    return f"crate404_{plan.tier}_{CURRENCY}_{plan.price_cents}_month"
