"""The command palette finds pages, actions of the page, sounds, projects and collections."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.seed_data import add_collections
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER
from tests.product import Product
from tests.sounds import tone, write

OPTIONS = "[data-testid=palette] [role=option]"


@pytest.fixture
def demo(page: Page) -> Page:
    """The library of the demo account."""
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    return page


def find(page: Page, text: str) -> None:
    """Open the palette and type."""
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-field").fill(text)


def test_a_sound_is_opened_by_its_name(demo: Page) -> None:
    find(demo, "velvet kick")
    option = demo.get_by_role("option", name=re.compile("^Velvet Kick"))
    expect(option).to_be_visible()
    option.click()
    expect(demo).to_have_url(re.compile("/samples/"))
    expect(demo.get_by_test_id("palette")).to_have_count(0)
    expect(demo.get_by_role("heading", name="Velvet Kick")).to_be_visible()


def test_pages_and_rooms_of_the_library_are_opened_by_keys(demo: Page) -> None:
    find(demo, "loop")
    expect(demo.locator(OPTIONS).first).to_contain_text("Loops")
    demo.keyboard.press("Enter")
    expect(demo).to_have_url(re.compile(r"/library\?kind=loop"))
    expect(demo.get_by_test_id("total")).to_have_text("15")
    find(demo, "usage")
    demo.keyboard.press("Enter")
    expect(demo).to_have_url(re.compile("/usage"))
    expect(demo.locator("[data-room='/usage'][data-loaded=true]")).to_be_visible()
    for words, page in (("upload", "Library"), ("two-factor", "Account"), ("invoices", "Plan")):
        find(demo, words)
        expect(demo.locator(OPTIONS).first).to_contain_text(page)
        demo.get_by_test_id("palette-field").press("Escape")
        expect(demo.get_by_test_id("palette-field")).to_be_hidden()


def test_what_was_opened_last_comes_first(demo: Page) -> None:
    demo.keyboard.press("Control+k")
    expect(demo.get_by_role("group", name="Recent")).to_have_count(0)
    demo.keyboard.press("Escape")
    find(demo, "velvet kick")
    demo.get_by_role("option", name=re.compile("^Velvet Kick")).click()
    expect(demo.get_by_role("heading", name="Velvet Kick")).to_be_visible()
    find(demo, "usage")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    demo.keyboard.press("Control+k")
    recent = demo.get_by_role("group", name="Recent").get_by_role("option")
    expect(recent).to_have_count(1)  # without the page that is open
    expect(recent).to_contain_text("Velvet Kick")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("heading", name="Velvet Kick")).to_be_visible()
    demo.get_by_role("button", name="Sign out").first.click()
    expect(demo).to_have_url(re.compile("/login|/$"))
    people.sign_in(demo, DEMO_USER)
    demo.keyboard.press("Control+k")
    expect(demo.locator(OPTIONS).first).to_be_visible()
    expect(demo.get_by_role("group", name="Recent")).to_have_count(0)


def test_what_was_opened_last_has_the_name_of_today(demo: Page, product: Product) -> None:
    headers = {"Origin": product.base_url}
    find(demo, "velvet kick")
    demo.get_by_role("option", name=re.compile("^Velvet Kick")).click()
    expect(demo.get_by_role("heading", name="Velvet Kick")).to_be_visible()
    path = demo.evaluate("location.pathname")
    find(demo, "usage")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    recent = demo.get_by_role("group", name="Recent").get_by_role("option")
    try:
        assert demo.request.patch(f"/api{path}", data={"name": "Suede Kick"}, headers=headers).ok
        demo.keyboard.press("Control+k")
        expect(recent).to_contain_text(["Suede Kick"])
        demo.keyboard.press("Escape")
    finally:
        assert demo.request.patch(f"/api{path}", data={"name": "Velvet Kick"}, headers=headers).ok
    demo.keyboard.press("Control+k")
    expect(recent).to_contain_text(["Velvet Kick"])
    demo.keyboard.press("Escape")
    assert demo.request.delete(f"/api{path}", headers=headers).ok  # into the trash
    try:
        demo.keyboard.press("Control+k")
        expect(recent).to_have_count(0)
    finally:
        assert demo.request.post(f"/api{path}/restore", headers=headers).ok


def test_the_chosen_entry_stays_chosen_when_another_goes(demo: Page, product: Product) -> None:
    for name in ("Velvet Kick", "Tower Bell"):
        find(demo, name)
        demo.get_by_role("option", name=re.compile(f"^{name}")).click()
        expect(demo.get_by_role("heading", name=name)).to_be_visible()
        demo.locator("[data-loaded=true]").wait_for()
    path = demo.evaluate("location.pathname")
    find(demo, "usage")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("heading", name="Usage", exact=True)).to_be_visible()
    headers = {"Origin": product.base_url}
    assert demo.request.delete(f"/api{path}", headers=headers).ok
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    demo.route(f"**/api{path}", hold)
    try:
        demo.keyboard.press("Control+k")
        demo.keyboard.press("ArrowDown")
        chosen = demo.locator(f"{OPTIONS}[aria-selected=true]")
        expect(chosen).to_contain_text("Velvet Kick")
        held.pop().continue_()
        expect(demo.get_by_role("group", name="Recent").get_by_role("option")).to_have_count(1)
        expect(chosen).to_contain_text("Velvet Kick")
    finally:
        demo.unroute(f"**/api{path}")
        assert demo.request.post(f"/api{path}/restore", headers=headers).ok


@pytest.mark.parametrize(
    ("words", "dialog"),
    [
        ("new project", "New project"),
        ("create collection", "New collection"),
        ("smart coll", "New smart collection"),
    ],
)
def test_actions_of_other_pages_open_their_dialogs(demo: Page, words: str, dialog: str) -> None:
    find(demo, words)
    demo.get_by_role("option", name=dialog, exact=True).click()
    expect(demo.get_by_role("dialog").get_by_role("heading", name=dialog)).to_be_visible()
    demo.wait_for_timeout(1000)  # it stays open when the page has loaded
    expect(demo.get_by_role("dialog").get_by_role("heading", name=dialog)).to_be_visible()


def test_the_theme_and_the_volume_are_actions(demo: Page) -> None:
    for theme in ("light", "dark"):
        find(demo, f"theme {theme}")
        demo.keyboard.press("Enter")
        expect(demo.locator("html")).to_have_attribute("data-theme", theme)
    find(demo, "volume")
    demo.get_by_role("option", name="Mute").click()
    mute = demo.get_by_role("button", name="Mute")
    expect(mute).to_have_attribute("aria-pressed", "true")
    mute.click()


def test_the_arrow_keys_choose_and_the_search_goes_on_in_the_library(demo: Page) -> None:
    find(demo, "velvet")
    expect(demo.get_by_role("option", name=re.compile("^Velvet Kick"))).to_be_visible()
    demo.keyboard.press("ArrowUp")  # from the first to the last
    expect(demo.locator(f"{OPTIONS}[aria-selected=true]")).to_contain_text("Search the library")
    demo.keyboard.press("Enter")
    expect(demo).to_have_url(re.compile(r"/library\?q=velvet"))
    expect(demo.get_by_test_id("search")).to_have_value("velvet")
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])


def test_actions_of_the_page_run_by_their_keys_and_buttons(demo: Page) -> None:
    find(demo, "show shortcuts")
    expect(demo.locator(OPTIONS).first.locator("kbd")).to_have_text("?")
    demo.keyboard.press("Enter")
    expect(demo.get_by_test_id("shortcuts")).to_be_visible()
    demo.keyboard.press("Escape")
    expect(demo.get_by_test_id("shortcuts")).to_have_count(0)
    find(demo, "find by sound")
    demo.keyboard.press("Enter")
    expect(demo.get_by_test_id("finder")).to_be_visible()
    demo.keyboard.press("Control+k")  # never above another dialog
    expect(demo.get_by_test_id("palette")).to_have_count(0)


def test_the_keys_of_the_page_do_not_act_while_typing(demo: Page) -> None:
    favourites = demo.locator(".star.on").count()
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    demo.keyboard.press("Control+k")
    demo.keyboard.type("f t")
    expect(demo.get_by_test_id("palette-field")).to_have_value("f t")
    demo.keyboard.press("Escape")
    expect(demo.get_by_test_id("palette")).to_have_count(0)
    expect(demo.get_by_test_id("tags")).to_have_count(0)
    expect(demo.locator(".star.on")).to_have_count(favourites)


def test_projects_are_found_and_the_button_opens_the_palette(demo: Page) -> None:
    name = "Palette project"
    demo.evaluate(
        """name => fetch("/api/projects", {method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({name, device: "mk2"})})""",
        name,
    )
    demo.get_by_test_id("open-palette").click()
    demo.get_by_test_id("palette-field").fill("palette proj")
    demo.get_by_role("option", name=re.compile(f"^{name}")).click()
    expect(demo).to_have_url(re.compile("/projects/"))
    expect(demo.get_by_test_id("pad-page")).to_be_visible()


def test_the_oldest_of_250_collections_is_found(
    page: Page, outbox: Outbox, product: Product, tmp_path: Path
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    page.get_by_test_id("choose-files").set_input_files(write(tmp_path / "Tone.wav", tone()))
    expect(page.get_by_test_id("name")).to_have_count(1, timeout=ANALYSIS_TIMEOUT_MS)
    sample_id = page.request.get("/api/samples").json()["samples"][0]["id"]
    first = add_collections(product, sample_id, 250)
    find(page, "crate 0")
    option = page.get_by_role("option", name=re.compile("^Crate 0 ?Collection"))
    expect(option).to_be_visible()
    option.click()
    expect(page).to_have_url(re.compile(f"/collections/{first}"))


def test_a_failed_search_is_said_and_everything_else_is_still_found(demo: Page) -> None:
    demo.route("**/api/samples?limit=30**", lambda route: route.abort())
    find(demo, "library")
    expect(demo.get_by_text("Sounds can’t be searched right now.")).to_be_visible()
    expect(demo.locator(OPTIONS).first).to_contain_text("Library")
