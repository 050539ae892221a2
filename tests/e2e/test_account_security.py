"""Two-factor authentication, tokens, photo, export, change of email and deletion in a browser."""

import io
import re
import zipfile

from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP

from tests.e2e.conftest import Outbox
from tests.e2e.people import Visitor, sign_in, sign_up
from tests.e2e.seed_data import run_sql
from tests.e2e.waiting import until
from tests.product import Product
from tests.services.account.test_avatars import picture


def link_in(outbox: Outbox, address: str, path: str) -> str:
    """Return the link of the newest mail that points to `path`; wait for the mail."""
    found: list[str] = []

    def came() -> bool:
        bodies = [letter.get_body(("plain",)) for letter in outbox.to(address)]
        texts = " ".join(body.get_content() for body in bodies if body is not None)
        found[:] = re.findall(rf"http\S+{path}\S+", texts)
        return bool(found)

    until(came)
    return found[-1]


def test_two_factor_authentication_protects_an_account(
    page: Page, browser: Browser, base_url: str, outbox: Outbox
) -> None:
    ada = sign_up(page, outbox)
    sign_in(page, ada)
    page.goto("/account")
    page.get_by_test_id("begin-2fa").click()
    secret = page.locator("#totp-secret").inner_text().replace(" ", "")
    expect(page.get_by_label("Enter the 6-digit code")).to_be_focused()
    page.get_by_label("Enter the 6-digit code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#code-said")).to_contain_text("wrong")
    page.get_by_label("Enter the 6-digit code").fill(TOTP(secret).now())
    page.keyboard.press("Enter")
    shown = page.get_by_test_id("codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("copy-codes").click()
    expect(page.locator(".toast")).to_contain_text("Copied.")
    assert page.evaluate("() => navigator.clipboard.readText()").split() == codes
    page.get_by_test_id("put-away").click()
    expect(page.get_by_test_id("codes")).to_have_count(0)
    expect(page.get_by_test_id("renew-codes")).to_be_focused()

    phone = browser.new_context(base_url=base_url, viewport={"width": 390, "height": 844})
    other = phone.new_page()
    other.goto("/login?next=/account")
    expect(other.get_by_test_id("demo")).to_be_visible()
    other.get_by_label("Email").fill(ada.email)
    other.get_by_label("Password", exact=True).fill(ada.password)
    other.keyboard.press("Enter")
    code = other.get_by_label("Code from your authenticator app")
    expect(code).to_be_focused()
    code.fill("000000")
    other.keyboard.press("Enter")
    expect(other.locator("#code-said")).to_contain_text("wrong")
    code.fill(codes[0])
    other.keyboard.press("Enter")
    expect(other.get_by_test_id("codes-left")).to_have_text("9 recovery codes left.")
    phone.close()

    page.get_by_test_id("renew-codes").click()
    page.get_by_test_id("cancel-question").click()
    expect(page.get_by_test_id("renew-codes")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("confirm-renew").click()
    expect(shown).to_have_count(10)
    expect(page.get_by_test_id("renew-codes")).to_be_focused()
    assert not set(shown.all_inner_texts()) & set(codes)
    page.get_by_test_id("turn-off-2fa").click()
    expect(page.get_by_test_id("two-factor-question")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("two-factor-question")).to_have_count(0)
    expect(page.get_by_test_id("turn-off-2fa")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("confirm-turn-off").click()
    expect(page.get_by_test_id("begin-2fa")).to_be_visible()


def test_the_password_is_asked_for_in_a_dialog_that_escape_cancels(
    page: Page, product: Product, outbox: Outbox
) -> None:
    ada = sign_up(page, outbox)
    sign_in(page, ada)
    unconfirm = "update sign_ins set confirmed_at = null from users where users.id = user_id"
    run_sql(product, f"{unconfirm} and email = '{ada.email}'")
    page.goto("/account")
    begin = page.get_by_test_id("begin-2fa")
    begin.click()
    proof = page.get_by_test_id("confirm-dialog").get_by_label("Password", exact=True)
    expect(proof).to_be_focused()
    page.keyboard.press("Escape")
    expect(proof).to_have_count(0)
    expect(begin).to_be_focused()
    page.keyboard.press("Enter")
    proof.fill("not it at all")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("confirm-dialog")).to_contain_text("Wrong password.")
    expect(proof).to_be_focused()
    proof.fill(ada.password)
    page.keyboard.press("Enter")
    expect(proof).to_have_count(0)
    expect(page.locator("#totp-secret")).to_be_visible()


def test_the_account_page_manages_tokens_photo_export_and_email(page: Page, outbox: Outbox) -> None:
    ada = sign_up(page, outbox)
    sign_in(page, ada)
    page.goto("/account")
    texts = page.locator(".account-foot").get_by_role("link")
    expect(texts).to_have_text(["Terms", "Privacy", "Contact"])
    for text in texts.all():
        address = text.get_attribute("href")
        assert address == f"/{text.inner_text().lower()}"
        assert page.request.get(address).status == 200
    page.get_by_label("Name", exact=True).fill("Backup")
    page.get_by_label("Read and play my library").check()
    page.get_by_test_id("make-token").click()
    token = page.get_by_test_id("new-token").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_test_id("copy-token").click()
    expect(page.locator(".toast")).to_contain_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == token
    headers = {"Authorization": f"Bearer {token}"}
    assert page.request.get("/api/samples", headers=headers).status == 200

    file = {"name": "me.png", "mimeType": "image/png", "buffer": picture()}
    expect(page.locator(".avatar")).to_have_text(re.compile("^[A-Z0-9]+$"))
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose a photo").click()
    chooser.value.set_files(file)  # type: ignore[arg-type]
    expect(page.get_by_test_id("picture-said")).to_have_text("Saved.")
    expect(page.get_by_alt_text("Your photo")).to_be_visible()

    page.get_by_test_id("ask-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("download-export").click(timeout=30_000)
    names = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())).namelist()
    assert {"picture.webp", "data/users.json"} <= set(names)

    new = f"new-{ada.email}"
    page.get_by_label("New email").fill(new)
    page.get_by_test_id("change-email").click()
    page.goto(link_in(outbox, new, "/change-email"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("change-email")).to_contain_text(new)
    page.context.clear_cookies()  # the link must work without a session
    page.goto(link_in(outbox, ada.email, "/revert-email"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_text("Your email has been restored")).to_be_visible()
    page.goto("/account")
    expect(page).to_have_url(re.compile("/login"))


def test_links_that_sign_out_all_devices_say_so_to_the_one_that_opened_them(
    page: Page, outbox: Outbox
) -> None:
    """Their session ends, and with it the websocket that would tell the result."""
    ada = sign_up(page, outbox)
    sign_in(page, ada)
    page.goto("/account")
    page.get_by_label("New email").fill(f"new-{ada.email}")
    page.get_by_test_id("change-email").click()
    page.goto(link_in(outbox, f"new-{ada.email}", "/change-email"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("change-email")).to_contain_text(f"new-{ada.email}")
    page.goto(link_in(outbox, ada.email, "/revert-email"))
    page.get_by_test_id("confirm").click()
    expect(page.get_by_text("Your email has been restored")).to_be_visible()

    first = link_in(outbox, ada.email, "/reset-password")
    page.goto(first)
    set_password(page, "a dustier tape delay")
    sign_in(page, Visitor(ada.email, "a dustier tape delay"))
    page.goto("/forgot-password")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_test_id("submit").click()
    expect(page.get_by_test_id("sent")).to_be_visible()
    until(lambda: link_in(outbox, ada.email, "/reset-password") != first)
    page.goto(link_in(outbox, ada.email, "/reset-password"))
    set_password(page, "the dustiest tape delay")  # signed in
    sign_in(page, Visitor(ada.email, "the dustiest tape delay"))


def set_password(page: Page, password: str) -> None:
    page.get_by_test_id("password").fill(password)
    page.get_by_test_id("submit").click()  # enabled after hydration
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()
    page.wait_for_timeout(2_000)  # the websocket was closed, and the page connected again
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()


def test_an_account_is_deleted_after_a_countdown_of_thirty_seconds(
    page: Page, outbox: Outbox
) -> None:
    ada = sign_up(page, outbox)
    sign_in(page, ada)
    page.goto("/account")
    page.get_by_test_id("think").click()
    last = page.get_by_test_id("delete-account")
    expect(last).to_be_disabled()
    expect(last).to_be_enabled(timeout=35_000)
    last.click()
    expect(page).to_have_url(re.compile("/login"))
    expect(page.get_by_test_id("goodbye")).to_contain_text("have been deleted")
    assert outbox.newest(ada.email)["Subject"]
    page.goto("/login")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password", exact=True).fill(ada.password)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("wrong_credentials"))
