"""Collections in a browser: fill them from anywhere, order them, play them, and edit rules."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import playing
from tests.e2e.test_projects import upload
from tests.e2e.waiting import until

COLLECTION_URL = re.compile(r"/collections/[0-9a-f-]{36}$")
NAMES = ("Clap", "Hat", "Kick", "Snare")


@pytest.fixture
def errors(page: Page, outbox: Outbox, tmp_path: Path) -> Iterator[list[str]]:
    """A new user with four sounds is signed in; any error on the page fails the test."""
    found: list[str] = []
    PageMonitor(page, found.append)
    people.sign_in(page, people.sign_up(page, outbox))
    upload(page, tmp_path, *NAMES)
    page.goto("/library?sort=name")
    expect(names(page)).to_have_text(NAMES)
    yield found
    assert found == []


def names(page: Page) -> Locator:
    return page.get_by_test_id("sample-row").get_by_test_id("name")


def row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("sample-row").filter(has_text=name)


def cards(page: Page) -> Locator:
    return page.get_by_test_id("collection")


def notice(page: Page) -> Locator:
    return page.get_by_test_id("notice")


def choose(page: Page, collection: str, action: str) -> None:
    """Choose an action of the menu of a collection."""
    card = cards(page).filter(has=page.get_by_text(collection, exact=True))
    card.get_by_test_id("collection-menu").click()
    page.get_by_test_id(f"menu-{action}").click()


def make_collection(page: Page, name: str, sounds: Sequence[str] = ()) -> None:
    """Create a collection with sounds of the library, from the library, and open it."""
    page.goto("/library?sort=name")
    expect(names(page)).to_have_text(NAMES)
    for sound in sounds:
        row(page, sound).hover()
        row(page, sound).get_by_role("checkbox").click()
    expect(page.get_by_test_id("bulk")).to_contain_text(f"{len(sounds)} selected")
    page.get_by_test_id("bulk-collect").click()
    page.get_by_test_id("picker-text").fill(name)
    page.get_by_test_id("picker-new").click()
    expect(notice(page)).to_contain_text(f"“{name}” created")
    page.get_by_test_id("notice-open").click()
    expect(page).to_have_url(COLLECTION_URL)
    expect(names(page)).to_have_text(list(sounds))


def drag(page: Page, source: Locator, target: Locator, share: float = 0.5) -> None:
    """Drag one element onto another, at a share of the target's height."""
    start, end = source.bounding_box(), target.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 300, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + end["height"] * share, steps=8)
    page.mouse.up()


def test_sounds_are_added_by_key_menu_and_drag_and_each_can_be_undone(
    page: Page, errors: list[str]
) -> None:
    row(page, "Kick").click()
    page.keyboard.press("c")
    expect(page.get_by_test_id("collect-what")).to_have_text("“Kick”")
    page.get_by_test_id("picker-text").fill("Drums")
    expect(page.get_by_test_id("picker-new")).to_have_text("+New collection “Drums”")
    page.keyboard.press("Enter")
    expect(notice(page)).to_contain_text("“Drums” created with 1 sound.")
    rail = page.get_by_test_id("rail-collection")
    expect(rail).to_have_text(["Drums1"])

    row(page, "Snare").get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-collect").click()
    page.get_by_test_id("picker-text").fill("dru")
    expect(page.get_by_test_id("picker-choice")).to_have_text(["Drums1"])
    page.keyboard.press("Enter")
    expect(notice(page)).to_contain_text("Added 1 sound to “Drums”.")
    expect(rail).to_have_text(["Drums2"])
    page.get_by_test_id("undo").click()
    expect(rail).to_have_text(["Drums1"])

    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    expect(page.get_by_test_id("bulk")).to_contain_text("4 selected")
    drag(page, row(page, "Hat"), rail.first)
    expect(notice(page)).to_contain_text("Added 3 sounds to “Drums”. 1 sound was already in it.")
    expect(rail).to_have_text(["Drums4"])
    page.get_by_test_id("undo").click()
    expect(rail).to_have_text(["Drums1"])

    page.keyboard.press("Escape")
    row(page, "Kick").dblclick()
    expect(page.get_by_test_id("collection-link")).to_have_text(["Drums"])
    page.get_by_test_id("add-to-collection-button").click()
    page.get_by_test_id("picker-text").fill("Best")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("collection-link")).to_have_text(["Best", "Drums"])
    page.get_by_test_id("collection-link").first.click()
    expect(page.get_by_test_id("collection-name")).to_have_value("Best")
    expect(names(page)).to_have_text(["Kick"])


