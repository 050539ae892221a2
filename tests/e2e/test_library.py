"""The library in a browser: upload, search, play, tag, delete and undo."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import create_engine, text

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.e2e import people, sound_folder
from tests.e2e.conftest import Outbox
from tests.e2e.people import Visitor
from tests.e2e.test_billing import subscribe
from tests.e2e.waiting import until
from tests.product import Product
from tests.sounds import tone, write

DEMO_USER = Visitor("demo@example.com", "sixteen pads")
ANALYSIS_TIMEOUT_MS = 90_000  # the machine may be busy with other tests


@pytest.fixture
def demo(page: Page) -> Page:
    """The demo account's library with all samples analysed."""
    people.sign_in(page, DEMO_USER)
    expect(page.get_by_test_id("name").first).to_be_visible()
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    return page


def rows(page: Page) -> list[str]:
    return page.get_by_test_id("name").all_inner_texts()


def playing(page: Page) -> str:
    player = page.get_by_test_id("player")
    expect(player).to_have_attribute("data-playing", "true")
    return player.locator(".player-name").inner_text()


def test_filters_are_hidden_until_they_are_opened(demo: Page) -> None:
    filters = demo.locator(".filters > .filter:not(.phone-filter)")
    expect(demo.get_by_test_id("total")).to_be_visible()
    expect(filters.first).to_be_hidden()
    demo.get_by_test_id("filters").click()
    expect(demo.locator(".filter-tags")).to_be_visible()
    bottoms = filters.evaluate_all(
        "all => all.map(e => Math.round(e.getBoundingClientRect().bottom))"
    )
    assert len(set(bottoms)) <= 3  # lines on a wide screen


def test_the_search_placeholder_is_readable_on_a_phone(demo: Page) -> None:
    demo.set_viewport_size({"width": 390, "height": 844})
    field = demo.get_by_test_id("search")
    room = field.evaluate(
        "e => e.clientWidth - parseFloat(getComputedStyle(e).paddingLeft)"
        " - parseFloat(getComputedStyle(e).paddingRight)"
    )
    assert room > 110  # "Search names, …"
    assert field.evaluate("e => getComputedStyle(e).textOverflow") == "ellipsis"
    add = demo.get_by_role("button", name="Add", exact=True)
    assert add.bounding_box()["width"] < 90  # type: ignore[index]


