"""Sign-in and account pages in a browser, wide and narrow."""

import re
import uuid
from email.message import EmailMessage

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.people import PASSWORD, Visitor
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

SIGN_IN_PATHS = ("/signup", "/login", "/forgot-password", "/verify-email", "/reset-password")


def link_in(outbox: Outbox, address: str, subject: str, mails: int = 1) -> str:
    """Return the link of the newest mail with this subject, once there are so many of them."""

    def with_subject() -> list[EmailMessage]:
        return [mail for mail in outbox.to(address) if mail["Subject"] == subject]

    until(lambda: len(with_subject()) >= mails)
    body = with_subject()[-1].get_body(("plain",))
    assert body is not None
    found = re.search(r"http\S+token=\S+", body.get_content())
    assert found
    return found[0]


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.get_by_test_id(name).fill(value)


def ready(page: Page, path: str) -> None:
    """Open a sign-in page and wait until its state is loaded."""
    page.goto(path)
    expect(page.get_by_test_id("demo")).to_be_visible()


def test_sign_up_shows_errors_beside_the_field_and_keeps_the_rest(page: Page) -> None:
    page.goto("/signup")
    fill(page, first_name="Ada", email=f"{uuid.uuid4().hex}@example.org", password="password")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("password-said")).to_contain_text("common password")
    expect(page.get_by_test_id("password")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("first_name")).to_have_value("Ada")
    fill(page, email="nobody", password="short")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("email-said")).to_have_text("Enter a valid email address.")
    expect(page.get_by_test_id("password-said")).to_contain_text("at least 8")
    expect(page.get_by_test_id("email")).to_be_focused()
    expect(page.get_by_test_id("strength")).to_be_hidden()  # it would say the same twice
    fill(page, email="nobody else")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("email")).to_be_focused()  # after the same error, too
    expect(page.get_by_test_id("email-said")).to_have_text("Enter a valid email address.")
    fill(page, email=f"{uuid.uuid4().hex}@example.org", password=PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("sent")).to_be_visible()
    page.get_by_test_id("outbox-link").get_by_role("link").click()
    expect(page.get_by_test_id("mail").first).to_contain_text("Confirm your email")


def test_an_email_must_be_verified_and_the_mail_can_be_resent(page: Page, outbox: Outbox) -> None:
    address = f"{uuid.uuid4().hex}@example.org"
    page.goto("/signup")
    fill(page, email=address, password=PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("sent-to")).to_have_text(address)
    ready(page, "/login")
    fill(page, email=address, password=PASSWORD)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("notice")).to_contain_text("Confirm your email")
    expect(page.get_by_test_id("email")).to_have_value(address)
    page.get_by_test_id("resend").click()
    expect(page.get_by_test_id("resent")).to_contain_text("on its way")
    # The second mail makes the link of the first one invalid.
    page.goto(link_in(outbox, address, "Confirm your email", mails=2))
    expect(page.get_by_test_id("email-to-confirm")).to_have_text(address)
    page.get_by_test_id("confirm").dblclick()
    page.wait_for_url(re.compile("/library"))  # the link signs in, too
    expect(page.get_by_test_id("empty-library")).to_be_visible()


def test_confirming_an_email_leaves_a_browser_in_its_own_account(
    page: Page, outbox: Outbox
) -> None:
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    page.goto("/signup")
    address = f"{uuid.uuid4().hex}@example.org"
    fill(page, email=address, password=PASSWORD)
    page.get_by_test_id("submit").click()
    page.goto(link_in(outbox, address, "Confirm your email"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("verify-email")).to_contain_text("Email confirmed")
    page.goto("/account")
    expect(page.get_by_text(visitor.email).first).to_be_visible()


def test_a_wrong_password_keeps_the_email_and_the_redirect_target(
    page: Page, outbox: Outbox
) -> None:
    ada = people.sign_up(page, outbox)
    ready(page, "/login?next=/account")
    fill(page, email=ada.email, password="wrong password")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("password-said")).to_have_text("Wrong email or password.")
    expect(page.get_by_test_id("email")).to_have_value(ada.email)
    assert ada.email not in page.url
    fill(page, email=ada.email)  # the email may have been the wrong one
    expect(page.get_by_test_id("password-said")).to_be_hidden()
    fill(page, password=ada.password)
    page.get_by_test_id("submit").click()
    page.wait_for_url(re.compile("/account"))
    expect(page.get_by_test_id("device")).to_have_count(1)