def test_a_long_name_leaves_room_for_the_counts_of_the_picker(
    page: Page, errors: list[str], base_url: str
) -> None:
    body = {"name": "The breaks of the second box " * 5}
    answer = page.request.post("/api/collections", data=body, headers={"Origin": base_url})
    assert answer.status == 201, answer.text()
    page.reload()
    # Rows are shown before the page has loaded, which closes dialogs.
    expect(page.locator("[data-loaded=true]")).to_be_attached()
    row(page, "Kick").click()
    page.keyboard.press("c")
    count = page.get_by_test_id("picker-choice").locator(".mono")
    expect(count).to_have_text("0")
    expect(count).to_be_in_viewport(ratio=1)


def test_the_actions_for_selected_sounds_fit_into_a_narrow_window(
    page: Page, errors: list[str]
) -> None:
    make_collection(page, "Drums", NAMES)
    page.set_viewport_size({"width": 1024, "height": 768})
    row(page, "Kick").hover()
    row(page, "Kick").get_by_role("checkbox").click()
    bulk = page.get_by_test_id("bulk")
    expect(bulk).to_be_in_viewport(ratio=1)
    expect(bulk.get_by_test_id("bulk-delete")).to_be_in_viewport(ratio=1)
    expect(bulk.get_by_test_id("bulk-more")).to_be_in_viewport(ratio=1)
    bar, button = bulk.bounding_box(), bulk.get_by_test_id("bulk-delete").bounding_box()
    assert bar
    assert button
    assert bar["height"] < 2 * button["height"]  # one line


