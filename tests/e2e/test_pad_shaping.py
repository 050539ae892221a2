"""The inspector of the pad page: names, knobs, handles, edits, chops, and the menu of a bank."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import seed_data
from tests.e2e.pad_page import PadPage, PadUser, centre_of, sounding_part
from tests.e2e.waiting import until
from tests.product import Product

LOOP = "Dusty Corner"


@pytest.fixture
def chosen(kit: PadPage) -> PadPage:
    """The pad page with A1 chosen and silent."""
    kit.choose("A1")
    kit.stop()
    return kit


def knob(kit: PadPage, name: str) -> Locator:
    place = kit.page.get_by_test_id(name)
    place.scroll_into_view_if_needed()
    return place


def expect_setting(kit: PadPage, name: str, value: object, key: str = "A1") -> None:
    until(lambda: kit.stored(key)["settings"][name] == value)


def undo(kit: PadPage) -> None:
    revision = kit.api()["revision"]
    kit.page.get_by_test_id("undo").click()
    until(lambda: kit.api()["revision"] > revision)


def test_a_name_is_shown_as_the_device_will_show_it(chosen: PadPage) -> None:
    page = chosen.page
    field = page.get_by_test_id("pad-name")
    field.fill("Ünterwelt bass drum, take number three")
    expect(page.get_by_test_id("device-name")).to_have_text("Unterwelt bass drum, ta")
    expect(page.locator(".screen-count")).to_have_text("23/23")
    chosen.expect_names(A1="Velvet Kick")  # it is not saved yet
    field.press("Enter")
    chosen.expect_names(A1="Ünterwelt bass drum, take number three")
    expect(page.get_by_test_id("device-name")).to_have_text("Unterwelt bass drum, ta")
    field.fill("nothing")
    field.press("Escape")
    expect(field).to_have_value("Ünterwelt bass drum, take number three")


@pytest.mark.parametrize("gesture", ["drag", "wheel", "keys"])
def test_one_gesture_on_a_knob_is_one_step_of_undo(chosen: PadPage, gesture: str) -> None:
    page, revision = chosen.page, chosen.api()["revision"]
    level = knob(chosen, "knob-level")
    if gesture == "drag":
        x, y = centre_of(level)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 60, steps=10)
        page.mouse.up()
    elif gesture == "wheel":
        level.focus()
        level.hover()
        for _ in range(5):
            page.mouse.wheel(0, 100)
            page.wait_for_timeout(30)
    else:
        level.focus()
        for _ in range(5):
            page.keyboard.press("ArrowDown")
    until(lambda: chosen.stored("A1")["settings"]["level"] < 127)
    page.wait_for_timeout(700)
    assert chosen.api()["revision"] == revision + 1
    value = chosen.stored("A1")["settings"]["level"]
    expect(level).to_have_attribute("aria-valuenow", str(value))
    level.dblclick()
    expect_setting(chosen, "level", 127)
    undo(chosen)
    expect_setting(chosen, "level", value)
    undo(chosen)
    expect_setting(chosen, "level", 127)


def test_a_wheel_over_a_knob_without_focus_changes_nothing(chosen: PadPage) -> None:
    revision = chosen.api()["revision"]
    knob(chosen, "knob-level").hover()
    chosen.page.mouse.wheel(0, 40)
    chosen.page.wait_for_timeout(600)
    assert chosen.api()["revision"] == revision


def is_crossing(samples: np.ndarray, frame: int) -> bool:
    """Return whether the mix of the channels changes its sign before a frame."""
    mix = samples.astype(int).sum(axis=1)
    return bool((mix[frame - 1] < 0) != (mix[frame] < 0))


def test_handles_move_by_mouse_onto_zero_crossings_and_do_not_play(chosen: PadPage) -> None:
    page, render = chosen.page, chosen.render("A1")
    start = page.get_by_test_id("handle-start")
    expect(start).to_be_visible()
    wave = page.get_by_test_id("pad-wave").bounding_box()
    assert wave
    x, y = centre_of(start)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(wave["x"] + wave["width"] * 0.3, y, steps=8)
    page.mouse.up()
    until(lambda: chosen.stored("A1")["settings"]["start"] > 0)
    frame = chosen.stored("A1")["settings"]["start"]
    assert is_crossing(render, frame)
    assert abs(frame / len(render) - 0.3) < 0.06
    page.wait_for_timeout(150)
    assert chosen.playing() == []
    assert chosen.stored("A1")["chops"] == []


def test_start_and_loop_point_are_dragged_apart_and_the_end_from_its_edge(
    chosen: PadPage,
) -> None:
    page = chosen.page
    page.get_by_test_id("set-loop").click()
    expect(page.get_by_test_id("handle-loop_top")).to_be_visible()
    wave = page.get_by_test_id("pad-wave").bounding_box()
    assert wave

    def drag(from_x: float, share_of_height: float, to_share: float) -> None:
        y = wave["y"] + wave["height"] * share_of_height
        page.mouse.move(from_x, y)
        page.mouse.down()
        page.mouse.move(wave["x"] + wave["width"] * to_share, y, steps=8)
        page.mouse.up()

    drag(wave["x"] + 3, 0.2, 0.2)
    until(lambda: chosen.stored("A1")["settings"]["start"] > 0)
    start = chosen.stored("A1")["settings"]["start"]
    drag(wave["x"] + wave["width"] * 0.2 + 1, 0.8, 0.4)
    until(lambda: chosen.stored("A1")["settings"]["loop_top"] > start)
    expect_setting(chosen, "start", start)
    frames = chosen.stored("A1")["frames"]
    drag(wave["x"] + wave["width"] - 2, 0.5, 0.8)
    until(lambda: (chosen.stored("A1")["settings"]["end"] or frames) < frames)


def test_handles_move_by_keys_exactly_and_keep_the_shortest_length(chosen: PadPage) -> None:
    page = chosen.page
    end = page.get_by_test_id("handle-end")
    end.focus()
    frames = chosen.stored("A1")["frames"]
    page.keyboard.press("Shift+ArrowLeft")
    expect_setting(chosen, "end", frames - 1)
    start = page.get_by_test_id("handle-start")
    start.focus()
    revision = chosen.api()["revision"]
    for _ in range(25):
        page.keyboard.press("PageUp")
    expect_setting(chosen, "start", frames - 1 - 1000)
    assert chosen.api()["revision"] <= revision + 2  # one step of undo, or two if keys come slowly
    chosen.pad("A1").get_by_role("button").first.click()
    expect(start).to_have_attribute("aria-valuenow", str(frames - 1001))


def test_switches_change_what_the_pad_shows_and_one_shot_excludes_the_others(
    chosen: PadPage,
) -> None:
    page, pad = chosen.page, chosen.pad("A1")
    page.get_by_test_id("set-loop").click()
    expect(pad.locator(".badge-loop")).to_be_visible()
    expect(page.get_by_test_id("handle-loop_top")).to_be_visible()
    page.get_by_test_id("mode-reverse").click()
    expect(pad.locator(".badge-reverse")).to_be_visible()
    page.get_by_test_id("set-one_shot").click()
    expect(pad.locator(".badge-shot")).to_be_visible()
    expect(pad.locator(".badge-loop")).to_have_count(0)
    expect(page.get_by_test_id("set-gate")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_test_id("mode-reverse")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("set-mute_group").select_option("3")
    expect(pad.locator(".badge-mute")).to_have_text("M3")


@pytest.mark.usefixtures("recorder")
def test_an_edit_is_rendered_and_sounds_and_b_plays_the_original(
    pad_user: PadUser, page: Page, pad_errors: list[str]
) -> None:
    kit = PadPage.create(pad_user, page, ("Velvet Kick",))
    kit.expect_ready("A1")
    kit.change("A1", settings={"one_shot": True})
    original = kit.render("A1")
    kit.choose("A1")
    kit.stop()
    kit.page.get_by_test_id("edit-reverse").click()
    expect(kit.pad("A1").locator(".badge-edited")).to_be_visible()
    until(lambda: kit.stored("A1")["edit"] is not None)
    edited = kit.render("A1")
    assert np.corrcoef(edited[::-1, 0], original[:, 0])[0, 1] > 0.99
    kit.expect_ready("A1")
    kit.face("A1").focus()

    expected = sounding_part(edited)[:4800]
    kit.record()
    kit.page.keyboard.press("1")
    assert np.array_equal(kit.recorded(4800), expected)
    kit.stop()

    kit.face("A1").focus()
    kit.record()
    kit.page.keyboard.press("b")  # the original file, decoded by the browser
    heard = kit.recorded(4800)[:, 0].astype(float)
    wanted = sounding_part(original)[:4800, 0].astype(float)
    assert np.corrcoef(heard, wanted)[0, 1] > 0.9
    kit.stop()


def test_reset_removes_the_edit(chosen: PadPage) -> None:
    page = chosen.page
    knob(chosen, "edit-gain_db").focus()
    page.keyboard.press("PageDown")
    expect(chosen.pad("A1").locator(".badge-edited")).to_be_visible()
    page.get_by_test_id("edit-normalise").select_option("peak -3")
    until(lambda: chosen.stored("A1")["edit"].get("normalise") == {"to": "peak", "value": -3})
    page.get_by_test_id("reset-edit").click()
    until(lambda: chosen.stored("A1")["edit"] is None)
    expect(chosen.pad("A1").locator(".badge-edited")).to_have_count(0)


def test_chops_are_set_by_hits_and_removed_by_keys(pad_user: PadUser, page: Page) -> None:
    kit = PadPage.create(pad_user, page, (LOOP,))
    kit.expect_ready("A1")
    kit.choose("A1")
    kit.page.get_by_test_id("chop-open").click()
    kit.page.get_by_test_id("chop-parts").select_option("8")
    kit.page.get_by_test_id("chop-to-markers").click()
    handles = kit.page.get_by_test_id("handle-chop")
    expect(handles.nth(3)).to_be_visible()
    count = len(kit.stored("A1")["chops"])
    assert 4 <= count <= 8
    expect(handles).to_have_count(count)
    handles.nth(3).focus()
    kit.page.keyboard.press("Delete")
    expect(handles).to_have_count(count - 1)
    assert kit.name("A1").inner_text() == LOOP  # only the chop was deleted
    kit.page.get_by_test_id("clear-chops").click()
    expect(handles).to_have_count(0)


def test_a_double_click_spreads_chops_once_and_their_notice_undoes_it(
    pad_user: PadUser, page: Page
) -> None:
    kit = PadPage.create(pad_user, page, (LOOP,))
    kit.expect_ready("A1")
    kit.choose("A1")
    page.get_by_test_id("chop-open").click()
    page.get_by_test_id("chop-parts").select_option("4")
    revision = kit.api()["revision"]
    page.get_by_test_id("chop-to-pads").dblclick()
    notice = page.locator(".toast")
    expect(notice).to_contain_text(re.compile(r"^\d chops on pads A2, A3"))
    page.wait_for_timeout(700)  # for a second spread
    assert kit.api()["revision"] == revision + 1
    notice.get_by_test_id("undo").click()
    until(lambda: kit.api()["revision"] == revision + 2)
    kit.expect_names(A1=LOOP, A2="")


@pytest.mark.usefixtures("recorder", "pad_errors")
def test_keys_play_the_chops_of_a_pad(pad_user: PadUser, page: Page) -> None:
    kit = PadPage.create(pad_user, page, (LOOP,))
    kit.expect_ready("A1")
    kit.change("A1", chops=[0, 30_000, 60_000])
    kit.choose("A1")
    kit.stop()
    toggle = page.get_by_test_id("chop-keys")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "true")
    kit.record()
    page.keyboard.press("2")
    expected = sounding_part(kit.render("A1")[30_000:60_000])
    heard = kit.recorded(len(expected))
    assert np.array_equal(heard, expected)
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("2")  # an empty pad
    page.wait_for_timeout(150)
    assert kit.playing() == []


def test_arrows_swap_a_pad_for_similar_sounds(chosen: PadPage) -> None:
    page = chosen.page
    page.get_by_test_id("similar-next").click()
    expect(page.locator(".similar-text")).to_have_text(re.compile(r"2 of \d+"))
    second = chosen.name("A1").inner_text()
    assert second != "Velvet Kick"
    page.keyboard.press("ArrowRight")
    expect(page.locator(".similar-text")).to_have_text(re.compile(r"3 of \d+"))
    page.keyboard.press("ArrowLeft")
    chosen.expect_names(A1=second)
    chosen.choose("A2")
    expect(page.locator(".similar-text")).to_have_text("Similar")


def test_the_menu_of_a_bank_arranges_levels_copies_swaps_and_clears(kit: PadPage) -> None:
    page = kit.page
    page.get_by_test_id("bank-menu").click()
    page.get_by_test_id("arrange-name").click()
    undo = page.get_by_test_id("pad-page").get_by_test_id("undo")
    expect(undo).to_have_attribute("title", re.compile("rrange"))
    found = [kit.name(f"A{n}").inner_text() for n in range(1, 17)]
    assert [name for name in found if name] == ["Paper Snare", "Tight Hat", "Velvet Kick"]
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Bank A arranged by name.")
    page.get_by_test_id("arrange-name").click()
    expect(toast).to_contain_text("There was nothing to change.")
    expect(toast.get_by_test_id("undo")).to_have_count(0)
    page.get_by_test_id("level-peak").click()
    expect(page.locator(".badge-edited")).to_have_count(3)
    expect(toast).to_contain_text("Bank A evened out.")
    page.get_by_test_id("bank-copy").select_option("C")
    expect(kit.pad("C1")).to_be_visible()
    expect(page.locator(".pad.lit")).to_have_count(3)
    expect(toast).to_contain_text("Bank A copied to C.")
    toast.get_by_test_id("undo").click()
    expect(page.locator(".pad.lit")).to_have_count(0)
    page.get_by_test_id("redo").click()
    expect(page.locator(".pad.lit")).to_have_count(3)
    page.get_by_test_id("bank-menu").click()
    page.get_by_test_id("bank-swap").select_option("D")
    expect(kit.pad("D1")).to_be_visible()
    expect(page.get_by_test_id("bank-C")).to_have_attribute("title", "Bank C: 0 pads")
    expect(toast).to_contain_text("Bank C swapped with D.")
    actions = page.locator(".bank-actions")
    page.keyboard.press("Escape")
    expect(actions).to_be_hidden()
    expect(page.get_by_test_id("bank-menu")).to_be_focused()
    page.get_by_test_id("bank-menu").click()
    expect(actions).to_be_visible()
    page.get_by_test_id("bank-D").click()  # a press outside
    expect(actions).to_be_hidden()
    for _ in range(2):
        page.get_by_test_id("bank-menu").click()
        page.get_by_test_id("clear-bank").click()
        expect(actions).to_be_hidden()
        expect(page.locator(".pad.lit")).to_have_count(0)
        expect(page.locator(".toast")).to_contain_text("Bank D cleared.")
        page.locator(".toast").get_by_test_id("undo").click()
        expect(page.locator(".pad.lit")).to_have_count(3)
    expect(page.get_by_test_id("bank-A")).to_have_attribute("title", "Bank A: 3 pads")


def test_the_undo_of_a_cleared_bank_undoes_nothing_else(kit: PadPage) -> None:
    page = kit.page
    page.get_by_test_id("bank-menu").click()
    page.get_by_test_id("clear-bank").click()
    expect(page.locator(".toast")).to_contain_text("Bank A cleared.")
    page.get_by_test_id("project-name").fill("Since then")
    page.get_by_test_id("project-name").press("Enter")
    until(lambda: kit.api()["name"] == "Since then")
    expect(page.locator(".toast")).to_have_count(0)  # its undo would undo the name
    page.get_by_test_id("undo").click()
    page.get_by_test_id("undo").click()
    expect(page.locator(".pad.lit")).to_have_count(3)
    page.get_by_test_id("bank-menu").click()
    page.get_by_test_id("clear-bank").click()
    expect(page.locator(".toast")).to_contain_text("Bank A cleared.")
    page.keyboard.press("Control+z")
    expect(page.locator(".pad.lit")).to_have_count(3)
    expect(page.locator(".toast")).to_have_count(0)
    page.get_by_test_id("project-tempo").fill("900")
    page.get_by_test_id("project-tempo").press("Enter")
    expect(page.locator(".toast")).to_contain_text("from 40 to 200")
    page.get_by_test_id("project-tempo").fill("95")
    page.get_by_test_id("project-tempo").press("Enter")
    expect(page.locator(".toast")).to_have_count(0)


def test_a_bank_that_is_empty_is_not_cleared_and_offers_no_undo(kit: PadPage) -> None:
    page = kit.page
    page.get_by_test_id("bank-B").click()
    expect(kit.pad("B1")).to_be_visible()
    page.get_by_test_id("bank-menu").click()
    page.get_by_test_id("clear-bank").click()
    expect(page.locator(".toast")).to_contain_text("Bank B is empty.")
    expect(page.locator(".toast").get_by_test_id("undo")).to_have_count(0)
    page.get_by_test_id("bank-A").click()
    expect(page.locator(".pad.lit")).to_have_count(3)


def test_ctrl_z_works_from_the_list_of_sounds_and_not_in_its_search(kit: PadPage) -> None:
    page = kit.page
    expect(page.locator(".pad.lit")).to_have_count(3)
    kit.choose("A5")
    page.get_by_test_id("table").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".pad.lit")).to_have_count(4)
    page.get_by_test_id("search").click()
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    expect(page.locator(".pad.lit")).to_have_count(4)
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+z")
    expect(page.locator(".pad.lit")).to_have_count(3)


def test_tempo_and_name_of_the_project_are_saved_and_a_wrong_tempo_is_not(kit: PadPage) -> None:
    page = kit.page
    tempo, name = page.get_by_test_id("project-tempo"), page.get_by_test_id("project-name")
    name.fill("Basement tape")
    name.press("Enter")
    tempo.fill("93,5")
    tempo.press("Enter")
    until(lambda: (kit.api()["name"], kit.api()["tempo"]) == ("Basement tape", 93.5))
    expect(tempo).to_have_value("93.5")
    for wrong in ("999", "fast"):
        tempo.fill(wrong)
        tempo.press("Enter")
        expect(tempo).to_have_value("93.5")
    assert kit.api()["tempo"] == 93.5


def test_a_sound_in_the_trash_is_marked_on_its_pad(kit: PadPage, pad_user: PadUser) -> None:
    sample = pad_user.samples["Tight Hat"]
    headers = {"Origin": pad_user.origin}
    kit.page.request.delete(f"/api/samples/{sample}", headers=headers)
    expect(kit.pad("A3")).to_contain_text("In the trash")
    kit.face("A3").click()
    expect(kit.page.get_by_test_id("pad-detail")).to_contain_text("in the trash")
    kit.page.request.post(f"/api/samples/{sample}/restore", headers=headers)
    expect(kit.pad("A3")).not_to_contain_text("In the trash")


def test_a_failed_render_shows_its_reason_and_can_be_tried_again(
    chosen: PadPage, product: Product
) -> None:
    answer = chosen.page.request.get(f"/api/projects/{chosen.project}/pads/A/1/audio")
    key = answer.headers["etag"].strip('"')
    failed = "update pad_renders set size_bytes = null, error = 'The file is damaged.'"
    seed_data.run_sql(product, f"{failed} where render_key = '{key}'")
    chosen.open("?pad=A1")
    expect(chosen.pad("A1")).to_contain_text("The file is damaged.")
    expect(chosen.page.get_by_test_id("edit-panel")).to_contain_text("The file is damaged.")
    chosen.page.get_by_role("button", name="Try again").click()
    chosen.expect_ready("A1")
    expect(chosen.pad("A1")).not_to_contain_text("The file is damaged.")


def test_an_sx_project_has_twelve_pads_and_only_its_settings(pad_user: PadUser, page: Page) -> None:
    kit = PadPage.create(pad_user, page, ("Velvet Kick",), device="sx")
    kit.expect_ready("A1")
    expect(kit.page.locator(".pad")).to_have_count(12)
    kit.choose("A1")
    for name in ("knob-level", "set-lofi", "set-tempo_mode", "set-container", "mode-reverse"):
        expect(kit.page.get_by_test_id(name)).to_be_visible()
    for name in ("knob-pan", "knob-pitch", "set-mute_group", "set-one_shot", "mode-ping_pong"):
        expect(kit.page.get_by_test_id(name)).to_have_count(0)
    expect(kit.page.get_by_test_id("edit-resample_trick")).to_have_count(0)
    kit.page.get_by_test_id("set-tempo_mode").select_option("pattern")
    expect_setting(kit, "tempo_mode", "pattern")