def test_what_the_browser_refuses_is_said_at_its_field(page: Page) -> None:
    ready(page, "/login")
    email, password = page.get_by_test_id("email"), page.get_by_test_id("password")
    page.get_by_test_id("submit").click()
    expect(email).to_have_accessible_description("Fill this in.")
    expect(password).to_have_accessible_description("Fill this in.")
    expect(email).to_be_focused()
    page.keyboard.type("mara")
    expect(email).to_have_accessible_description("")
    expect(email).to_have_attribute("aria-invalid", "false")
    expect(password).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("submit").click()
    expect(email).to_have_accessible_description("Enter a valid email address.")
    email.fill(f"nobody-{uuid.uuid4().hex}@example.com")
    password.fill("not the password")
    page.get_by_test_id("submit").click()
    expect(password).to_have_accessible_description("Wrong email or password.")
    password.fill("")
    page.get_by_test_id("submit").click()
    said = page.get_by_test_id("password-said")
    expect(said).to_be_visible()
    assert said.evaluate("e => getComputedStyle(e).fontSize") == "0px"  # only the refusal shows
    assert said.evaluate("e => getComputedStyle(e, '::after').content") == '"Fill this in."'
    page.keyboard.type("x")
    expect(said).to_be_hidden()


@pytest.mark.parametrize(
    ("address", "said"),
    [("", "Fill this in."), ("mara", "Enter a valid email address.")],
    ids=["empty", "no-address"],
)
def test_no_reset_link_is_promised_to_what_is_no_address(
    page: Page, address: str, said: str
) -> None:
    page.goto("/forgot-password")
    expect(page.get_by_test_id("submit")).to_be_enabled()
    page.get_by_test_id("email").fill(address)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("email")).to_have_accessible_description(said)
    expect(page.get_by_test_id("sent")).to_have_count(0)


def test_one_click_signs_in_to_the_demo_account(page: Page) -> None:
    ready(page, "/login")
    page.get_by_test_id("demo").click()
    page.wait_for_url(re.compile("/library"))


def test_no_script_sees_the_session_cookie(page: Page, context: BrowserContext) -> None:
    people.sign_in(page, Visitor("demo@example.com", "sixteen pads"))
    names = {cookie["name"]: cookie for cookie in context.cookies()}
    (name,) = [name for name in names if re.fullmatch(r"sp404_session_\d+", name)]
    assert names[name]["httpOnly"]
    assert names[name]["sameSite"] == "Lax"
    kept = page.evaluate(
        "document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"
    )
    assert names[name]["value"] not in kept


def test_after_signing_out_pages_need_a_sign_in(page: Page, outbox: Outbox) -> None:
    ada = people.sign_up(page, outbox)
    people.sign_in(page, ada)
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url(re.compile("/login"))
    page.goto("/account")
    page.wait_for_url(re.compile("/login"))


def test_signing_in_opens_the_page_that_was_asked_for_and_back_leaves_it(page: Page) -> None:
    page.goto("/plans")
    page.goto("/library?kind=loop")
    page.wait_for_url("**/login?next=%2Flibrary%3Fkind%3Dloop")
    page.get_by_test_id("demo").click()
    page.wait_for_url("**/library?kind=loop")
    expect(page.get_by_test_id("total")).to_have_text("15")
    page.go_back()  # to the sign-in page, which shows the library in its place
    page.wait_for_url("**/library?kind=loop")
    page.go_back()
    page.wait_for_url("**/plans")


