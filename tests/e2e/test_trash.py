"""The trash: its size, its limit, and notices about purged samples."""

from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine, text

from sp404_app.settings import MB
from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.product import Product
from tests.sounds import tone, write

ANALYSIS_TIMEOUT_MS = 90_000


def test_the_trash_shows_its_size_and_reports_purged_samples(
    page: Page, outbox: Outbox, product: Product, tmp_path: Path
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    said = page.get_by_test_id("notice")
    for number in range(3):
        file = write(tmp_path / f"take{number}.wav", tone(500 + number * 50, 20.0))
        page.get_by_test_id("choose-files").set_input_files(file)
        expect(page.get_by_test_id("name")).to_have_count(1, timeout=ANALYSIS_TIMEOUT_MS)
        expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
        database = create_engine(postgresql.postgres_url(Home(product.home)))
        with database.begin() as connection:  # pretend that the file is large
            grow = "update samples set size = :size where deleted_at is null and name = :name"
            connection.execute(text(grow), {"size": 60 * MB, "name": f"take{number}"})
        database.dispose()
        page.get_by_test_id("table").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Delete")
        expect(page.get_by_test_id("name")).to_have_count(0)
        expect(page.get_by_test_id("undo")).to_be_visible()
    expect(said).to_contain_text("permanently deleted")
    page.get_by_test_id("room-trash").click()
    expect(page.get_by_test_id("trash-note")).to_contain_text("60 MB of 100 MB used")
    expect(page.get_by_test_id("trash-note")).to_contain_text("the oldest sounds")
    expect(page.get_by_test_id("name")).to_have_text(["take2"])
    player = page.get_by_test_id("player")
    page.get_by_test_id("name").click()
    expect(player).to_have_attribute("data-playing", "true")
    page.get_by_test_id("search").fill("nothing like it")
    expect(page.get_by_test_id("name")).to_have_count(0)
    page.get_by_test_id("empty-trash").click()
    expect(page.get_by_test_id("deletion")).to_contain_text("Delete 1 sound permanently?")
    page.get_by_test_id("confirm-deletion").click()
    expect(said).to_contain_text("1 sound permanently deleted.")
    expect(player).to_have_attribute("data-playing", "false")
    expect(page.get_by_test_id("empty-trash")).to_have_count(0)
    page.get_by_test_id("search").fill("")
    expect(page.get_by_test_id("trash-note")).to_contain_text("0 MB of 100 MB used")
    expect(page.get_by_test_id("name")).to_have_count(0)


def test_a_phone_selects_by_a_long_press_and_restores_from_the_trash(
    browser: Browser, base_url: str, outbox: Outbox, tmp_path: Path
) -> None:
    screen = {"width": 390, "height": 844}
    with browser.new_context(base_url=base_url, viewport=screen, has_touch=True) as context:
        page, errors = context.new_page(), list[str]()
        PageMonitor(page, errors.append)
        people.sign_in(page, people.sign_up(page, outbox))
        for number in range(3):
            file = write(tmp_path / f"take{number}.wav", tone(500 + number * 50, 20.0))
            page.get_by_test_id("choose-files").set_input_files(file)
        rows = page.get_by_test_id("sample-row")
        expect(rows).to_have_count(3, timeout=ANALYSIS_TIMEOUT_MS)
        rows.nth(0).dispatch_event("pointerdown", {"pointerType": "touch"})
        page.wait_for_timeout(100)
        rows.nth(0).dispatch_event("pointercancel", {"pointerType": "touch"})  # the list scrolls
        rows.nth(1).dispatch_event("pointerdown", {"pointerType": "touch"})
        expect(page.get_by_test_id("bulk")).to_contain_text("1 selected")
        rows.nth(1).dispatch_event("pointerup", {"pointerType": "touch"})
        rows.nth(0).tap(position={"x": 150, "y": 20})
        expect(page.get_by_test_id("bulk")).to_contain_text("2 selected")
        page.get_by_test_id("bulk-delete").click()
        expect(rows).to_have_count(1)
        page.get_by_test_id("close-notice").click()
        expect(page.get_by_test_id("notice")).to_have_count(0)
        page.get_by_test_id("room-trash").click()
        expect(rows).to_have_count(2)
        expect(rows.first.get_by_test_id("days-left")).to_be_in_viewport(ratio=1)
        rows.first.get_by_test_id("row-menu").click()
        page.get_by_test_id("menu-delete-for-good").click()
        expect(page.get_by_test_id("deletion")).to_contain_text("Delete 1 sound permanently?")
        page.get_by_test_id("deletion").get_by_role("button", name="Cancel").click()
        rows.first.get_by_test_id("row-menu").click()
        page.get_by_test_id("menu-restore").click()
        expect(rows).to_have_count(1)
        assert errors == []
