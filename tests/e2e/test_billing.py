"""Plans and payments in a browser: trial, renewal, upgrade, downgrade, cancellation, dunning."""

import datetime as dt
import re
import zlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sp404_app.models.columns import now
from sp404_app.state.billing.plan_comparison import comparison_rows
from tests.e2e import people
from tests.e2e.conftest import OPERATOR, Outbox
from tests.e2e.people import Visitor

VISA, FAILS_LATER = "4242 4242 4242 4242", "4000 0000 0000 0341"
PAY_SECONDS = 30_000


@pytest.fixture
def buyer(page: Page, outbox: Outbox) -> Visitor:
    """A new user, signed in."""
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    return visitor


@pytest.fixture
def faulty_delivery(page: Page) -> Iterator[None]:
    """Deliver every event late, three times and shuffled; reconcile must find no difference."""
    set_delivery(page, shuffled=True, copies=2, delay=1)
    yield
    page.goto("/dev/stripe")
    thrice = page.get_by_text(re.compile(r"^delivered 200, delivered 200, delivered 200$"))
    expect(thrice.first).to_be_visible(timeout=PAY_SECONDS)
    for text in ("0 need attention", "0 healed, 0 need attention"):
        page.get_by_test_id("reconcile").click()
        expect(page.get_by_test_id("said")).to_contain_text(text, timeout=PAY_SECONDS)
    set_delivery(page, shuffled=False, copies=0, delay=0)


def set_delivery(page: Page, *, shuffled: bool, copies: int, delay: int) -> None:
    """Set the delivery faults on /dev/stripe."""
    page.goto("/dev/stripe")
    known = page.get_by_test_id("send-again").first.or_(page.get_by_text("No events yet."))
    expect(known.first).to_be_visible()  # the page has loaded
    for name, value in (("duplicate", copies), ("delay_seconds", delay)):
        page.get_by_test_id(name).fill(str(value))
        page.get_by_test_id(name).blur()
        expect(page.get_by_test_id("refresh")).to_be_enabled()
    if page.get_by_test_id("shuffle").is_checked() != shuffled:
        page.get_by_test_id("shuffle").click()
    expect(page.get_by_test_id("shuffle")).to_be_checked(checked=shuffled)
    page.reload()  # now it shows the settings of the emulator
    expect(page.get_by_test_id("duplicate")).to_have_value(re.compile(rf"^{copies}(\.0)?$"))
    expect(page.get_by_test_id("delay_seconds")).to_have_value(re.compile(rf"^{delay}(\.0)?$"))
    expect(page.get_by_test_id("shuffle")).to_be_checked(checked=shuffled)


def test_plans_mark_the_recommended_one_and_ones_own(buyer: Visitor, page: Page) -> None:
    """A free user sees which plan is theirs and which is recommended, and a table of all limits."""
    page.goto("/plans")
    expect(page.get_by_test_id("plan-free")).to_contain_text("Current plan")
    expect(page.get_by_test_id("plan-pro")).to_contain_text("Recommended")
    expect(page.get_by_test_id("plan-pro")).to_have_class(re.compile(r"\brecommended\b"))
    expect(page.get_by_text("Recommended", exact=True)).to_have_count(1)
    table = page.get_by_test_id("plan-table")
    for row in comparison_rows():
        cells = table.get_by_role("row").filter(has_text=row.name).get_by_role("cell")
        expect(cells).to_have_text(list(row.values))
    for width in (1440, 1024, 390):
        page.set_viewport_size({"width": width, "height": 900})
        fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert page.evaluate(fits), f"The page is wider than {width} px."


def test_a_trial_names_the_day_of_the_first_payment(buyer: Visitor, page: Page) -> None:
    days = {now() + dt.timedelta(days=14)}
    choose(page, "choose-pro")
    days.add(now() + dt.timedelta(days=14))  # midnight may pass meanwhile
    told = "|".join(f"{day:%-d %B %Y}" for day in days)
    question = page.get_by_test_id("question")
    expect(question).to_contain_text(re.compile(rf"a month from ({told}), unless you cancel"))


