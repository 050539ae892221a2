"""Pads in a browser: a kit from uploaded sounds, filled, played, moved, undone and found again."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import BrowserContext, Page, expect

from sp404_app.audio.synth.demo_sounds import demo_sounds
from tests.e2e import pad_page, people
from tests.e2e.conftest import Outbox
from tests.e2e.pad_page import PadPage, PadUser, sounding_part
from tests.e2e.waiting import until

ANALYSIS_TIMEOUT_MS = 90_000  # the machine may be busy with other tests
KIT = ("Velvet Kick", "Paper Snare", "Tight Hat", "Open Hat")
BREAK = "Dusty Corner"
DRUM_KEYS = {"1": "A1", "q": "A5", "a": "A9", "z": "A13"}


def write_sounds(folder: Path, *names: str) -> list[Path]:
    """Write demo sounds to WAV files."""
    paths = []
    for sound in demo_sounds():
        if sound.name in names:
            paths.append(folder / f"{sound.name}.wav")
            soundfile.write(paths[-1], sound.signal, sound.sample_rate)
    return paths


def test_a_kit_is_made_played_undone_redone_and_found_again(
    context: BrowserContext,
    page: Page,
    outbox: Outbox,
    base_url: str,
    tmp_path: Path,
    pad_errors: list[str],
    recorder: None,
) -> None:
    visitor = people.sign_up(page, outbox)
    people.sign_in(page, visitor)
    names = (*KIT, "Studio Clap", "Low Tom", BREAK)
    page.get_by_test_id("choose-files").set_input_files(write_sounds(tmp_path, *names))
    expect(page.get_by_test_id("name")).to_have_count(len(names))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    user = PadUser(visitor, base_url, {})
    kit = PadPage.create(user, page)

    targets = ("A1", "A5", "A9", "A13")
    for name, key in zip(KIT, targets, strict=True):
        kit.drag(kit.row(name), kit.face(key))
        expect(kit.name(key)).to_have_text(name)
    kit.expect_ready(*targets)

    for letter, key in DRUM_KEYS.items():
        kit.change(key, settings={"one_shot": True})
        expect(kit.pad(key).locator(".badge-shot")).to_be_visible()
        expected = sounding_part(kit.render(key))[:9_600]
        kit.face(key).focus()
        kit.record()
        page.keyboard.press(letter)
        assert np.array_equal(kit.recorded(len(expected)), expected), key
        kit.stop()

    page.get_by_test_id("bank-B").click()
    kit.drag(kit.row(BREAK), kit.face("B1"))
    kit.expect_ready("B1")
    page.get_by_test_id("chop-open").click()
    page.get_by_test_id("chop-by").select_option("equal")
    page.get_by_test_id("chop-to-pads").click()
    expect(page.locator(".pad.lit")).to_have_count(16)

    page.get_by_test_id("bank-A").click()
    kit.choose("A2")
    page.get_by_test_id("inspector").get_by_test_id("suggest").click()
    suggestion = page.get_by_test_id("suggestion").first
    expect(suggestion.locator(".suggestion-reason")).to_have_text(re.compile(r"\w+ \w+"))
    wanted = suggestion.locator(".suggestion-name").inner_text()
    suggestion.get_by_test_id("put-suggestion").click()
    expect(kit.name("A2")).to_have_text(wanted)

    finished = kit.api()["pads"]
    steps = 0
    while page.get_by_test_id("undo").is_enabled():
        before = kit.api()["revision"]
        page.get_by_test_id("undo").click()
        until(lambda before=before: kit.api()["revision"] != before)  # type: ignore[misc]
        page.wait_for_timeout(100)
        steps += 1
    assert kit.api()["pads"] == []
    expect(page.locator(".pad.lit")).to_have_count(0)
    for _ in range(steps):
        before = kit.api()["revision"]
        page.get_by_test_id("redo").click()
        until(lambda before=before: kit.api()["revision"] != before)  # type: ignore[misc]
    expect(page.get_by_test_id("redo")).to_be_disabled()
    assert contents(kit.api()["pads"]) == contents(finished)

    page.reload()
    kit.expect_names(A1=KIT[0], A2=wanted, A13=KIT[3])
    other = PadPage(context.new_page(), kit.project).open()
    other.expect_names(A1=KIT[0], A2=wanted, A13=KIT[3])


def contents(pads: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return pads without their revisions, which undo and redo count on."""
    return [{name: value for name, value in pad.items() if name != "revision"} for pad in pads]