@pytest.mark.parametrize("width", [1440, 390])
def test_one_progress_bar_shows_reanalysis_by_a_new_engine(
    page: Page, outbox: Outbox, product: Product, tmp_path: Path, width: int
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    page.get_by_test_id("choose-files").set_input_files(write(tmp_path / "bell.wav", tone(700)))
    expect(page.get_by_test_id("name")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.set_viewport_size({"width": width, "height": 844})
    bars = page.get_by_test_id("renewal").filter(visible=True)
    expect(bars).to_have_count(0)
    database = create_engine(postgresql.postgres_url(Home(product.home)))
    with database.begin() as connection:  # pretend that an older engine analysed it
        older = "update analyses set engine_version = '0' where sample_id = :heard"
        heard = page.request.get("/api/samples").json()["samples"][0]["id"]
        connection.execute(text(older), {"heard": heard})
    database.dispose()
    page.reload()
    expect(bars).to_have_count(1)
    expect(bars).to_have_text("Updating analysis: 0 of 1")
    expect(bars).to_be_in_viewport()


def test_an_uploaded_folder_is_analysed_and_searchable(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    sound_folder.create_folder(tmp_path)
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    expect(page.get_by_test_id("empty-library")).to_be_visible()

    page.get_by_test_id("choose-folder").set_input_files(tmp_path / "Dusty Crate")
    uploads = page.get_by_test_id("uploads")
    expect(uploads.get_by_text("25 sounds uploaded · 5 not added")).to_be_visible(
        timeout=ANALYSIS_TIMEOUT_MS
    )
    for name in sound_folder.BROKEN_FILES:
        expect(uploads.locator("[data-state=refused]", has_text=name)).to_have_count(1)
    page.get_by_test_id("close-uploads").click()
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.get_by_test_id("total")).to_have_text("25")
    expect(page.get_by_role("button", name="Kit One 25")).to_be_visible()  # folders became tags

    # The Free plan includes ten analyses per month; the other samples wait for quota.
    expect(page.get_by_test_id("row-waiting")).to_have_count(15)
    expect(page.get_by_test_id("waiting-note")).to_contain_text("15 sounds wait for analysis")
    offer = page.get_by_test_id("waiting-note").get_by_role("link")
    expect(offer).to_have_text("14 days of Pro free")
    page.get_by_test_id("show-waiting").click()
    expect(page.get_by_test_id("total")).to_have_text("15")
    page.get_by_test_id("clear-filters").click()
    expect(page.get_by_test_id("total")).to_have_text("25")
    ready = page.request.get("/api/samples?status=ready&kind=loop").json()["samples"]
    wanted = next(sample["name"] for sample in ready if sample["bpm"])
    page.keyboard.press("/")
    page.keyboard.type(wanted.lower())
    expect(page.get_by_test_id("name")).to_have_text([wanted])
    page.keyboard.press("ArrowDown")  # from the search field to the first result, which plays
    assert playing(page) == wanted

    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/samples/[0-9a-f-]{36}"))
    expect(page.get_by_test_id("bpm-value")).to_contain_text(re.compile(r"\d"))
    assert playing(page) == wanted  # navigation does not stop playback

    page.get_by_test_id("bpm-field").fill("77.5")
    page.get_by_test_id("bpm-set").click()
    expect(page.get_by_test_id("bpm-value")).to_contain_text("77.5")
    page.reload()
    expect(page.get_by_test_id("bpm-value")).to_contain_text("77.5")
    expect(page.get_by_test_id("bpm-source")).to_contain_text("you")
    page.goto(f"/library?q={wanted}")
    expect(page.get_by_test_id("bpm").first).to_have_text("77.5")

    page.goto("/usage")
    expect(page.get_by_test_id("analyses-used")).to_have_text("10")
    subscribe(page, "choose-pro", "Pro")  # the waiting samples are analysed now
    page.goto("/usage")
    expect(page.get_by_test_id("analyses-used")).to_have_text("25", timeout=ANALYSIS_TIMEOUT_MS)
    assert not errors


DROP_SCRIPT = """([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const event of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(event, { bubbles: true, cancelable: true, dataTransfer }));
}"""


def test_files_can_be_dropped_anywhere_on_the_page(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    sound_folder.create_folder(tmp_path, 1)
    file = sound_folder.valid_wavs(tmp_path)[0]
    people.sign_in(page, people.sign_up(page, outbox))
    page.evaluate(DROP_SCRIPT, [file.name, base64.b64encode(file.read_bytes()).decode()])
    expect(page.get_by_test_id("name")).to_have_text([file.stem])
    expect(page.get_by_test_id("drop-veil")).to_have_count(0)


def test_a_duplicate_upload_is_reported_and_not_stored(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    sound_folder.create_folder(tmp_path, 2)
    files = sound_folder.valid_wavs(tmp_path)[:1]
    people.sign_in(page, people.sign_up(page, outbox))
    for expected in ("done", "duplicate"):
        page.get_by_test_id("choose-files").set_input_files(files)
        expect(page.locator(f"[data-state={expected}]")).to_be_visible()
        page.get_by_test_id("close-uploads").click()
    expect(page.get_by_test_id("total")).to_have_text("1")


def test_arrow_keys_move_the_cursor_and_play_and_space_stops(demo: Page) -> None:
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    first = playing(demo)
    demo.keyboard.press("ArrowDown")
    second = rows(demo)[1]
    expect(demo.locator(".player-name")).to_have_text(second)
    assert first == rows(demo)[0]
    demo.keyboard.press("ArrowUp")
    expect(demo.locator(".player-name")).to_have_text(first)
    demo.keyboard.press("Space")
    expect(demo.get_by_test_id("player")).to_have_attribute("data-playing", "false")


def test_filters_and_sorting_are_kept_in_the_url(demo: Page) -> None:
    demo.get_by_test_id("room-loops").click()
    demo.get_by_test_id("filters").click()
    demo.get_by_test_id("bpm_min").fill("90")
    demo.get_by_test_id("sort-bpm").click()
    expect(demo).to_have_url(re.compile(r"bpm_min=90"))
    expect(demo).to_have_url(re.compile(r"sort=bpm"))
    expect(demo.get_by_test_id("sort-bpm")).to_have_class(re.compile("on"))
    before = rows(demo)
    demo.goto(demo.url)
    expect(demo.get_by_test_id("bpm_min")).to_have_value("90")
    expect(demo.get_by_test_id("name")).to_have_text(before)
    tempos = [float(t.rstrip("?")) for t in demo.get_by_test_id("bpm").all_inner_texts()]
    assert tempos == sorted(tempos)
    assert min(tempos) >= 90


def test_a_range_that_ends_before_it_begins_is_explained(demo: Page) -> None:
    demo.get_by_test_id("filters").click()
    demo.get_by_test_id("bpm_min").fill("200")
    demo.get_by_test_id("bpm_max").fill("50")
    nothing = demo.get_by_test_id("nothing-found")
    expect(nothing).to_contain_text("No sound has 200 BPM or more and 50 BPM or less.")
    demo.get_by_test_id("bpm_max").fill("210")
    expect(nothing).to_contain_text("Remove a filter or try another search.")


def test_back_from_a_sample_restores_scroll_cursor_and_selection(demo: Page) -> None:
    demo.set_viewport_size({"width": 1440, "height": 420})
    table = demo.get_by_test_id("table")
    demo.get_by_test_id("room-all").click()
    demo.get_by_test_id("sample-row").first.hover()
    demo.get_by_test_id("sample-row").first.get_by_role("checkbox").click()
    expect(demo.get_by_test_id("bulk")).to_be_visible()
    table.focus()
    for _ in range(9):
        demo.keyboard.press("ArrowDown")
    name = demo.locator(".at-cursor [data-testid=name]").inner_text()
    expect(demo.locator(".player-name")).to_have_text(name)
    top = table.evaluate("e => e.scrollTop")
    assert top > 0
    demo.keyboard.press("Enter")
    expect(demo).to_have_url(re.compile("/samples/"))
    demo.go_back()
    expect(demo.locator(".at-cursor [data-testid=name]")).to_have_text(name)
    assert table.evaluate("e => e.scrollTop") == top
    expect(demo.get_by_test_id("bulk")).to_be_visible()
    expect(demo.locator(".player-name")).to_have_text(name)


def test_a_cursor_in_the_address_opens_the_list_at_its_row(demo: Page) -> None:
    demo.set_viewport_size({"width": 1440, "height": 420})
    table = demo.get_by_test_id("table")
    table.focus()
    demo.keyboard.press("ArrowDown")
    demo.keyboard.press("End")
    last = demo.locator(".at-cursor")
    expect(last).to_have_attribute("aria-rowindex", str(table.get_attribute("data-total")))
    sample_id, name = last.get_attribute("data-id"), last.get_by_test_id("name").inner_text()
    demo.goto(f"/library?at={sample_id}&sort=-created")
    expect(demo.locator(".at-cursor [data-testid=name]")).to_have_text(name)
    expect(demo.locator(".at-cursor")).to_be_in_viewport()
    assert table.evaluate("e => e.scrollTop") > 0
    demo.keyboard.press("ArrowUp")
    expect(last).to_have_attribute("aria-rowindex", str(int(table.get_attribute("data-total")) - 1))


def test_an_address_opened_after_another_search_stays(demo: Page) -> None:
    demo.get_by_test_id("room-loops").click()
    expect(demo).to_have_url(re.compile(r"\?kind=loop$"))
    demo.goto("/library?sort=bpm")
    expect(demo.get_by_test_id("room-all")).to_have_attribute("aria-pressed", "true")
    demo.get_by_test_id("room-one_shots").hover()
    demo.wait_for_timeout(1500)  # the state of the last visit came with the page
    expect(demo).to_have_url(re.compile(r"/library\?sort=bpm$"))
    demo.get_by_test_id("room-one_shots").click()
    expect(demo).to_have_url(re.compile("kind=one_shot"))


def test_a_misspelt_search_shows_the_closest_match(demo: Page) -> None:
    demo.get_by_test_id("search").fill("velvte kcik")
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])
    expect(demo.get_by_text("Showing results for “velvet kick”")).to_be_visible()


def test_undo_restores_a_deleted_sample(demo: Page) -> None:
    total = int(demo.get_by_test_id("total").inner_text())
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    gone = rows(demo)[0]
    demo.keyboard.press("Delete")
    expect(demo.get_by_test_id("total")).to_have_text(str(total - 1))
    demo.get_by_test_id("room-trash").click()
    expect(demo.get_by_test_id("name")).to_have_text([gone])
    demo.get_by_test_id("undo").click()
    expect(demo.get_by_test_id("total")).to_have_text("0")
    demo.get_by_test_id("room-all").click()
    expect(demo.get_by_test_id("total")).to_have_text(str(total))


def test_a_loop_that_is_deleted_stops(demo: Page) -> None:
    player = demo.get_by_test_id("player")
    demo.get_by_test_id("search").fill("Sunday Keys")
    expect(demo.get_by_test_id("sample-row")).to_have_count(1)
    demo.get_by_test_id("sample-row").click()
    expect(player).to_have_attribute("data-playing", "true")
    demo.keyboard.press("Delete")
    expect(player).to_have_attribute("data-playing", "false")
    demo.get_by_test_id("undo").click()
    expect(demo.get_by_test_id("name")).to_have_text(["Sunday Keys"])


def test_what_is_typed_after_t_becomes_a_tag_and_removes_none(demo: Page) -> None:
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    demo.keyboard.press("t")
    chips = demo.get_by_test_id("tags").locator(".chip")
    expect(demo.get_by_test_id("tag-input")).to_be_focused()
    before = chips.all_inner_texts()
    assert before
    demo.keyboard.type("for friday")
    demo.keyboard.press("Enter")
    expect(chips).to_have_count(len(before) + 1)
    assert set(before) < set(chips.all_inner_texts())
    chips.filter(has_text="for friday").click()
    expect(chips).to_have_text(before)


def test_selected_samples_are_tagged_together(demo: Page) -> None:
    demo.get_by_test_id("search").fill("hat")
    expect(demo.get_by_test_id("total")).to_have_text("2")
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    demo.keyboard.press("t")
    demo.get_by_test_id("tag-input").fill("solo")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Remove solo", exact=True)).to_be_visible()
    demo.get_by_test_id("tags-done").click()
    expect(demo.get_by_test_id("tags")).to_have_count(0)
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("Control+a")
    demo.keyboard.press("t")
    expect(demo.get_by_role("button", name="Remove solo, on 1 of 2")).to_be_visible()
    demo.get_by_test_id("tag-input").fill("metal, for the bridge")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Remove metal", exact=True)).to_be_visible()
    demo.get_by_test_id("tag-input").fill("typed only")
    demo.get_by_test_id("tags-done").click()
    expect(demo.get_by_role("button", name="typed only 2")).to_be_visible()
    expect(demo.get_by_test_id("tags")).to_have_count(0)
    demo.reload()
    expect(demo.get_by_role("button", name="metal 2")).to_be_visible()
    row = demo.get_by_test_id("sample-row").filter(has_text="Tight Hat")
    row.get_by_test_id("row-tag").filter(has_text="for the bridge").click()
    expect(demo).to_have_url(re.compile(r"[?&]tags=for\+the\+bridge"))
    expect(demo.get_by_test_id("chip").filter(has_text="for the bridge")).to_have_count(1)


def test_another_tab_shows_a_change_without_a_reload(demo: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto("/library")
    row = demo.get_by_test_id("sample-row").first.get_attribute("data-id")
    star = other.locator(f"[data-id='{row}'] .star").first
    before = star.get_attribute("aria-pressed") == "true"
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("ArrowDown")
    for pressed in (not before, before):
        demo.keyboard.press("f")
        expect(star).to_have_attribute("aria-pressed", str(pressed).lower())


def test_uploads_resume_after_a_lost_connection(
    page: Page, context: BrowserContext, outbox: Outbox, tmp_path: Path
) -> None:
    sound_folder.create_folder(tmp_path, 6)
    good = sound_folder.valid_wavs(tmp_path)
    people.sign_in(page, people.sign_up(page, outbox))
    page.route("**/api/samples", lambda route: route.abort("connectionreset"))
    page.get_by_test_id("choose-files").set_input_files(good)
    expect(page.locator("[data-state=paused]").first).to_be_visible()
    page.unroute("**/api/samples")
    expect(page.locator("[data-state=done]")).to_have_count(len(good), timeout=30_000)


def test_file_names_are_escaped_in_html(page: Page, outbox: Outbox, tmp_path: Path) -> None:
    sound_folder.create_folder(tmp_path, 1)
    original = sound_folder.valid_wavs(tmp_path)[0]
    name = "<img src=x onerror=alert(1)> \u202eevil 🥁.wav"
    hurt: list[str] = []
    page.on("dialog", lambda dialog: hurt.append(dialog.message))
    people.sign_in(page, people.sign_up(page, outbox))
    page.get_by_test_id("choose-files").set_input_files(
        {"name": name, "mimeType": "audio/wav", "buffer": original.read_bytes()}
    )
    expect(page.get_by_test_id("name").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert not hurt


TAP = """
() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
      window.tap = new AnalyserNode(this.context, { fftSize: 4096 });
      connect.call(this, window.tap);
    }
    return connect.call(this, to, ...rest);
  };
}
"""
LEVEL = """
() => {
  const samples = new Float32Array(4096);
  window.tap?.getFloatTimeDomainData(samples);
  return Math.max(...samples.map(Math.abs));
}
"""


def test_the_volume_of_previews_is_set_muted_and_remembered(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    page.add_init_script(f"({TAP})()")
    people.sign_in(page, people.sign_up(page, outbox))
    file = write(tmp_path / "Sine.wav", 0.5 * tone(500, 20.0))
    page.get_by_test_id("choose-files").set_input_files(file)
    expect(page.get_by_test_id("name")).to_have_count(1, timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("table").focus()
    page.keyboard.press("ArrowDown")
    assert playing(page) == "Sine"
    until(lambda: page.evaluate(LEVEL) > 0.05)
    page.wait_for_timeout(300)
    full = page.evaluate(LEVEL)
    volume, mute = page.get_by_test_id("player-volume"), page.get_by_label("Mute")
    volume.fill("50")
    until(lambda: abs(page.evaluate(LEVEL) / full - 0.25) < 0.02)
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(volume).to_have_value("0")
    until(lambda: page.evaluate(LEVEL) < 0.001)
    page.reload()
    expect(volume).to_have_value("0")
    mute.click()
    expect(volume).to_have_value("50")
    page.reload()
    expect(volume).to_have_value("50")
    expect(page.get_by_test_id("name")).to_have_count(1)
    page.get_by_test_id("table").focus()
    page.keyboard.press("ArrowDown")
    assert playing(page) == "Sine"
    until(lambda: abs(page.evaluate(LEVEL) / full - 0.25) < 0.02)


def test_a_phone_has_every_option_of_the_player(demo: Page) -> None:
    options = (
        "Repeat loops",
        "Play sounds as you move through the list",
        "Even out preview loudness",
    )
    named = [demo.get_by_role("button", name=name) for name in (*options, "Mute", "Keyboard help")]
    volume, more = demo.get_by_test_id("player-volume"), demo.get_by_test_id("player-more")
    expect(more).to_be_hidden()  # on a desktop they are in the bar
    for button in named:
        expect(button).to_be_visible()
    demo.set_viewport_size({"width": 390, "height": 844})
    demo.get_by_test_id("sample-row").first.click()
    for button in named:
        expect(button).to_be_hidden()
    more.click()
    for control in (*named, volume, more):
        box = control.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44, box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    for button in named[:4]:
        before = button.get_attribute("aria-pressed")
        button.click()
        expect(button).not_to_have_attribute("aria-pressed", str(before))
    volume.fill("30")
    expect(named[3]).to_have_attribute("aria-pressed", "false")
    demo.keyboard.press("Escape")
    expect(volume).to_be_hidden()
    expect(more).to_be_focused()
    more.click()
    demo.get_by_test_id("search").click()  # elsewhere
    expect(volume).to_be_hidden()
    more.click()
    named[4].click()
    expect(demo.get_by_role("dialog")).to_contain_text("Play or stop")


def test_the_question_mark_beside_the_player_shows_the_keys(demo: Page) -> None:
    demo.get_by_test_id("player-help").dblclick()
    expect(demo.get_by_role("dialog")).to_contain_text("Play or stop")
    demo.keyboard.press("Escape")
    expect(demo.get_by_role("dialog")).to_have_count(0)


def test_shift_selects_from_the_row_that_was_selected_last(demo: Page) -> None:
    rows = demo.get_by_test_id("sample-row")

    def expect_selected(*indices: int) -> None:
        for index in range(10):
            chosen = "true" if index in indices else "false"
            expect(rows.nth(index)).to_have_attribute("aria-selected", chosen)

    rows.nth(8).get_by_test_id("name").click()
    rows.nth(1).get_by_test_id("name").click(modifiers=["ControlOrMeta"])
    rows.nth(3).get_by_test_id("name").click(modifiers=["Shift"])
    expect_selected(1, 2, 3)
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("Escape")
    expect_selected()
    rows.nth(5).get_by_test_id("name").click()
    rows.nth(7).get_by_test_id("name").click(modifiers=["Shift"])
    expect_selected(5, 6, 7)
    demo.keyboard.press("Escape")
    rows.nth(6).locator(".tick").click()
    rows.nth(3).locator(".tick").click(modifiers=["Shift"])
    expect_selected(3, 4, 5, 6)
    rows.nth(4).locator(".tick").click()
    expect_selected(3, 5, 6)
