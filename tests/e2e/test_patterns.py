"""The pad sheet and the patterns of a project on the pad page."""

import io
import re

import mido
import numpy as np
import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e.pad_page import PadPage, PadUser
from tests.e2e.seed_data import add_patterns
from tests.e2e.waiting import until
from tests.product import Product
from tests.services.cards.pattern_files import Hit, mk2_pattern

TEMPO = 120.0
FRAMES_PER_TICK = 48_000 * 60 / (TEMPO * 480)  # 50
BEAT = [Hit(0, "A1"), Hit(480, "A2", 90), Hit(960, "A1"), Hit(1200, "B1", 60), Hit(1440, "A2")]
LONG = [Hit(bar * 1920 + tick, "A3") for bar in range(4) for tick in range(0, 1920, 240)]
EMPTY_PAD = [Hit(0, "A1"), Hit(960, "J16")]


@pytest.fixture
def kit(
    pad_user: PadUser, page: Page, product: Product, pad_errors: list[str], recorder: None
) -> PadPage:
    """A project with sounds on A1 to A3 and B1, and four patterns, one of them broken."""
    kit = PadPage.create(pad_user, page, ("Velvet Kick", "Paper Snare", "Tight Hat"), tempo=TEMPO)
    kit.change("B1", sample_id=pad_user.samples["Studio Clap"])
    for key in ("A1", "A2", "A3", "B1"):
        kit.change(key, settings={"one_shot": True, "pan": 0})
    add_patterns(
        product, kit.project,
        p1=mk2_pattern(BEAT), p2=mk2_pattern(LONG, bars=4),
        p17=b"RIFF", p160=mk2_pattern(EMPTY_PAD),
    )  # fmt: skip
    kit.open()
    kit.expect_ready("A1", "A2", "A3")
    return kit


def open_patterns(kit: PadPage) -> None:
    kit.page.get_by_test_id("pads-menu").click()
    kit.page.get_by_test_id("open-patterns").click()
    expect(kit.page.get_by_test_id("pattern-grid")).to_be_visible()


def choose(kit: PadPage, name: str) -> None:
    kit.page.get_by_test_id(f"pattern-{name}").click()


def expect_state(kit: PadPage, state: str) -> None:
    expect(kit.page.get_by_test_id("play-pattern")).to_have_attribute("data-state", state)


def test_the_pad_sheet_is_saved_as_pdf_and_png(kit: PadPage) -> None:
    page = kit.page
    page.get_by_test_id("pads-menu").click()
    with page.expect_download() as pdf:
        page.get_by_test_id("sheet-pdf").click()
    assert pdf.value.suggested_filename == "Night shift pads.pdf"
    text = "".join(each.extract_text() for each in PdfReader(pdf.value.path()).pages)
    assert "Velvet Kick" in text
    assert "Studio Clap" in text
    page.get_by_test_id("bank-B").click()
    page.get_by_test_id("pads-menu").click()
    expect(page.get_by_test_id("sheet-png")).to_have_text("Pad sheet of bank B (PNG)")
    with page.expect_download() as png:
        page.get_by_test_id("sheet-png").click()
    assert png.value.suggested_filename == "Night shift pads B.png"
    assert png.value.path().read_bytes().startswith(b"\x89PNG")


def test_the_key_p_saves_the_pad_sheet(kit: PadPage) -> None:
    kit.face("A1").focus()
    with kit.page.expect_download() as pdf:
        kit.page.keyboard.press("p")
    assert pdf.value.suggested_filename.endswith(".pdf")


def test_a_project_without_patterns_offers_none(pad_user: PadUser, page: Page) -> None:
    kit = PadPage.create(pad_user, page, ("Velvet Kick",))
    page.get_by_test_id("pads-menu").click()
    expect(page.get_by_test_id("sheet-pdf")).to_be_visible()
    expect(page.get_by_test_id("open-patterns")).to_have_count(0)
    page.keyboard.press("Escape")
    kit.face("A1").focus()
    page.keyboard.press("t")
    page.wait_for_timeout(300)
    expect(page.get_by_test_id("patterns")).to_have_count(0)


def test_patterns_are_listed_with_length_and_pads(kit: PadPage) -> None:
    open_patterns(kit)
    page = kit.page
    expect(page.get_by_test_id("pattern-A1")).to_have_text(re.compile("A1.*1 bar.*A1A2B1"))
    expect(page.get_by_test_id("pattern-A2")).to_have_text(re.compile("4 bars.*A3"))
    expect(page.get_by_test_id("pattern-B1")).to_have_text(re.compile("Can’t be read"))
    choose(kit, "B1")
    expect(page.get_by_test_id("pattern-problem")).to_have_text(re.compile("not a pattern"))
    choose(kit, "J16")
    expect(page.locator(".pattern-silent")).to_have_text("1 pad without sound")
    expect(page.get_by_test_id("pattern-row-J16")).to_be_disabled()
    expect(page.get_by_test_id("pattern-row-A1")).to_have_text("A1Velvet Kick")


