"""The list of pages."""

import pytest

from sp404_app.pages.routes import all_pages
from sp404_app.settings import settings


def page_routes() -> list[str]:
    return [page.route for page in all_pages()]


def test_every_page_has_a_url_and_a_title_of_its_own(environment: pytest.MonkeyPatch) -> None:
    pages = all_pages()
    assert len({page.route for page in pages}) == len(pages)
    assert len({page.title for page in pages}) == len(pages)
    assert all(page.route.startswith("/") for page in pages)


def test_development_pages_do_not_exist_in_production(environment: pytest.MonkeyPatch) -> None:
    assert {"/dev/outbox", "/dev/stripe"} <= set(page_routes())
    environment.setenv("SP404_ENV", "production")
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_key")
    settings.cache_clear()
    assert not [route for route in page_routes() if route.startswith("/dev")]


def test_a_real_stripe_key_removes_the_page_of_the_emulator(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SP404_STRIPE_SECRET_KEY", "sk_live_key")
    settings.cache_clear()
    assert "/dev/stripe" not in page_routes()
    assert "/dev/outbox" in page_routes()


def test_without_billing_there_are_no_pages_of_payments(environment: pytest.MonkeyPatch) -> None:
    assert {"/plans", "/billing", "/usage", "/operator"} <= set(page_routes())
    environment.setenv("SP404_BILLING", "off")
    settings.cache_clear()
    assert not {"/plans", "/billing", "/dev/stripe"} & set(page_routes())
    assert {"/usage", "/operator", "/dev/outbox"} <= set(page_routes())