def test_a_change_in_one_tab_is_seen_in_the_other(kit: PadPage, context: BrowserContext) -> None:
    other = PadPage(context.new_page(), kit.project).open()
    kit.drag(kit.face("A1"), kit.face("A8"))
    other.expect_names(A8="Velvet Kick", A1="")
    other.page.get_by_test_id("undo").click()
    kit.expect_names(A1="Velvet Kick", A8="")


def test_several_selected_sounds_fill_onward_and_replace_nothing(kit: PadPage) -> None:
    kit.row("Low Tom").click(modifiers=["Control"])
    kit.row("Side Stick").click(modifiers=["Control"])
    kit.row("Studio Clap").click(modifiers=["Control"])
    kit.drag(kit.row("Side Stick"), kit.face("A2"))
    expect(kit.page.locator(".pad.lit")).to_have_count(6)
    kit.expect_names(A1="Velvet Kick", A2="Paper Snare", A3="Tight Hat")
    added = {kit.name(key).inner_text() for key in ("A4", "A5", "A6")}
    assert added == {"Low Tom", "Side Stick", "Studio Clap"}
    kit.page.get_by_test_id("undo").click()  # one step
    expect(kit.page.locator(".pad.lit")).to_have_count(3)


def test_dragging_a_pad_swaps_alt_copies_and_escape_cancels(kit: PadPage) -> None:
    page = kit.page
    kit.drag(kit.face("A1"), kit.face("A2"))
    kit.expect_names(A1="Paper Snare", A2="Velvet Kick")

    kit.drag(kit.face("A1"), kit.face("A6"), drops=False)
    page.keyboard.down("Alt")
    expect(page.get_by_test_id("pads")).to_have_attribute("data-copy", "true")
    page.mouse.up()
    page.keyboard.up("Alt")
    kit.expect_names(A1="Paper Snare", A6="Paper Snare")

    until(lambda: "Copy A1 to A6" in kit.undo_label())  # the pads show it before the answer
    label = kit.undo_label()
    kit.drag(kit.face("A1"), kit.face("A9"), drops=False)
    expect(page.locator(".drag-ghost")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)
    kit.expect_names(A1="Paper Snare", A9="")
    assert kit.undo_label() == label


def test_a_drag_over_a_bank_opens_it(kit: PadPage) -> None:
    page = kit.page
    kit.drag(kit.face("A2"), page.get_by_test_id("bank-C"), drops=False)
    expect(kit.pad("C7")).to_be_visible()
    page.mouse.move(*pad_page.centre_of(kit.face("C7")), steps=5)
    page.mouse.up()
    kit.expect_names(C7="Paper Snare")
    page.get_by_test_id("bank-A").click()
    kit.expect_names(A1="Velvet Kick", A2="", A3="Tight Hat")


def test_pads_are_chosen_copied_cut_cleared_and_undone_by_keys(kit: PadPage) -> None:
    page = kit.page
    kit.face("A1").focus()
    for key, chosen in (("ArrowRight", "A2"), ("ArrowDown", "A6"), ("ArrowLeft", "A5")):
        page.keyboard.press(key)
        expect(kit.face(chosen)).to_be_focused()
        expect(kit.pad(chosen)).to_have_class(re.compile("chosen"))
    page.keyboard.press("ArrowUp")
    expect(kit.pad("A1")).to_have_class(re.compile("chosen"))
    page.keyboard.press("Control+c")
    page.keyboard.press("ArrowDown")
    expect(kit.pad("A5")).to_have_class(re.compile("chosen"))
    page.keyboard.press("Control+v")
    kit.expect_names(A1="Velvet Kick", A5="Velvet Kick")
    page.keyboard.press("Control+x")
    page.keyboard.press("ArrowRight")
    expect(kit.pad("A6")).to_have_class(re.compile("chosen"))
    page.keyboard.press("Control+v")
    kit.expect_names(A5="", A6="Velvet Kick")
    page.keyboard.press("Delete")
    kit.expect_names(A6="")
    page.keyboard.press("Control+z")
    kit.expect_names(A6="Velvet Kick")
    page.keyboard.press("Control+Shift+z")
    kit.expect_names(A6="")
    page.keyboard.press("Control+z")
    kit.expect_names(A6="Velvet Kick")
    page.keyboard.press("Control+y")
    kit.expect_names(A6="")
    page.keyboard.press("PageDown")
    expect(kit.pad("B1")).to_be_visible()
    page.keyboard.press("PageUp")
    expect(kit.pad("A1")).to_be_visible()