def choose(page: Page, name: str) -> None:
    """Choose a plan and see the dialog."""
    page.goto("/plans")
    page.get_by_test_id(name).click()
    expect(page.get_by_test_id("question")).to_be_visible()


def pay(page: Page, card: str = VISA) -> None:
    """Fill in Checkout and come back."""
    page.get_by_test_id("checkout-card-number").fill(card)
    page.get_by_test_id("checkout-card-expiry").fill("12/34")
    page.get_by_test_id("checkout-card-cvc").fill("123")
    page.get_by_test_id("checkout-name").fill("Ada")
    page.get_by_test_id("checkout-submit").click()
    page.wait_for_url(re.compile(r"/billing\?session_id="))


def subscribe(page: Page, button: str, plan: str, card: str = VISA) -> None:
    """Buy a plan, and wait until it is active."""
    choose(page, button)
    page.get_by_test_id("confirm").click()
    page.wait_for_url(re.compile("/_stripe/pay/"))
    pay(page, card)
    expect(page.get_by_test_id("plan-name")).to_have_text(plan, timeout=PAY_SECONDS)
    expect(page.get_by_test_id("activating")).to_have_count(0)


def advance(page: Page, visitor: Visitor, *steps: str) -> None:
    """Advance the visitor's test clock on /dev/stripe."""
    page.goto("/dev/stripe")
    for step in steps:
        row = page.locator(f'[data-email="{visitor.email}"]')
        before = row.get_by_test_id("now").inner_text()
        row.get_by_test_id(f"advance-{step}").click()
        expect(row.get_by_test_id("now")).not_to_have_text(before, timeout=PAY_SECONDS)


@pytest.mark.usefixtures("faulty_delivery")
def test_a_trial_starts_renews_and_has_an_invoice(page: Page, buyer: Visitor) -> None:
    page.goto("/usage")
    expect(page.get_by_test_id("meter-storage")).to_contain_text("of 100 MB")
    subscribe(page, "choose-pro", "Pro")
    expect(page.get_by_test_id("state")).to_have_text("Trial")
    expect(page.get_by_test_id("test-mode")).to_be_visible()
    page.goto("/usage")
    expect(page.get_by_test_id("meter-storage")).to_contain_text("of 5 GB")
    advance(page, buyer, "fortnight", "day")
    page.goto("/billing")
    expect(page.get_by_test_id("state")).to_have_text("Active")
    expect(page.get_by_test_id("invoice-amount").first).to_have_text("$29.00")
    with page.expect_download() as download:
        page.get_by_test_id("invoice-pdf").first.click()
    assert download.value.path().read_bytes().startswith(b"%PDF")


