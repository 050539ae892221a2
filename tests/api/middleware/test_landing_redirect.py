"""The landing page leads whoever is signed in to the library, and nobody else."""

import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from sp404_app.api.app import wrap_in_middleware
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.services.auth import sessions
from sp404_app.settings import Settings, settings
from tests.accounts import CLIENT
from tests.product import free_port


@pytest.fixture
def browser(services: Settings) -> TestClient:
    app = wrap_in_middleware(PlainTextResponse("the page"))
    return TestClient(app, base_url=services.origin, follow_redirects=False)


def sign_in(browser: TestClient, user: User) -> str:
    with transaction() as session:
        cookie = sessions.start_browser_session(session, user.id, CLIENT)
    browser.cookies.set(sessions.cookie_name(), cookie)
    return cookie


def test_a_person_who_is_signed_in_is_led_to_the_library(browser: TestClient, user: User) -> None:
    assert browser.get("/").text == "the page"
    sign_in(browser, user)
    for method in ("GET", "HEAD"):
        answer = browser.request(method, "/?utm_source=x")
        assert (answer.status_code, answer.headers["location"]) == (303, "/library")
        assert answer.headers["cache-control"] == "private, no-store"
    assert browser.get("/plans").text == "the page"


@pytest.mark.parametrize("cookie", ["", "unknown", "x" * 5000, "\u00e9", '"'])
def test_other_cookies_get_the_page(browser: TestClient, cookie: str) -> None:
    header = f"{sessions.cookie_name()}={cookie}".encode("latin-1")
    answer = browser.get("/", headers={b"Cookie": header})  # type: ignore[arg-type]
    assert answer.text == "the page"


def test_a_session_that_ended_gets_the_page(browser: TestClient, user: User) -> None:
    sign_in(browser, user)
    with transaction() as session:
        sessions.revoke_all_sessions(session, user.id)
    assert browser.get("/").text == "the page"


def test_without_redis_the_page_is_served(
    browser: TestClient, user: User, environment: pytest.MonkeyPatch
) -> None:
    sign_in(browser, user)
    environment.setenv("SP404_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    settings.cache_clear()
    assert browser.get("/").status_code in {200, 303}
