"""The library in a real browser: from the mail's link to a sound under the arrow keys."""

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import create_engine, text

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.e2e import folder, people
from tests.e2e.conftest import Outbox
from tests.e2e.people import Visitor
from tests.e2e.test_billing import subscribe
from tests.product import Product
from tests.sounds import tone, write

DEMO = Visitor("demo@example.com", "sixteen pads")
ANALYSED = 90_000  # ms; the machine may be busy with other tests


@pytest.fixture
def demo(page: Page) -> Page:
    """The demo account's library, all analysed."""
    people.sign_in(page, DEMO)
    expect(page.get_by_test_id("name").first).to_be_visible()
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSED)
    return page


def rows(page: Page) -> list[str]:
    return page.get_by_test_id("name").all_inner_texts()


def playing(page: Page) -> str:
    player = page.get_by_test_id("player")
    expect(player).to_have_attribute("data-playing", "true")
    return player.locator(".player-name").inner_text()


def test_all_filters_stand_in_one_line_of_a_wide_screen(demo: Page) -> None:
    demo.get_by_test_id("has-copies").click()
    expect(demo.get_by_test_id("clear-filters")).to_be_visible()
    middles = demo.locator(".filters > :not(.narrow-only)").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(b => (b.top + b.bottom) / 2)"
    )
    assert len(middles) == 9
    assert max(middles) - min(middles) < 4


def test_a_phone_says_what_to_search_for(demo: Page) -> None:
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
def test_one_bar_shows_how_far_a_better_ear_is(
    page: Page, outbox: Outbox, product: Product, tmp_path: Path, width: int
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    page.get_by_test_id("choose-files").set_input_files(write(tmp_path / "bell.wav", tone(700)))
    expect(page.get_by_test_id("name")).to_have_count(1)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSED)
    page.set_viewport_size({"width": width, "height": 844})
    bars = page.get_by_test_id("renewal").filter(visible=True)
    expect(bars).to_have_count(0)
    database = create_engine(postgresql.url(Home(product.home)))
    with database.begin() as connection:  # it was an older one that heard it
        older = "update analyses set engine_version = '0' where sample_id = :heard"
        heard = page.request.get("/api/samples").json()["samples"][0]["id"]
        connection.execute(text(older), {"heard": heard})
    database.dispose()
    page.reload()
    expect(bars).to_have_count(1)
    expect(bars).to_have_text("Listening again: 0 of 1")
    expect(bars).to_be_in_viewport()


def test_a_musician_drops_a_folder_and_finds_a_sound(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    folder.make(tmp_path)
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    expect(page.get_by_test_id("empty-library")).to_be_visible()

    page.get_by_test_id("choose-folder").set_input_files(tmp_path / "Dusty Crate")
    uploads = page.get_by_test_id("uploads")
    expect(uploads.get_by_text("25 sounds uploaded · 5 not added")).to_be_visible(timeout=ANALYSED)
    for name in folder.BROKEN:
        expect(uploads.locator("[data-state=refused]", has_text=name)).to_have_count(1)
    page.get_by_test_id("close-uploads").click()
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSED)
    expect(page.get_by_test_id("total")).to_have_text("25")
    expect(page.get_by_role("button", name="Kit One 25")).to_be_visible()  # folders became tags

    # Free analyses ten a month; the others show their waveform, play, and say why they wait.
    expect(page.get_by_text("not analysed: this month’s are used up")).to_have_count(15)
    ready = page.request.get("/api/samples?status=ready&kind=loop").json()["samples"]
    wanted = next(sample["name"] for sample in ready if sample["bpm"])
    page.keyboard.press("/")
    page.keyboard.type(wanted.lower())
    expect(page.get_by_test_id("name")).to_have_text([wanted])
    page.keyboard.press("ArrowDown")  # from the search into the list, and it plays
    assert playing(page) == wanted

    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/samples/[0-9a-f-]{36}"))
    expect(page.get_by_test_id("bpm-value")).to_contain_text(re.compile(r"\d"))
    assert playing(page) == wanted  # a page change does not stop the sound

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
    subscribe(page, "choose-pro", "Pro")  # and what waited has its turn at once
    page.goto("/usage")
    expect(page.get_by_test_id("analyses-used")).to_have_text("25", timeout=ANALYSED)
    assert not errors