def test_a_pattern_plays_the_pads_at_their_frames(kit: PadPage) -> None:
    open_patterns(kit)
    kit.record()
    kit.page.get_by_test_id("play-pattern").click()
    expect_state(kit, "playing")
    frames = int(1200 * FRAMES_PER_TICK)
    heard = kit.recorded(frames)
    kit.stop()
    expected = np.zeros((frames, 2), np.float64)
    for hit in BEAT:
        start = int(hit.tick * FRAMES_PER_TICK)
        sound = kit.render(hit.pad)[: max(0, frames - start)] * (hit.velocity / 127) ** 2
        again = [h.tick for h in BEAT if h.pad == hit.pad and h.tick > hit.tick]
        last = int(again[0] * FRAMES_PER_TICK) - start if again else frames
        expected[start : start + len(sound)] += sound[:last] if last < len(sound) else sound
    assert np.abs(heard - np.clip(expected, -32768, 32767)).max() <= 2


def test_pads_light_up_and_the_playhead_moves(kit: PadPage) -> None:
    open_patterns(kit)
    page = kit.page
    page.get_by_test_id("play-pattern").click()
    expect(page.locator(".pad.sounding").first).to_be_visible()
    expect(page.locator(".pattern-row.sounding").first).to_be_visible()
    head = page.get_by_test_id("playhead")
    places = set()
    until(lambda: places.add(head.get_attribute("style")) or len(places) > 3)
    page.keyboard.press("Escape")
    expect_state(kit, "stopped")
    expect(head).to_be_hidden()
    expect(page.get_by_test_id("patterns")).to_be_visible()


def test_keys_open_play_stop_and_close(kit: PadPage) -> None:
    page = kit.page
    kit.face("A1").focus()
    page.keyboard.press("t")
    expect(page.get_by_test_id("patterns")).to_be_focused()
    expect(page.get_by_test_id("pattern-grid")).to_be_visible()
    page.keyboard.press("Space")
    expect_state(kit, "playing")
    page.get_by_test_id("pattern-A1").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("pattern-A2")).to_be_focused()
    expect(page.locator(".pattern-item.playing")).to_have_attribute(
        "data-testid", "pattern-A2"
    )  # it takes over
    page.keyboard.press("Space")
    expect_state(kit, "stopped")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_test_id("pattern-A1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("patterns")).to_have_count(0)
    kit.face("A1").focus()
    page.keyboard.press("t")
    expect(page.get_by_test_id("patterns")).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_test_id("patterns")).to_have_count(0)


def test_without_loop_the_pattern_ends(kit: PadPage) -> None:
    open_patterns(kit)
    page = kit.page
    page.get_by_test_id("loop-pattern").click()
    expect(page.get_by_test_id("loop-pattern")).to_have_attribute("aria-pressed", "false")
    page.get_by_test_id("play-pattern").click()
    expect_state(kit, "playing")
    expect_state(kit, "stopped")  # after two seconds


def test_stop_of_the_pads_ends_the_pattern(kit: PadPage) -> None:
    open_patterns(kit)
    kit.page.get_by_test_id("play-pattern").click()
    expect_state(kit, "playing")
    kit.page.get_by_test_id("stop-all").click()
    expect_state(kit, "stopped")
    kit.page.get_by_test_id("play-pattern").click()
    expect_state(kit, "playing")
    kit.page.get_by_test_id("close-patterns").click()
    expect(kit.page.get_by_test_id("patterns")).to_have_count(0)
    until(lambda: not kit.playing())


def test_a_row_plays_its_pad(kit: PadPage) -> None:
    open_patterns(kit)
    kit.page.get_by_test_id("pattern-row-A2").click()
    expect(kit.page.locator(".pad.sounding")).to_have_attribute("data-pad", "A2")


def test_a_new_tempo_is_shown_and_played(kit: PadPage) -> None:
    open_patterns(kit)
    page = kit.page
    page.get_by_test_id("play-pattern").click()
    expect_state(kit, "playing")
    page.get_by_test_id("project-tempo").fill("93.5")
    page.get_by_test_id("project-tempo").press("Enter")
    expect(page.locator(".pattern-facts")).to_contain_text("93.5 BPM")
    expect_state(kit, "playing")


def test_a_pattern_is_saved_as_midi(kit: PadPage) -> None:
    open_patterns(kit)
    with kit.page.expect_download() as midi:
        kit.page.get_by_test_id("pattern-midi").click()
    assert midi.value.suggested_filename == "Night shift pattern A1.mid"
    file = mido.MidiFile(file=io.BytesIO(midi.value.path().read_bytes()))
    assert file.length == pytest.approx(2.0)


def test_a_failed_request_offers_another_try(kit: PadPage) -> None:
    page = kit.page
    page.route("**/patterns", lambda route: route.fulfill(body=""))
    page.get_by_test_id("pads-menu").click()
    page.get_by_test_id("open-patterns").click()
    expect(page.get_by_role("alert").filter(has_text="Couldn’t load the patterns")).to_be_visible()
    page.unroute("**/patterns")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_test_id("pattern-grid")).to_be_visible()