def test_the_search_is_reached_by_a_key_and_enter_fills_the_next_free_pad(kit: PadPage) -> None:
    page = kit.page
    kit.choose("A2")
    page.keyboard.press("/")
    search = page.get_by_test_id("search")
    expect(search).to_be_focused()
    page.keyboard.type("clap")
    expect(page.get_by_test_id("drawer").get_by_test_id("name")).to_have_text(["Studio Clap"])
    page.keyboard.press("Enter")
    expect(page.locator(".player-name")).to_have_text("Studio Clap")
    page.keyboard.press("Enter")
    kit.expect_names(A4="Studio Clap")


def test_a_double_click_on_plus_fills_one_pad_and_two_clicks_fill_two(kit: PadPage) -> None:
    put = kit.row("Studio Clap").get_by_test_id("put-next")
    put.dblclick()
    kit.expect_names(A4="Studio Clap")
    kit.row("Low Tom").get_by_test_id("put-next").click()
    kit.expect_names(A4="Studio Clap", A5="Low Tom", A6="")
    kit.row("Side Stick").get_by_test_id("put-next").focus()
    for _ in range(4):  # held: Playwright repeats a key that is down
        kit.page.keyboard.down("Enter")
    kit.page.keyboard.up("Enter")
    kit.expect_names(A6="Side Stick", A7="")
    kit.row("Low Tom").get_by_test_id("put-next").click()
    kit.expect_names(A6="Side Stick", A7="Low Tom")


def test_number_keys_in_the_list_rate_and_do_not_play(kit: PadPage) -> None:
    page = kit.page
    page.get_by_test_id("table").focus()
    page.keyboard.press("ArrowDown")
    first = page.get_by_test_id("drawer").get_by_test_id("name").first
    name = first.inner_text()
    expect(page.locator(".player-name")).to_have_text(name)
    page.keyboard.press("1")

    def is_rated() -> bool:
        found = page.request.get("/api/samples?limit=100").json()["samples"]
        return any(each["rating"] == 1 for each in found if each["name"] == name)

    until(is_rated)
    page.keyboard.press("q")
    page.wait_for_timeout(150)
    assert kit.playing() == []


def test_typing_a_name_does_not_play(kit: PadPage) -> None:
    kit.choose("A1")
    kit.stop()
    field = kit.page.get_by_test_id("pad-name")
    field.click()
    field.fill("")
    heard = []
    for letter in "1qaz":
        kit.page.keyboard.down(letter)
        kit.page.wait_for_timeout(60)
        heard += kit.playing()
        kit.page.keyboard.up(letter)
    expect(field).to_have_value("1qaz")
    assert heard == []


@pytest.mark.parametrize("way", ["button", "right click", "keys"])
def test_the_menu_of_a_pad_opens_and_acts(kit: PadPage, way: str) -> None:
    page = kit.page
    if way == "button":
        kit.pad("A2").hover()
        page.get_by_test_id("pad-menu-A2").click()
        page.get_by_test_id("menu-clear").click()
        kit.expect_names(A2="")
    elif way == "right click":
        kit.face("A2").click(button="right")
        page.get_by_test_id("menu-copy").click()
        kit.face("A7").click(button="right")
        page.get_by_test_id("menu-paste").click()
        kit.expect_names(A2="Paper Snare", A7="Paper Snare")
    else:
        kit.face("A2").focus()
        page.keyboard.press("Shift+F10")
        expect(page.get_by_test_id("menu-play")).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.get_by_test_id("menu-rename")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("pad-menu")).to_have_count(0)
        expect(kit.face("A2")).to_be_focused()


def test_a_chosen_pad_is_reached_by_tab_in_every_bank(kit: PadPage) -> None:
    for bank in "AB":
        kit.page.get_by_test_id(f"bank-{bank}").click()
        expect(kit.pad(f"{bank}1")).to_be_visible()
        expect(kit.page.locator(".pad-face[tabindex='0']")).to_have_count(1)


def test_an_unknown_project_is_not_found(kit: PadPage) -> None:
    for wrong in ("0197a000-0000-7000-8000-000000000000", "x"):
        kit.page.goto(f"/projects/{wrong}")
        expect(kit.page.get_by_test_id("missing")).to_contain_text("Project not found")