def test_a_collection_is_ordered_by_keys_drag_and_menu(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", NAMES)
    row(page, "Clap").click()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    expect(names(page)).to_have_text(["Hat", "Kick", "Clap", "Snare"])
    expect(row(page, "Clap")).to_have_class(re.compile("at-cursor"))
    page.keyboard.press("Alt+ArrowUp")
    expect(names(page)).to_have_text(["Hat", "Clap", "Kick", "Snare"])

    drag(page, row(page, "Snare"), row(page, "Hat"), 0.2)
    expect(names(page)).to_have_text(["Snare", "Hat", "Clap", "Kick"])
    drag(page, row(page, "Snare"), row(page, "Kick"), 0.8)
    expect(names(page)).to_have_text(["Hat", "Clap", "Kick", "Snare"])

    row(page, "Kick").get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-start").click()
    expect(names(page)).to_have_text(["Kick", "Hat", "Clap", "Snare"])
    page.reload()
    expect(names(page)).to_have_text(["Kick", "Hat", "Clap", "Snare"])

    page.get_by_test_id("sort-menu").click()
    page.get_by_test_id("sort-by-name").click()
    expect(names(page)).to_have_text(NAMES)
    page.get_by_test_id("undo").click()
    expect(names(page)).to_have_text(["Kick", "Hat", "Clap", "Snare"])

    page.get_by_test_id("sort-name").click()
    expect(names(page)).to_have_text(NAMES)
    row(page, "Clap").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(notice(page)).to_contain_text("Clear the filters and sort by # to move sounds.")


def test_removing_a_sound_keeps_it_in_the_library_and_is_undone_at_its_place(
    page: Page, errors: list[str]
) -> None:
    make_collection(page, "Drums", NAMES)
    row(page, "Hat").click()
    page.keyboard.press("Delete")
    expect(names(page)).to_have_text(["Clap", "Kick", "Snare"])
    expect(notice(page)).to_contain_text("Removed 1 sound from “Drums”.")
    expect(page.get_by_test_id("collection-count")).to_have_text("3 sounds")
    page.get_by_test_id("undo").click()
    expect(names(page)).to_have_text(NAMES)
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    page.get_by_test_id("bulk-more").click()
    page.get_by_test_id("bulk-remove").click()
    expect(page.get_by_test_id("empty-collection")).to_contain_text("No sounds yet")
    page.goto("/library?sort=name")
    expect(names(page)).to_have_text(NAMES)


def test_a_collection_plays_through(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", ("Clap", "Kick"))
    heard = page.evaluate_handle(
        """() => {
          const heard = [];
          const bar = document.querySelector("[data-testid=player]");
          new MutationObserver(() => {
            const name = bar.querySelector(".player-name")?.textContent;
            if (name && heard[heard.length - 1] !== name) heard.push(name);
          }).observe(bar, { childList: true, subtree: true, characterData: true });
          return heard;
        }"""
    )
    page.get_by_test_id("play-all").click()
    expect(page.get_by_test_id("play-all")).to_have_text("Play all")  # again, at the end
    expect(row(page, "Kick")).to_have_class(re.compile("at-cursor"))
    assert heard.json_value() == ["Clap", "Kick"]


def test_a_collection_goes_onto_pads_and_is_downloaded(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", ("Clap", "Kick"))
    page.get_by_test_id("collection-download").click()
    expect(page.get_by_test_id("download-what")).to_have_text("2 sounds")
    page.keyboard.press("Escape")
    page.get_by_test_id("collection-pads").click()
    expect(page.get_by_test_id("put-what")).to_have_text("2 sounds on the next free pads.")
    page.get_by_test_id("put-on-new-project").click()
    page.get_by_test_id("create-project").click()
    expect(page).to_have_url(re.compile(r"/projects/[0-9a-f-]{36}"))
    expect(page.get_by_test_id("pad-A2")).to_contain_text("Kick")


def test_the_playlist_of_a_collection_has_its_order_and_the_names_of_its_archive(
    page: Page, errors: list[str]
) -> None:
    make_collection(page, "Drums: 1", ("Clap", "Kick"))
    with page.expect_download() as started:
        page.get_by_test_id("collection-playlist").click()
    assert started.value.suggested_filename == "Drums_ 1.m3u8"
    lines = Path(started.value.path()).read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    listed = [line for line in lines if not line.startswith("#")]
    assert listed == ["Clap.wav", "Kick.wav"]
    page.get_by_test_id("collection-download").click()
    page.get_by_test_id("format-wav").check(force=True)
    with page.expect_download(timeout=60_000) as started:
        page.get_by_test_id("start-download").click()
    with zipfile.ZipFile(started.value.path()) as archive:
        assert set(listed) < set(archive.namelist())
        assert archive.testzip() is None


def test_a_smart_collection_counts_while_its_rules_are_edited(
    page: Page, errors: list[str]
) -> None:
    page.goto("/collections")
    page.get_by_test_id("first-smart-collection").click()
    form = page.get_by_test_id("collection-form")
    count = form.get_by_test_id("rule-count")
    expect(count).to_have_text("Fill in every rule.")
    form.get_by_test_id("rule-value").fill("kick")
    expect(count).to_have_text("1 sound matches.")
    form.get_by_test_id("add-group").click()
    expect(count).to_have_text("Fill in every rule.")
    group = form.get_by_test_id("rule-group")
    group.get_by_test_id("rule-field").select_option("duration")
    group.get_by_test_id("rule-op").select_option("at_most")
    group.get_by_test_id("rule-value").fill("9")
    form.get_by_test_id("rules-match").select_option("any")
    expect(count).to_have_text("4 sounds match.")
    form.get_by_test_id("rules-match").select_option("all")
    expect(count).to_have_text("1 sound matches.")
    form.get_by_test_id("name").fill("Kicks")
    form.get_by_test_id("save-collection").click()
    expect(page).to_have_url(COLLECTION_URL)
    expect(names(page)).to_have_text(["Kick"])
    expect(page.get_by_test_id("collection-head")).to_contain_text("Smart")

    page.get_by_test_id("edit-collection").click()
    expect(count).to_have_text("1 sound matches.")
    form.get_by_test_id("rule-value").first.fill("snare")
    expect(count).to_have_text("1 sound matches.")
    form.get_by_test_id("save-collection").click()
    expect(form).to_have_count(0)
    expect(names(page)).to_have_text(["Snare"])
    row(page, "Snare").click()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("F2")
    page.get_by_test_id("rename").fill("Rim")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("empty-collection")).to_contain_text("No sounds match")


def test_a_smart_collection_of_sounds_like_the_selected(page: Page, errors: list[str]) -> None:
    row(page, "Kick").click()
    page.keyboard.press("c")
    page.get_by_test_id("like-these").click()
    form = page.get_by_test_id("collection-form")
    expect(form.get_by_test_id("name")).to_have_value("Like Kick")
    expect(form.get_by_test_id("rule")).to_contain_text("1 sound")
    expect(form.get_by_test_id("rule-count")).to_contain_text(re.compile("match"))
    form.get_by_test_id("save-collection").click()
    expect(page).to_have_url(COLLECTION_URL)
    expect(row(page, "Kick")).to_be_visible()


def test_a_search_is_saved_and_stands_in_the_rail(page: Page, errors: list[str]) -> None:
    page.goto("/library")
    expect(page.get_by_test_id("save-search")).to_have_count(0)
    page.get_by_test_id("search").fill("kick")
    page.get_by_test_id("save-search").click()
    form = page.get_by_test_id("collection-form")
    expect(form.get_by_test_id("name")).to_have_value("kick")
    expect(form.get_by_test_id("rule-value")).to_have_value("kick")
    expect(form.get_by_test_id("rule-count")).to_have_text("1 sound matches.")
    form.get_by_test_id("save-collection").click()
    expect(page).to_have_url(COLLECTION_URL)
    expect(names(page)).to_have_text(["Kick"])
    expect(page.get_by_test_id("rail-collection")).to_have_text(["kick1"])


def test_collections_are_edited_duplicated_merged_deleted_and_restored(
    page: Page, errors: list[str]
) -> None:
    make_collection(page, "Drums", ("Kick",))
    make_collection(page, "Hands", ("Clap", "Kick"))
    page.goto("/collections")
    choose(page, "Drums", "edit")
    form = page.get_by_test_id("collection-form")
    form.get_by_test_id("name").fill("Low drums")
    swatch = form.get_by_test_id("swatch").nth(3)
    colour = swatch.get_attribute("value")
    swatch.check(force=True)
    form.get_by_test_id("collection-note").fill("For the intro")
    form.get_by_test_id("save-collection").click()
    card = cards(page).filter(has_text="Low drums")
    expect(card).to_contain_text("For the intro")
    expect(card).to_have_css("--bank", colour or "")

    choose(page, "Hands", "duplicate")
    expect(cards(page)).to_have_count(3)
    for name in ("Low drums", "Hands"):
        card = cards(page).filter(has=page.get_by_text(name, exact=True))
        card.get_by_test_id("choose-collection").click()
    page.get_by_test_id("merge").click()
    page.get_by_test_id("merge-dialog").get_by_label("Name").fill("All drums")
    page.get_by_test_id("confirm-merge").click()
    expect(notice(page)).to_contain_text("“All drums” created with 2 sounds.")

    choose(page, "Hands copy", "delete")
    expect(cards(page)).to_have_count(3)
    page.get_by_test_id("undo").click()
    expect(cards(page)).to_have_count(4)
    choose(page, "Hands copy", "delete")
    page.get_by_test_id("view-trash").click()
    expect(cards(page)).to_contain_text(["Permanently deleted in 30 days"])
    page.get_by_test_id("restore").click()
    expect(page.get_by_test_id("empty-trash")).to_be_visible()
    page.get_by_test_id("view-in-use").click()
    choose(page, "Hands copy", "delete")
    page.get_by_test_id("view-trash").click()
    page.get_by_test_id("delete-for-good").click()
    page.get_by_test_id("confirm-deletion").click()
    expect(notice(page)).to_contain_text("“Hands copy” permanently deleted.")

    page.get_by_test_id("view-in-use").click()
    page.get_by_role("link", name="All drums").click()
    expect(names(page)).to_have_count(2)
    page.get_by_test_id("collection-name").fill("Every drum")
    page.keyboard.press("Enter")
    page.get_by_test_id("note").fill("Two sounds")
    page.keyboard.press("Tab")
    until(lambda: '"note":"Two sounds"' in page.request.get("/api/collections").text())
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("collection-name")).to_have_value("Every drum")
    expect(other.get_by_test_id("note")).to_have_value("Two sounds")
    other.close()
    page.get_by_test_id("delete-collection").click()
    expect(page).to_have_url(re.compile("/collections$"))
    page.get_by_test_id("undo").click()
    expect(cards(page).filter(has_text="Every drum")).to_have_count(1)


def test_two_tabs_show_the_same_order(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", NAMES)
    other = page.context.new_page()
    other.goto(page.url)
    expect(names(other)).to_have_text(NAMES)
    row(page, "Clap").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(names(other)).to_have_text(["Hat", "Clap", "Kick", "Snare"])
    row(other, "Snare").click()
    other.keyboard.press("Delete")
    expect(names(page)).to_have_text(["Hat", "Clap", "Kick"])


@pytest.mark.parametrize("width", [390, 360])
def test_a_phone_reaches_everything_without_a_drag(
    page: Page, errors: list[str], width: int
) -> None:
    make_collection(page, "Drums", NAMES)
    page.set_viewport_size({"width": width, "height": 780})
    row(page, "Clap").get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-down").click()
    expect(names(page)).to_have_text(["Hat", "Clap", "Kick", "Snare"])
    row(page, "Kick").get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-remove").click()
    expect(names(page)).to_have_text(["Hat", "Clap", "Snare"])
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    for link in page.locator(".topbar nav a:visible").all():
        box = link.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_an_unknown_collection_says_so(page: Page, errors: list[str]) -> None:
    page.goto("/collections/0190f2a0-0000-7000-8000-000000000000")
    expect(page.get_by_test_id("missing")).to_contain_text("Collection not found")


def test_the_keyboard_help_of_a_collection_lists_its_keys(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", ("Kick",))
    page.keyboard.press("?")
    help_dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(help_dialog).to_contain_text("Add to collection")
    expect(help_dialog).to_contain_text("Alt ↑ ↓")
    expect(help_dialog).to_contain_text("Remove from collection")
    page.keyboard.press("Escape")
    row(page, "Kick").click()
    assert playing(page) == "Kick"


def test_delete_never_deletes_in_a_smart_collection(page: Page, errors: list[str]) -> None:
    rules = {"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]}
    made = page.request.post(
        "/api/collections",
        data={"name": "Kicks", "rules": rules},
        headers={"Origin": page.url.partition("/library")[0]},
    ).json()
    page.goto(f"/collections/{made['id']}")
    expect(names(page)).to_have_text(["Kick"])
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Rename")
    expect(page.get_by_role("dialog")).not_to_contain_text("Remove from collection")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    row(page, "Kick").click()
    page.keyboard.press("Delete")
    page.keyboard.press("t")  # handled after it
    expect(page.get_by_test_id("tags")).to_be_visible()
    page.reload()
    expect(names(page)).to_have_text(["Kick"])
    expect(page.get_by_test_id("tags")).to_have_count(0)
    page.get_by_test_id("collection-download").focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("download-dialog")).to_be_visible()


def test_a_sound_dropped_on_a_smart_collection_is_refused_with_the_reason(
    page: Page, errors: list[str]
) -> None:
    rules = {"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]}
    page.request.post(
        "/api/collections",
        data={"name": "Kicks", "rules": rules},
        headers={"Origin": page.url.partition("/library")[0]},
    )
    smart = page.get_by_test_id("rail-collection").filter(has_text="Kicks")
    expect(smart).to_be_visible()
    drag(page, row(page, "Hat"), smart)
    expect(notice(page)).to_contain_text("its rules choose the samples")


def test_a_rule_shows_the_collection_that_it_names_also_from_the_trash(
    page: Page, errors: list[str]
) -> None:
    headers = {"Origin": page.url.partition("/library")[0]}
    made = {
        name: page.request.post("/api/collections", data={"name": name}, headers=headers).json()
        for name in ("Alpha", "Beta")
    }
    rules = [{"field": "collection", "op": "is", "value": made["Alpha"]["id"]}]
    smart = page.request.post(
        "/api/collections",
        data={"name": "Of Alpha", "rules": {"match": "all", "terms": rules}},
        headers=headers,
    ).json()
    page.request.delete(f"/api/collections/{made['Alpha']['id']}", headers=headers)
    page.goto(f"/collections/{smart['id']}")
    page.get_by_test_id("edit-collection").click()
    value = page.get_by_test_id("rule-value")
    expect(value).to_have_value(made["Alpha"]["id"])
    expect(value.locator("option:checked")).to_have_text("Alpha (in the trash)")


def test_the_name_and_note_are_saved_by_enter_and_restored_by_escape(
    page: Page, errors: list[str]
) -> None:
    make_collection(page, "Drums", ("Clap",))
    name, note = page.get_by_test_id("collection-name"), page.get_by_test_id("note")
    for field, text in ((name, "Other drums"), (note, "For Friday")):
        field.fill(text)
        field.press("Enter")
        expect(field).not_to_be_focused()
        expect(field).to_have_js_property("defaultValue", text)  # it was saved
        field.fill("something else")
        field.press("Escape")
        expect(field).to_have_value(text)
    page.reload()
    expect(name).to_have_value("Other drums")
    expect(note).to_have_value("For Friday")
    page.get_by_test_id("delete-collection").click()
    page.goto("/collections")
    page.get_by_test_id("view-trash").click()
    expect(page.get_by_test_id("collection")).to_contain_text("Other drums")


def test_f2_edits_a_collection_of_the_list(page: Page, errors: list[str]) -> None:
    make_collection(page, "Drums", ("Clap",))
    page.goto("/collections")
    page.get_by_test_id("collection").get_by_test_id("name").focus()
    page.keyboard.press("F2")
    expect(page.get_by_role("dialog")).to_contain_text("Edit collection")