def test_a_password_reset_signs_out_other_devices(
    page: Page, browser: Browser, base_url: str, outbox: Outbox
) -> None:
    ada = people.sign_up(page, outbox)
    people.sign_in(page, ada)
    with browser.new_context(base_url=base_url) as elsewhere:
        other = elsewhere.new_page()
        other.goto("/forgot-password")
        fill(other, email=ada.email)
        other.get_by_test_id("submit").click()
        expect(other.get_by_test_id("sent")).to_be_visible()
        other.goto(link_in(outbox, ada.email, "Reset your password"))
        fill(other, password="a brand new one")
        other.get_by_test_id("submit").click()
        other.get_by_test_id("go-on").click()
        expect(other.get_by_test_id("demo")).to_be_visible()
        fill(other, email=ada.email, password="a brand new one")
        other.get_by_test_id("submit").click()
        other.wait_for_url(re.compile("/library"))
    page.goto("/account")
    page.wait_for_url(re.compile("/login"))


def test_a_used_link_shows_an_error_and_a_way_to_request_a_new_one(page: Page) -> None:
    page.goto("/reset-password?token=used")
    fill(page, password="a brand new one")
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("notice")).to_contain_text("has been used")
    expect(page.get_by_role("link", name="Request a new link")).to_be_visible()
    page.goto("/verify-email?token=used")
    expect(page.get_by_test_id("notice")).to_contain_text("has been used")
    page.get_by_test_id("go-on").click()
    expect(page.get_by_test_id("demo")).to_be_visible()


def test_the_account_page_changes_names_and_signs_out_a_device(
    page: Page, browser: Browser, base_url: str, outbox: Outbox
) -> None:
    ada = people.sign_up(page, outbox)
    people.sign_in(page, ada)
    with browser.new_context(base_url=base_url) as elsewhere:
        other = elsewhere.new_page()
        people.sign_in(other, ada)
        page.goto("/account")
        expect(page.get_by_test_id("device")).to_have_count(2)
        fill(page, last_name="Lovelace")
        page.get_by_test_id("save-names").click()
        expect(page.get_by_test_id("names-said")).to_have_text("Saved.")
        page.get_by_test_id("theme-light").check()
        expect(page.locator("[data-theme=light]")).to_have_count(1)
        page.get_by_test_id("revoke").click()
        expect(page.get_by_test_id("device")).to_have_count(1)
        other.goto("/account")
        other.wait_for_url(re.compile("/login"))
    page.reload()
    expect(page.get_by_test_id("last_name")).to_have_value("Lovelace")
    expect(page.get_by_test_id("theme-light")).to_be_checked()


def test_a_password_change_needs_the_current_password(page: Page, outbox: Outbox) -> None:
    ada = people.sign_up(page, outbox)
    people.sign_in(page, ada)
    page.goto("/account")
    fill(page, current_password="wrong", password="a brand new one")
    page.get_by_test_id("change-password").click()
    expect(page.get_by_test_id("current_password-said")).to_contain_text("Wrong current")
    fill(page, current_password=ada.password)
    page.get_by_test_id("change-password").click()
    expect(page.get_by_role("status").filter(has_text="Password changed")).to_be_visible()
    expect(page.get_by_test_id("password")).to_have_value("")


def test_signing_in_needs_no_websocket(browser: Browser, base_url: str) -> None:
    with browser.new_context(base_url=base_url) as context:
        page = context.new_page()
        page.route_web_socket(re.compile("_event"), lambda socket: socket.close())
        page.goto("/login")
        fill(page, email="demo@example.com", password="sixteen pads")
        page.get_by_test_id("submit").click()
        page.wait_for_url(re.compile("/library"))


@pytest.mark.parametrize("path", [*SIGN_IN_PATHS, "/dev/outbox"])
def test_every_sign_in_page_fits_a_phone_and_every_field_has_a_label(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for box in page.locator("input:not([type=hidden])").all():
        assert box.evaluate("field => field.labels.length") == 1
    for box in page.locator("input:not([type=hidden], [type=radio])").all():
        name = box.get_attribute("id")
        assert page.locator(f"label[for={name}]").count() == 1
        assert box.get_attribute("autocomplete")
        said = box.get_attribute("aria-describedby")
        assert page.locator(f"#{said}").count() == 1
