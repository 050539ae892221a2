"""The map of sounds: what is under the pointer is heard, a lasso selects, filters apply."""

import re

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS, DEMO_USER
from tests.e2e.waiting import until
from tests.sounds import wav

DEMO_SOUNDS = "27"
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def canvas(page: Page) -> FloatRect:
    """The map of the demo account, and where its canvas is."""
    people.sign_in(page, DEMO_USER)
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("view-map").click()
    expect(page).to_have_url(re.compile("/map"))
    expect(page.get_by_test_id("sound-map")).to_have_attribute("data-count", DEMO_SOUNDS)
    box = page.get_by_test_id("map-canvas").bounding_box()
    assert box
    return box


def draw_around(page: Page) -> None:
    """Draw a lasso around the whole canvas."""
    box = page.get_by_test_id("map-canvas").bounding_box()  # it moves when chips appear above it
    assert box
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + box["width"] - 4, top + box["height"] - 4
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()


def test_arrow_keys_move_and_play_and_enter_opens_the_sound(page: Page, canvas: FloatRect) -> None:
    here = page.get_by_test_id("map-here")
    page.get_by_test_id("map-canvas").focus()
    page.keyboard.press("ArrowRight")
    expect(here.locator("strong")).to_be_visible()
    expect(page.get_by_test_id("player")).to_have_attribute("data-playing", "true")
    first = here.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(here).not_to_have_text(first)
    name = here.locator("strong").inner_text()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/samples/"))
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def test_the_sound_under_the_pointer_is_heard_and_a_click_plays_it(
    page: Page, canvas: FloatRect
) -> None:
    here = page.get_by_test_id("map-here")
    for step in range(40):  # sweep the row of the middle until a sound is near
        page.mouse.move(
            canvas["x"] + canvas["width"] * step / 40, canvas["y"] + canvas["height"] * 0.5
        )
        page.wait_for_timeout(30)
        if here.locator("strong").count():
            break
    expect(page.get_by_test_id("player")).to_have_attribute("data-playing", "true")
    playing = page.get_by_test_id("player").get_attribute("data-track")
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_test_id("player")).to_have_attribute("data-track", str(playing))
    here.get_by_test_id("map-open").click()
    expect(page).to_have_url(re.compile(f"/samples/{playing}"))


