"""`billing setup`: idempotent, recovers lost rows, corrects changed endpoints."""

from typing import Any

import pytest
from sqlmodel import delete, update

from sp404_app.db import transaction
from sp404_app.errors import Unavailable
from sp404_app.models import StripeObject
from sp404_app.services.billing import catalog, emulator_setup, schemas, stripe_client
from sp404_app.services.plans import PLANS, Tier
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
    assert count_objects(stripe) == (2, 2, 1, 1)


def test_lost_rows_are_found_again_at_stripe(stripe: Any) -> None:
    set_up()
    with transaction() as session:  # as in a new database
        session.exec(delete(StripeObject))
    set_up()
    assert count_objects(stripe)[:2] == (2, 2)
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


def test_without_setup_paid_plans_are_unavailable(stripe: Any) -> None:
    with transaction() as session, pytest.raises(Unavailable, match="aren't available yet"):
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
