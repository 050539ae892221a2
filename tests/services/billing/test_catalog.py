"""`billing setup`: idempotent, recovers lost rows, corrects changed endpoints."""

from typing import Any

import pytest
from sqlmodel import col, delete, update

from sp404_app.db import transaction
from sp404_app.errors import Conflict, Unavailable
from sp404_app.models import StripeObject
from sp404_app.services.billing import catalog, emulator_setup, schemas, stripe_client
from sp404_app.services.plans import PLANS, Interval, Tier
from sp404_app.settings import settings
from tests.shop import Shop


@pytest.fixture
def stripe(shop: Shop, environment: pytest.MonkeyPatch) -> Any:
    """The emulator, used with a key as if it were Stripe."""
    reached = stripe_client.client()
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_test_1")
    settings.cache_clear()
    environment.setattr(stripe_client, "client", lambda: reached)
    return reached.v1


def set_up() -> list[str]:
    with transaction() as session:
        return catalog.set_up_catalog(session)


def count_objects(stripe: Any) -> tuple[int, ...]:
    portals = stripe.billing_portal.configurations
    lists = (stripe.products, stripe.prices, portals, stripe.webhook_endpoints)
    return tuple(len(one.list({"limit": 100}).data) for one in lists)


def test_the_webhook_endpoint_has_the_handled_events_and_shows_its_secret_once(stripe: Any) -> None:
    lines = set_up()
    (made,) = stripe.webhook_endpoints.list().data
    assert made.url == f"{settings().origin}/api/webhooks/stripe"
    assert made.enabled_events == list(catalog.WEBHOOK_EVENTS)
    assert made.api_version == stripe_client.API_VERSION
    assert "SP404_STRIPE_WEBHOOK_SECRET=whsec_" in lines[-1]
    assert "whsec_" not in set_up()[-1]
    assert count_objects(stripe) == (2, 4, 1, 1)


def test_lost_rows_are_found_again_at_stripe(stripe: Any) -> None:
    set_up()
    with transaction() as session:  # as in a new database
        session.exec(delete(StripeObject))
    set_up()
    assert count_objects(stripe)[:2] == (2, 4)
    assert count_objects(stripe)[3] == 1
    with transaction() as session:
        assert catalog.get_plan_price(session, Tier.PRO).amount == 2900


def test_a_changed_webhook_endpoint_is_corrected(
    stripe: Any, environment: pytest.MonkeyPatch
) -> None:
    set_up()
    (made,) = stripe.webhook_endpoints.list().data
    stripe.webhook_endpoints.update(made.id, {"enabled_events": ["*"], "disabled": True})
    environment.setenv("SP404_PUBLIC_URL", "https://sounds.example")
    settings.cache_clear()
    set_up()
    (mended,) = stripe.webhook_endpoints.list().data
    assert (mended.id, mended.status) == (made.id, "enabled")
    assert mended.url == "https://sounds.example/api/webhooks/stripe"
    assert mended.enabled_events == list(catalog.WEBHOOK_EVENTS)
    stripe.webhook_endpoints.delete(made.id)
    assert "SP404_STRIPE_WEBHOOK_SECRET=" in set_up()[-1]


def test_a_missing_portal_configuration_is_created_again(stripe: Any) -> None:
    set_up()
    with transaction() as session:
        session.exec(
            update(StripeObject)
            .where(StripeObject.name == catalog.PORTAL_OBJECT)
            .values(stripe_id="x")  # type: ignore[arg-type]
        )
    set_up()
    with transaction() as session:
        assert catalog.portal_configuration_id(session) != "x"


def disable_customer_update(stripe: Any) -> str:
    """Give the portal the configuration of an older release; return its id."""
    (made,) = stripe.billing_portal.configurations.list().data
    old: Any = {"customer_update": {"enabled": False, "allowed_updates": ""}}
    stripe.billing_portal.configurations.update(made.id, {"features": old, "active": False})
    return made.id


def test_the_portal_configuration_of_an_older_release_is_corrected(stripe: Any) -> None:
    set_up()
    old = disable_customer_update(stripe)
    set_up()
    (made,) = stripe.billing_portal.configurations.list().data
    assert (made.id, made.active) == (old, True)
    update = made.features.customer_update
    assert (update.enabled, update.allowed_updates) == (True, ["address", "name", "tax_id"])
    with transaction() as session:
        assert catalog.mend_portal(session) is False


def test_a_start_with_the_emulator_corrects_its_portal(shop: Shop) -> None:
    with transaction() as session:
        emulator_setup.set_up_emulator(session)
        disable_customer_update(shop.stripe())
        assert emulator_setup.set_up_emulator(session) == 1
        assert emulator_setup.set_up_emulator(session) == 0


def test_without_setup_paid_plans_are_unavailable(stripe: Any) -> None:
    with transaction() as session, pytest.raises(Unavailable, match="isn't available yet"):
        catalog.get_plan_price(session, Tier.PRO)


def test_configured_price_ids_are_used_and_displayed(
    stripe: Any, environment: pytest.MonkeyPatch
) -> None:
    product = stripe.products.create({"name": "By hand"})
    price = stripe.prices.create(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 1900,
            "recurring": {"interval": "month"},
        }
    )
    set_up()
    environment.setenv("SP404_STRIPE_PRICE_PRO", price.id)
    settings.cache_clear()
    with transaction() as session, pytest.raises(Unavailable):
        catalog.get_plan_price(session, Tier.PRO)
    set_up()
    with transaction() as session:
        sold = catalog.get_plan_price(session, Tier.PRO)
        assert (sold.id, sold.amount, sold.currency) == (price.id, 1900, "eur")
        shown = [schemas.plan_view(session, plan) for plan in PLANS.values()]
    assert [(one.price, one.currency) for one in shown] == [
        (0, "usd"),
        (1900, "eur"),
        (9900, "usd"),
    ]


@pytest.mark.usefixtures("shop")
def test_the_emulator_is_set_up_once() -> None:
    with transaction() as session:
        assert emulator_setup.set_up_emulator(session) == 1
        assert emulator_setup.set_up_emulator(session) == 0


@pytest.mark.usefixtures("shop")
def test_an_emulator_of_the_first_release_gets_its_yearly_prices() -> None:
    with transaction() as session:
        emulator_setup.set_up_emulator(session)
        session.exec(delete(StripeObject).where(col(StripeObject.name).endswith(":year")))
        assert emulator_setup.set_up_emulator(session) == 1
        assert catalog.get_plan_price(session, Tier.PRO, Interval.YEAR).amount == 29000


def test_both_prices_of_a_plan_have_the_same_product(stripe: Any) -> None:
    set_up()
    prices = stripe.prices.list({"limit": 100}).data
    products = {(one.metadata["tier"], one.product) for one in prices}
    assert len(products) == 2
    found = {(one.metadata["tier"], one.recurring.interval): one.unit_amount for one in prices}
    assert found == {
        (plan.tier, interval): plan.price_for(interval)
        for plan in catalog.PAID_PLANS
        for interval in Interval
    }


def test_a_monthly_price_is_refused_as_a_yearly_one(
    stripe: Any, environment: pytest.MonkeyPatch
) -> None:
    set_up()
    with transaction() as session:
        monthly = catalog.get_plan_price(session, Tier.PRO).id
    environment.setenv("SP404_STRIPE_PRICE_PRO_YEAR", monthly)
    settings.cache_clear()
    with pytest.raises(Conflict, match="not paid every year"):
        set_up()