def test_a_lasso_selects_for_all_actions_and_the_list_keeps_the_search(
    page: Page, canvas: FloatRect
) -> None:
    sounds = page.get_by_test_id("sound-map")
    page.keyboard.down("Shift")
    draw_around(page)
    page.keyboard.up("Shift")
    expect(sounds).to_have_attribute("data-chosen", DEMO_SOUNDS)
    expect(page.get_by_test_id("bulk")).to_contain_text(f"{DEMO_SOUNDS} selected")
    page.get_by_test_id("bulk-pads").click()
    expect(page.get_by_test_id("put-on-pads-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear selection").click()
    expect(sounds).to_have_attribute("data-chosen", "0")
    page.get_by_test_id("map-canvas").focus()
    page.keyboard.press("Control+a")
    expect(sounds).to_have_attribute("data-chosen", DEMO_SOUNDS)
    page.keyboard.press("Escape")
    expect(sounds).to_have_attribute("data-chosen", "0")
    page.get_by_test_id("search").fill("warm bass")
    expect(sounds).to_have_attribute("data-count", "3")
    expect(page.get_by_test_id("chip")).to_have_count(2)
    page.get_by_test_id("map-lasso").click()  # without Shift, as on a phone
    expect(sounds).to_have_attribute("data-lasso", "true")
    draw_around(page)
    expect(page.get_by_test_id("bulk")).to_contain_text("3 selected")
    page.get_by_test_id("view-list").click()
    expect(page).to_have_url(re.compile(r"/library\?q=warm"))
    expect(page.get_by_test_id("name")).to_have_count(3)
    expect(page.get_by_test_id("bulk")).to_contain_text("3 selected")
    page.get_by_label(re.compile("^Select ")).first.click()
    expect(page.get_by_test_id("bulk")).to_contain_text("2 selected")
    page.get_by_test_id("view-map").click()
    expect(sounds).to_have_attribute("data-chosen", "2")
    expect(page.get_by_test_id("bulk")).to_contain_text("2 selected")
    page.get_by_role("link", name="Projects").first.click()
    expect(page.locator("[data-room='/projects'][data-loaded=true]")).to_be_visible()
    page.go_back()
    expect(sounds).to_have_attribute("data-count", "3")
    expect(sounds).to_have_attribute("data-chosen", "0")
    expect(page.get_by_test_id("bulk")).to_have_count(0)


def test_a_class_is_hidden_and_the_view_zooms(page: Page, canvas: FloatRect) -> None:
    sounds, loops = page.get_by_test_id("sound-map"), page.get_by_role("button", name="break")
    loops.click()
    expect(loops).to_have_attribute("aria-pressed", "false")
    page.keyboard.down("Shift")
    draw_around(page)
    page.keyboard.up("Shift")
    expect(sounds).not_to_have_attribute("data-chosen", DEMO_SOUNDS)
    out = page.get_by_test_id("map-out")
    expect(out).to_be_disabled()
    page.get_by_test_id("map-in").click()
    expect(out).to_be_enabled()
    out.click()
    expect(out).to_be_disabled()
    page.mouse.move(canvas["x"] + 300, canvas["y"] + 200)
    page.mouse.wheel(0, -600)
    expect(out).to_be_enabled()


def test_two_fingers_zoom_and_the_one_that_stays_moves_the_map(
    page: Page, canvas: FloatRect
) -> None:
    problems: list[str] = []
    PageMonitor(page, problems.append)
    session = page.context.new_cdp_session(page)
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2

    def touch(kind: str, *fingers: tuple[float, int]) -> None:
        points = [{"x": x + dx, "y": y, "id": number} for dx, number in fingers]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def picture() -> str:
        return page.get_by_test_id("map-canvas").evaluate("canvas => canvas.toDataURL()")

    touch("touchStart", (-40, 1))
    touch("touchStart", (-40, 1), (40, 2))
    touch("touchMove", (-120, 1), (120, 2))
    expect(page.get_by_test_id("map-out")).to_be_enabled()
    touch("touchEnd", (-120, 1))  # the finger that is lifted
    page.evaluate(TWO_FRAMES)
    zoomed = picture()
    touch("touchMove", (20, 2))
    until(lambda: picture() != zoomed)  # drawn in the next frame
    touch("touchEnd")
    assert problems == []


def test_the_view_fits_what_was_found(page: Page, canvas: FloatRect) -> None:
    out, search = page.get_by_test_id("map-out"), page.get_by_test_id("search")
    expect(out).to_be_disabled()
    search.fill("boom bap")
    expect(page.get_by_test_id("sound-map")).to_have_attribute("data-count", "1")
    expect(out).to_be_enabled()
    search.fill("")
    expect(page.get_by_test_id("sound-map")).to_have_attribute("data-count", DEMO_SOUNDS)
    expect(out).to_be_disabled()
    page.get_by_test_id("map-in").click()
    expect(out).to_be_enabled()
    page.get_by_test_id("map-fit").click()
    expect(out).to_be_disabled()


def test_hidden_sounds_are_not_selected_and_a_selection_outlasts_a_visit(
    page: Page, canvas: FloatRect
) -> None:
    sounds, bulk = page.get_by_test_id("sound-map"), page.get_by_test_id("bulk")
    page.keyboard.down("Shift")
    draw_around(page)
    page.keyboard.up("Shift")
    expect(bulk).to_contain_text(f"{DEMO_SOUNDS} selected")
    kicks = sounds.get_by_role("button", name=re.compile("^kick"))
    left = int(DEMO_SOUNDS) - int(kicks.locator(".mono").inner_text())
    kicks.click()
    expect(sounds).to_have_attribute("data-chosen", str(left))
    expect(bulk).to_contain_text(f"{left} selected")
    kicks.click()
    expect(bulk).to_contain_text(f"{left} selected")
    page.get_by_test_id("map-canvas").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/samples/"))
    expect(page.get_by_test_id("sample-page")).to_be_visible()
    page.go_back()
    expect(bulk).to_contain_text(f"{left} selected")
    expect(sounds).to_have_attribute("data-chosen", str(left))


def test_an_empty_result_and_a_failed_request_are_said(page: Page, canvas: FloatRect) -> None:
    page.get_by_test_id("search").fill("zzzzzz")
    expect(page.get_by_test_id("map-here")).to_contain_text("No analysed sounds match")
    page.route("**/api/samples/map?**", lambda route: route.abort())
    page.get_by_test_id("search").fill("kick")
    expect(page.get_by_test_id("map-here")).to_contain_text("can’t be loaded right now")


@pytest.mark.parametrize("visit", ["from the list", "by its address"])
def test_the_map_is_asked_for_once(page: Page, canvas: FloatRect, visit: str) -> None:
    page.goto("/library")
    page.get_by_test_id("room-loops").click()
    expect(page).to_have_url(re.compile("kind=loop"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    if visit == "from the list":
        page.get_by_test_id("view-map").click()
    else:
        page.goto("/map?kind=loop")
    expect(page.get_by_test_id("sound-map")).not_to_have_attribute("data-count", "0")
    page.wait_for_timeout(2000)  # what follows a change of the library comes within a second
    assert sum("/api/samples/map" in url for url in asked) == 1


def test_sounds_appear_when_they_are_analysed_and_a_selection_stays(
    page: Page, outbox: Outbox
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    page.goto("/map")
    shown = page.get_by_test_id("sound-map")
    expect(shown).to_have_attribute("data-count", "0")

    def upload(hertz: int) -> None:
        file = {"name": f"{hertz}.wav", "mimeType": "audio/wav", "buffer": wav(hertz)}
        origin = "/".join(page.url.split("/")[:3])
        answer = page.request.post(
            "/api/samples", multipart={"file": file}, headers={"Origin": origin}
        )
        assert answer.status == 201, answer.text()

    upload(300)
    expect(shown).to_have_attribute("data-count", "1", timeout=ANALYSIS_TIMEOUT_MS)
    page.get_by_test_id("map-lasso").click()
    draw_around(page)
    expect(shown).to_have_attribute("data-chosen", "1")
    upload(500)
    expect(shown).to_have_attribute("data-count", "2", timeout=ANALYSIS_TIMEOUT_MS)
    expect(shown).to_have_attribute("data-chosen", "1")
    page.get_by_test_id("map-lasso").click()
    draw_around(page)
    expect(page.get_by_test_id("bulk")).to_contain_text("2 selected")
    found = page.request.get("/api/samples").json()["samples"]
    headers = {"Origin": "/".join(page.url.split("/")[:3])}
    page.request.delete(f"/api/samples/{found[0]['id']}", headers=headers)  # as in another tab
    expect(shown).to_have_attribute("data-count", "1", timeout=ANALYSIS_TIMEOUT_MS)
    expect(page.get_by_test_id("bulk")).to_contain_text("1 selected")
