"""A whole product with `SP404_BILLING=off`: no page, link or sentence is about money."""

import re
from collections.abc import Iterator
from itertools import islice

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from sp404_app.audio.synth.demo_sounds import demo_sounds
from sp404_app.services.plans import PLANS, Tier
from tests.e2e import people
from tests.e2e.conftest import OPERATOR, Outbox
from tests.e2e.pad_page import sound_files, wav_of
from tests.e2e.page_monitor import PageMonitor
from tests.product import Product, home_in, slot

MONEY = re.compile(
    r"stripe|billing|subscri|invoice|checkout|webhook|payment|\bpa(?:y|id)\b|pric(?:e|ing)|upgrade"
    r"|refund|\$\d|/plans\b|(?<!/)\bplans?\b(?! Import)|enterprise|\bfree\b(?! pad)",
    re.IGNORECASE,
)
PUBLIC = ("/", "/signup", "/login", "/forgot-password", "/terms", "/privacy", "/contact")
PRIVATE = (
    "/library",
    "/collections",
    "/projects",
    "/usage",
    "/account",
    "/shares",
    "/operator",
    "/dev/outbox",
    "/api/docs",
)
GONE = ("/plans", "/billing", "/dev/stripe")
ANALYSIS_TIMEOUT_MS = 90_000
FREE_ANALYSES = PLANS[Tier.FREE].analyses_per_month or 0


@pytest.fixture(scope="module")
def unpaid() -> Iterator[Product]:
    with slot("billing-off-") as folder, home_in(folder) as product:
        product.extra |= {"SP404_BILLING": "off", "SP404_PLAN": "free", "SP404_DEMO": "false"}
        product.extra |= {"SP404_OPERATORS": OPERATOR, "SP404_SIGN_INS_PER_MINUTE": "1000"}
        product.start(seconds=540)
        try:
            yield product
        finally:
            product.stop()


@pytest.fixture
def context(browser: Browser, unpaid: Product) -> Iterator[BrowserContext]:
    with browser.new_context(base_url=unpaid.base_url) as context:
        context.set_default_timeout(15_000)
        yield context


@pytest.fixture
def outbox(unpaid: Product) -> Outbox:
    return Outbox(unpaid.home / "outbox")


def money_on(page: Page) -> list[str]:
    """Return the sentences and addresses of a page that are about money."""
    texts = page.locator("body").inner_text().splitlines()
    links = page.locator("a").evaluate_all("links => links.map((link) => link.href)")
    return [line for line in [*texts, *links, page.title()] if MONEY.search(line)]


def test_no_page_has_a_word_about_money(page: Page, unpaid: Product, outbox: Outbox) -> None:
    errors: list[str] = []
    PageMonitor(page, errors.append)
    found: dict[str, list[str]] = {}
    walked = [*PUBLIC, *PRIVATE]
    for address in PUBLIC:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found[address] = money_on(page)
    visitor = people.sign_up(page, outbox, OPERATOR)
    sign_in(page, visitor, unpaid.base_url)
    sample, project, collection = add_library(page, unpaid.base_url)
    details = (f"/samples/{sample}", f"/projects/{project}", f"/collections/{collection}")
    for address in (*PRIVATE, *details):
        page.goto(address)
        if address == "/operator":
            expect(page.get_by_role("heading", name="Unsent emails")).to_be_visible()
        page.wait_for_load_state("networkidle")
        found[address] = money_on(page)
        walked.append(address)
    assert errors == []
    assert {address: lines for address, lines in found.items() if lines} == {}
    assert set(found) == set(walked)
    assert [str(mail) for mail in outbox.to("") if MONEY.search(str(mail["Subject"]))] == []


@pytest.mark.parametrize("address", GONE)
def test_pages_of_payments_do_not_exist(page: Page, address: str) -> None:
    answer = page.goto(address)
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()


def test_a_full_month_names_the_limit_and_nothing_to_buy(
    page: Page, unpaid: Product, outbox: Outbox
) -> None:
    sign_in(page, people.sign_up(page, outbox), unpaid.base_url)
    for sound in islice(demo_sounds(), FREE_ANALYSES + 2):
        wav = wav_of(sound.signal, sound.sample_rate)
        upload(page, unpaid.base_url, f"{sound.name}.wav", wav)
    page.goto("/library")
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.get_by_test_id("row-waiting")).to_have_count(2)
    expect(page.get_by_test_id("waiting-note")).to_contain_text("2 sounds wait for analysis")
    assert money_on(page) == []
    page.goto("/usage")
    expect(page.get_by_test_id("plan-line")).to_contain_text("Resets on")
    expect(page.get_by_test_id("plan-line")).not_to_contain_text("You're on")
    assert money_on(page) == []


def sign_in(page: Page, visitor: people.Visitor, origin: str) -> None:
    form: dict[str, str | float | bool] = {"email": visitor.email, "password": visitor.password}
    answer = page.request.post("/auth/session", form=form, headers={"Origin": origin})
    assert "/login" not in answer.url, answer.url


def upload(page: Page, origin: str, name: str, data: bytes) -> None:
    file = {"name": name, "mimeType": "audio/wav", "buffer": data}
    answer = page.request.post(
        "/api/samples",
        multipart={"file": file},  # type: ignore[dict-item]
        headers={"Origin": origin},
    )
    assert answer.status == 201 or answer.json()["code"] == "duplicate", answer.text()


def add_library(page: Page, origin: str) -> tuple[str, str, str]:
    """Add a sound, a project and a collection; return their ids."""
    name, data = next(iter(sound_files().items()))
    upload(page, origin, f"{name}.wav", data)
    page.goto("/library")
    expect(page.get_by_test_id("name")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    sample = page.request.get("/api/samples").json()["samples"][0]["id"]
    headers = {"Origin": origin}
    project = page.request.post(
        "/api/projects", data={"name": "Set", "device": "mk2"}, headers=headers
    )
    assert project.status == 201, project.text()
    collection = page.request.post("/api/collections", data={"name": "Crate"}, headers=headers)
    assert collection.status == 201, collection.text()
    return sample, project.json()["project"]["id"], collection.json()["id"]