@pytest.mark.usefixtures("faulty_delivery")
def test_to_yearly_now_and_back_to_monthly_at_the_end(page: Page, buyer: Visitor) -> None:
    subscribe(page, "buy-pro", "Pro")
    advance(page, buyer, "fortnight")
    page.goto("/plans")
    page.get_by_test_id("every-year").click()
    mine = page.get_by_test_id("plan-pro")
    expect(mine).to_contain_text("$290 a year")
    expect(mine).to_contain_text("Yours, paid monthly")
    expect(page.get_by_test_id("plan-enterprise")).to_contain_text("$990 a year")
    page.get_by_test_id("choose-pro").click()
    due = page.get_by_test_id("due-today").inner_text()
    expect(page.get_by_test_id("then")).to_have_text("$290.00 a year")
    page.get_by_test_id("confirm").click()
    expect(mine).to_contain_text("Current plan", timeout=PAY_SECONDS)
    page.goto("/billing")
    expect(page.get_by_test_id("price")).to_have_text("$290.00 a year")
    expect(page.get_by_test_id("invoice-amount").first).to_have_text(due)
    page.goto("/plans")
    expect(page.get_by_test_id("every-year")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("every-month").click()
    page.get_by_test_id("choose-pro").click()
    expect(page.get_by_test_id("due-today")).to_have_text("$0.00")
    page.get_by_test_id("confirm").click()
    expect(mine).to_contain_text("From ", timeout=PAY_SECONDS)
    page.get_by_test_id("scheduled-pro").click()
    expect(page.get_by_test_id("state")).to_have_text("Change scheduled")
    expect(page.get_by_text("Changes to monthly payment on")).to_be_visible()
    page.get_by_test_id("cancel").click()
    question = page.get_by_test_id("cancel-question")
    expect(question).to_contain_text("The change to monthly payment is dropped.")
    page.get_by_test_id("cancel-no").click()
    expect(page.get_by_test_id("keep")).to_have_text("Keep paying yearly")
    page.get_by_test_id("keep").click()
    expect(page.get_by_test_id("state")).to_have_text("Active", timeout=PAY_SECONDS)


@pytest.mark.usefixtures("faulty_delivery")
def test_a_yearly_trial_is_bought(page: Page, buyer: Visitor) -> None:
    page.goto("/plans?interval=year")
    expect(page.get_by_test_id("plan-pro")).to_contain_text("or $29 a month")
    page.get_by_test_id("choose-pro").click()
    page.get_by_test_id("confirm").click()
    page.wait_for_url(re.compile("/_stripe/pay/"))
    expect(page.get_by_test_id("checkout-price")).to_contain_text("$290.00 per year")
    pay(page)
    expect(page.get_by_test_id("state")).to_have_text("Trial", timeout=PAY_SECONDS)
    expect(page.get_by_test_id("next")).to_contain_text("$290.00 on")
    advance(page, buyer, "fortnight", "day")
    page.goto("/billing")
    expect(page.get_by_test_id("invoice-amount").first).to_have_text("$290.00")


@pytest.mark.usefixtures("faulty_delivery")
def test_upgrade_downgrade_and_cancellation_can_be_undone(page: Page, buyer: Visitor) -> None:
    subscribe(page, "buy-pro", "Pro")
    advance(page, buyer, "fortnight")
    choose(page, "choose-enterprise")
    due = page.get_by_test_id("due-today").inner_text()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("plan-enterprise")).to_contain_text(
        "Current plan", timeout=PAY_SECONDS
    )
    page.goto("/billing")
    expect(page.get_by_test_id("plan-name")).to_have_text("Enterprise")
    expect(page.get_by_test_id("invoice-amount").first).to_have_text(due)

    choose(page, "choose-pro")
    expect(page.get_by_test_id("confirm")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("question")).to_have_count(0)
    expect(page.get_by_test_id("choose-pro")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("plan-pro")).to_contain_text("From", timeout=PAY_SECONDS)
    page.goto("/billing")
    expect(page.get_by_test_id("state")).to_have_text("Change scheduled")
    page.get_by_test_id("keep").click()
    expect(page.get_by_test_id("state")).to_have_text("Active", timeout=PAY_SECONDS)

    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("cancel-no")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("cancel-question")).to_have_count(0)
    expect(page.get_by_test_id("cancel")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("cancel-yes").click()
    expect(page.get_by_test_id("state")).to_have_text("Cancelled", timeout=PAY_SECONDS)
    expect(page.get_by_test_id("change-plan")).to_be_focused()
    page.get_by_test_id("resume").click()
    expect(page.get_by_test_id("state")).to_have_text("Active", timeout=PAY_SECONDS)
    expect(page.get_by_test_id("change-plan")).to_be_focused()


@pytest.mark.usefixtures("faulty_delivery")
def test_failed_payments_restrict_access_and_a_payment_restores_it(
    page: Page, buyer: Visitor
) -> None:
    subscribe(page, "choose-pro", "Pro", FAILS_LATER)
    advance(page, buyer, "fortnight", "day")
    page.goto("/billing")
    expect(page.get_by_test_id("state")).to_have_text("Payment failed")
    advance(page, buyer, "week", "week", "week")
    page.goto("/billing")
    expect(page.get_by_test_id("state")).to_have_text("Restricted")
    page.get_by_test_id("pay").click()
    page.wait_for_url(re.compile("/_stripe/invoice/"))
    page.get_by_test_id("invoice-card-number").fill(VISA)
    page.get_by_test_id("invoice-card-expiry").fill("12/34")
    page.get_by_test_id("invoice-card-cvc").fill("123")
    page.get_by_test_id("invoice-pay-new-card").click()
    expect(page.get_by_text(re.compile("paid", re.IGNORECASE)).first).to_be_visible()
    page.goto("/billing")
    expect(page.get_by_test_id("state")).to_have_text("Active", timeout=PAY_SECONDS)


def test_a_business_gets_its_address_and_vat_number_on_invoices(page: Page, buyer: Visitor) -> None:
    subscribe(page, "buy-pro", "Pro")
    expect(page.get_by_test_id("invoice-details-note")).to_contain_text("VAT number")
    page.get_by_test_id("portal").click()
    page.wait_for_url(re.compile("/_stripe/portal/"))
    page.get_by_test_id("portal-name").fill("Klang GmbH")
    page.get_by_test_id("portal-line1").fill("Torstr. 1")
    page.get_by_test_id("portal-city").fill("Berlin")
    page.get_by_test_id("portal-country").select_option("DE")
    page.get_by_test_id("portal-details-save").click()
    expect(page.get_by_test_id("portal-done")).to_contain_text("billing information")
    page.get_by_test_id("portal-tax-id-value").fill("DE 123456789")
    page.get_by_test_id("portal-tax-id-add").click()
    expect(page.get_by_test_id("portal-tax-id")).to_contain_text("EU VAT DE123456789")
    page.get_by_test_id("portal-return").click()
    page.wait_for_url(re.compile("/billing"))
    advance(page, buyer, "fortnight", "fortnight", "week")
    page.goto("/billing")
    expect(page.get_by_test_id("invoice")).to_have_count(2, timeout=PAY_SECONDS)
    with page.expect_download() as download:
        page.get_by_test_id("invoice-pdf").first.click()
    content = download.value.path().read_bytes()
    packed = re.search(rb"stream\n(.*?)\nendstream", content, re.DOTALL)
    assert packed
    drawing = zlib.decompress(packed[1]).decode("cp1252")
    for line in ("Klang GmbH", "Torstr. 1", "Berlin", "EU VAT DE123456789"):
        assert f"({line})" in drawing


def test_signed_out_visitors_are_sent_to_login(browser: Browser, base_url: str) -> None:
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        for path in ("/plans", "/billing", "/usage"):
            page.goto(path)
            page.wait_for_url(re.compile("/login"))


def test_only_an_operator_sees_the_dead_events(
    page: Page, buyer: Visitor, outbox: Outbox, browser: Browser, base_url: str
) -> None:
    page.goto("/operator")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    with browser.new_context(base_url=base_url) as context:
        operator_page = context.new_page()
        people.sign_in(operator_page, people.sign_up(operator_page, outbox, OPERATOR))
        operator_page.goto("/operator")
        expect(operator_page.get_by_text("None. All events were handled.")).to_be_visible()
        operator_page.get_by_test_id("compare").click()
        expect(operator_page.get_by_test_id("said")).not_to_be_empty(timeout=PAY_SECONDS)
        expect(operator_page.get_by_test_id("replay-all")).to_have_count(0)


def test_a_declined_upgrade_during_a_trial_changes_nothing(
    page: Page, buyer: Visitor, outbox: Outbox
) -> None:
    subscribe(page, "choose-pro", "Pro", FAILS_LATER)
    choose(page, "choose-enterprise")
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("trouble")).to_contain_text(
        "your plan hasn't changed", timeout=PAY_SECONDS
    )
    page.goto("/billing")
    expect(page.get_by_test_id("plan-name")).to_have_text("Pro")
    expect(page.get_by_test_id("state")).to_have_text("Trial")
    expect(page.get_by_test_id("banner")).to_contain_text("is waiting for payment")
    page.goto("/usage")
    expect(page.get_by_test_id("meter-storage")).to_contain_text("of 5 GB")
    assert "Enterprise" not in " ".join(str(m["Subject"]) for m in outbox.to(buyer.email))
