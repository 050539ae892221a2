"""Setting up what is sold: by one command, twice, after a loss, and at another address."""

from typing import Any

import pytest
from sqlmodel import delete, update

from sp404_app.db import transaction
from sp404_app.errors import Unavailable
from sp404_app.models import StripeObject
from sp404_app.services.billing import catalog, schemas, stripe_client
from sp404_app.services.billing import emulator_setup as opening
from sp404_app.services.plans import PLANS, Tier
from sp404_app.settings import settings
from tests.shop import Shop


@pytest.fixture
def stripe(shop: Shop, environment: pytest.MonkeyPatch) -> Any:
    """A Stripe of which we have a key: the emulator, which knows no difference."""
    reached = stripe_client.client()
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_test_1")
    settings.cache_clear()
    environment.setattr(stripe_client, "client", lambda: reached)
    return reached.v1


def set_up() -> list[str]:
    with transaction() as session:
        return catalog.set_up_catalog(session)


def counted(stripe: Any) -> tuple[int, ...]:
    portals = stripe.billing_portal.configurations
    lists = (stripe.products, stripe.prices, portals, stripe.webhook_endpoints)
    return tuple(len(one.list({"limit": 100}).data) for one in lists)


def test_the_endpoint_gets_exactly_what_we_handle_and_says_its_secret_once(stripe: Any) -> None:
    said = set_up()
    (made,) = stripe.webhook_endpoints.list().data
    assert made.url == f"{settings().origin}/api/webhooks/stripe"
    assert made.enabled_events == list(catalog.WEBHOOK_EVENTS)
    assert made.api_version == stripe_client.API_VERSION
    assert "SP404_STRIPE_WEBHOOK_SECRET=whsec_" in said[-1]
    assert "whsec_" not in set_up()[-1]
    assert counted(stripe) == (2, 2, 1, 1)


def test_what_was_lost_here_is_found_at_stripe(stripe: Any) -> None:
    set_up()
    with transaction() as session:  # as in a new database
        session.exec(delete(StripeObject))
    set_up()
    assert counted(stripe)[:2] == (2, 2)
    assert counted(stripe)[3] == 1
    with transaction() as session:
        assert catalog.get_plan_price(session, Tier.PRO).amount == 2900


def test_what_was_changed_at_stripe_is_mended(stripe: Any, environment: pytest.MonkeyPatch) -> None:
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


def test_a_lost_portal_is_made_again(stripe: Any) -> None:
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


def test_nothing_is_sold_before_it_is_set_up(stripe: Any) -> None:
    with transaction() as session, pytest.raises(Unavailable, match="aren't available yet"):
        catalog.get_plan_price(session, Tier.PRO)


def test_prices_made_by_hand_are_used_and_shown(
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
def test_a_new_machine_opens_its_shop_once() -> None:
    with transaction() as session:
        assert opening.set_up_emulator(session) == 1
        assert opening.set_up_emulator(session) == 0
