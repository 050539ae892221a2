"""Unknown URLs, pages while loading, double clicks, and pages for others."""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.people import PASSWORD, Visitor


@pytest.fixture
def visitor(page: Page, outbox: Outbox) -> Visitor:
    """A new user, signed in."""
    found = people.sign_up(page, outbox)
    people.sign_in(page, found)
    return found


@pytest.mark.parametrize("address", ["/nowhere", "/samples/1/2", "/library/x", "/%5Cx"])
def test_an_unknown_url_shows_the_404_page_with_links(
    page: Page, base_url: str, address: str
) -> None:
    answer = page.goto(f"{base_url}{address}")
    assert answer
    assert (answer.status, answer.url.startswith(f"{base_url}/")) == (404, True)
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(page).to_have_title("Page not found · Crate 404")
    page.get_by_role("link", name="Go to the home page").click()
    expect(page).to_have_url(f"{base_url}/")


def test_the_home_page_of_a_person_who_is_signed_in_is_the_library(
    page: Page, visitor: Visitor, base_url: str
) -> None:
    page.goto("/")
    expect(page).to_have_url(f"{base_url}/library")
    page.goto("/nowhere")
    page.get_by_role("link", name="Go to the home page").click()
    expect(page).to_have_url(f"{base_url}/library")
    expect(page.get_by_test_id("search")).to_be_visible()


def test_the_links_of_the_first_page_lead_somewhere(page: Page, base_url: str) -> None:
    page.goto("/")
    links = page.locator(".front-foot a")
    found = [(each.inner_text(), each.get_attribute("href")) for each in links.all()]
    assert {"API", "Terms", "Privacy"} <= {words for words, _ in found}
    for words, address in found:
        page.goto("/")
        with page.expect_response(f"{base_url}{address}") as answer:
            page.locator(".front-foot").get_by_text(words, exact=True).click()
        assert answer.value.ok
        expect(page.get_by_role("heading", name="Page not found")).to_have_count(0)


def test_a_visitor_who_is_signed_in_returns_to_the_shared_page(
    page: Page, visitor: Visitor, base_url: str
) -> None:
    with page.expect_response(f"{base_url}/s/unknown") as answer:
        page.goto("/login?next=/s/unknown")
    assert answer.value.status == 404
    expect(page.locator("body")).to_contain_text("link")


def test_the_operator_page_is_hidden_from_other_users(page: Page, visitor: Visitor) -> None:
    page.goto("/operator")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    for words in ("One moment", "docs/", "RUNBOOKS", "Stripe"):
        expect(page.get_by_test_id("operator")).not_to_contain_text(words)
    page.get_by_role("link", name="Open the library").click()
    expect(page.get_by_test_id("empty-library")).to_be_visible()


def test_the_api_docs_load_nothing_from_other_servers(page: Page, base_url: str) -> None:
    asked: list[str] = []

    def local_only(route: Route) -> None:
        asked.append(route.request.url)
        if route.request.url.startswith((base_url, "data:", "blob:")):
            route.continue_()
        else:
            route.abort()

    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/*", local_only)
    page.goto("/api/docs")
    expect(page.get_by_role("heading", name=re.compile("Crate 404 API"))).to_be_visible()
    page.locator(".opblock-summary", has_text="/api/health/live").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("200")
    assert [url for url in asked if not url.startswith((base_url, "data:", "blob:"))] == []
    assert problems == []


def test_pages_show_no_incomplete_sentences_while_loading(page: Page, visitor: Visitor) -> None:
    page.route_web_socket(
        re.compile("_event"), lambda _: None
    )  # the websocket opens but never answers
    for address in ("/usage", "/billing", "/plans", "/account", "/library", "/operator", "/signup"):
        page.goto(address)
        shown = page.locator("body").inner_text()
        assert not re.search(r" (on|to|of|with|is)\s*[.,]", shown), (address, shown)
        assert "docs/" not in shown


def test_a_double_click_creates_one_account(page: Page, outbox: Outbox) -> None:
    address = "twice@example.org"
    page.goto("/signup")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_test_id("submit").dblclick()
    expect(page.get_by_test_id("sent-to")).to_have_text(address)
    page.get_by_test_id("resend").dblclick()
    expect(page.get_by_test_id("resent")).not_to_be_empty()
    page.wait_for_timeout(1500)
    assert len(outbox.to(address)) <= 2  # the one at sign-up, and one resent


def test_a_double_click_signs_in_once(page: Page, visitor: Visitor, browser: Browser) -> None:
    other = browser.new_context(base_url=page.url.removesuffix("/library")).new_page()
    sent: list[str] = []
    other.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    other.goto("/login")
    expect(other.get_by_test_id("demo")).to_be_visible()
    other.get_by_label("Email").fill(visitor.email)
    other.get_by_label("Password", exact=True).fill(visitor.password)
    other.get_by_test_id("submit").dblclick()
    expect(other.get_by_test_id("empty-library")).to_be_visible()
    assert len([url for url in sent if url.endswith("/auth/session")]) == 1
    other.context.close()


@pytest.mark.parametrize("purchase", ["cs_test_unknown", "x", "cs_test_" + "a" * 240])
def test_an_unknown_checkout_session_is_not_activated(
    page: Page, visitor: Visitor, purchase: str
) -> None:
    page.goto(f"/billing?session_id={purchase}")
    expect(page.get_by_text("There is no such purchase.")).to_be_visible()
    expect(page.get_by_text("Activating your plan")).to_have_count(0)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Via", "Forwarded"])
@pytest.mark.parametrize("address", ["/dev/outbox", "/dev/stripe", "/_stripe/pay/cs_test_x"])
def test_development_pages_refuse_requests_from_a_proxy(
    browser: Browser, base_url: str, header: str, address: str
) -> None:
    with browser.new_context(
        base_url=base_url, extra_http_headers={header: "127.0.0.1"}
    ) as context:
        answer = context.request.get(address)
        assert (answer.status, answer.json()["code"]) == (404, "not_found")
        assert context.request.get("/login").status == 200