DROP = """([name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  for (const event of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(event, { bubbles: true, cancelable: true, dataTransfer }));
}"""


def test_sounds_are_dropped_anywhere_on_the_page(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    folder.make(tmp_path, 1)
    file = folder.good(tmp_path)[0]
    people.sign_in(page, people.sign_up(page, outbox))
    page.evaluate(DROP, [file.name, base64.b64encode(file.read_bytes()).decode()])
    expect(page.get_by_test_id("name")).to_have_text([file.stem])
    expect(page.get_by_test_id("drop-veil")).to_have_count(0)


def test_what_is_here_already_is_said_and_not_kept_twice(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    folder.make(tmp_path, 2)
    files = folder.good(tmp_path)[:1]
    people.sign_in(page, people.sign_up(page, outbox))
    for expected in ("done", "duplicate"):
        page.get_by_test_id("choose-files").set_input_files(files)
        expect(page.locator(f"[data-state={expected}]")).to_be_visible()
        page.get_by_test_id("close-uploads").click()
    expect(page.get_by_test_id("total")).to_have_text("1")


def test_arrow_keys_move_and_play_and_space_stops(demo: Page) -> None:
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


def test_a_view_lives_in_its_address(demo: Page) -> None:
    demo.get_by_test_id("room-loops").click()
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


def test_a_slip_of_the_finger_still_finds(demo: Page) -> None:
    demo.get_by_test_id("search").fill("velvte kcik")
    expect(demo.get_by_test_id("name")).to_have_text(["Velvet Kick"])
    expect(demo.get_by_text("showing “velvet kick”")).to_be_visible()


def test_thrown_away_by_mistake_comes_back(demo: Page) -> None:
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


def test_many_are_tagged_at_once(demo: Page) -> None:
    demo.get_by_test_id("search").fill("hat")
    expect(demo.get_by_test_id("total")).to_have_text("2")
    demo.get_by_test_id("table").focus()
    demo.keyboard.press("Control+a")
    demo.keyboard.press("t")
    demo.get_by_test_id("tag-input").fill("metal, for the bridge")
    demo.keyboard.press("Enter")
    expect(demo.get_by_role("button", name="Remove metal")).to_be_visible()
    demo.get_by_test_id("tags-done").click()
    demo.reload()
    expect(demo.get_by_role("button", name="metal 2")).to_be_visible()


def test_another_tab_sees_a_change_without_a_reload(demo: Page, context: BrowserContext) -> None:
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


def test_a_lost_connection_is_taken_up_again(
    page: Page, context: BrowserContext, outbox: Outbox, tmp_path: Path
) -> None:
    folder.make(tmp_path, 6)
    good = folder.good(tmp_path)
    people.sign_in(page, people.sign_up(page, outbox))
    page.route("**/api/samples", lambda route: route.abort("connectionreset"))
    page.get_by_test_id("choose-files").set_input_files(good)
    expect(page.locator("[data-state=paused]").first).to_be_visible()
    page.unroute("**/api/samples")
    expect(page.locator("[data-state=done]")).to_have_count(len(good), timeout=30_000)


def test_a_name_is_only_ever_text(page: Page, outbox: Outbox, tmp_path: Path) -> None:
    folder.make(tmp_path, 1)
    original = folder.good(tmp_path)[0]
    name = "<img src=x onerror=alert(1)> \u202eevil 🥁.wav"
    hurt: list[str] = []
    page.on("dialog", lambda dialog: hurt.append(dialog.message))
    people.sign_in(page, people.sign_up(page, outbox))
    page.get_by_test_id("choose-files").set_input_files(
        {"name": name, "mimeType": "audio/wav", "buffer": original.read_bytes()}
    )
    expect(page.get_by_test_id("name").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert not hurt
