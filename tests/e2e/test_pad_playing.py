"""Play pads in a browser by mouse, keys, fingers and MIDI; the pad page on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.e2e.pad_page import PadPage, PadUser, centre_of
from tests.e2e.waiting import until

FAKE_MIDI = Path(__file__).with_name("fake_midi.js")
NOTE_ON, NOTE_OFF = 0x90, 0x80
LOOPING = {"loop": True, "gate": False}
HOLD_MS = 500


@pytest.fixture
def looping(pad_user: PadUser, page: Page, pad_errors: list[str]) -> PadPage:
    """The pad page of a new project; A1, A2 and B1 loop until they are pressed again."""
    return open_looping(pad_user, page)


def open_looping(pad_user: PadUser, page: Page) -> PadPage:
    kit = PadPage.create(pad_user, page, ("Velvet Kick", "Paper Snare"))
    for key in ("A1", "A2"):
        kit.change(key, settings=LOOPING)
    kit.change("B1", sample_id=pad_user.samples["Open Hat"])
    kit.change("B1", settings=LOOPING)
    expect(page.locator(".badge-loop")).to_have_count(2)
    kit.expect_ready("A1", "A2")
    return kit


def expect_playing(kit: PadPage, *keys: str) -> None:
    until(lambda: kit.playing() == sorted(keys))


def test_a_gated_pad_sounds_while_it_is_held(kit: PadPage) -> None:
    page = kit.page
    kit.change("A1", settings={"loop": True, "gate": True})
    expect(kit.pad("A1").locator(".badge-loop")).to_be_visible()
    kit.expect_ready("A1")
    page.mouse.move(*centre_of(kit.face("A1")))
    page.mouse.down()
    expect_playing(kit, "A1")
    page.mouse.up()
    expect_playing(kit)
    page.keyboard.down("1")
    expect_playing(kit, "A1")
    page.keyboard.up("1")
    expect_playing(kit)


def test_keys_play_pads_by_their_place_on_the_keyboard(looping: PadPage) -> None:
    looping.face("A2").focus()
    looping.page.keyboard.press("1")
    expect_playing(looping, "A1")
    looping.page.keyboard.press("Escape")
    expect_playing(looping)
    swap = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{}',"
    swap += " code: 'Digit2', bubbles: true, cancelable: true }}))"
    looping.page.evaluate(swap.format("é"))  # as on a French keyboard
    expect_playing(looping, "A2")
    looping.stop()


def test_space_plays_the_chosen_pad(looping: PadPage) -> None:
    looping.face("A2").focus()
    expect(looping.pad("A2")).to_have_class(re.compile("chosen"))
    looping.page.keyboard.press("Space")
    expect_playing(looping, "A2")
    expect(looping.page.locator(".screen-voices")).to_have_text("1 PLAYING")
    looping.stop()


@pytest.mark.parametrize("gate", [True, False])
def test_b_stops_a_loop_that_it_started(looping: PadPage, gate: bool) -> None:
    looping.change("A1", settings={"gate": gate, "loop": True})
    looping.face("A1").focus()
    expect(looping.page.get_by_test_id("set-gate")).to_have_attribute(
        "aria-pressed", str(gate).lower()
    )
    looping.expect_ready("A1")
    looping.page.keyboard.press("b")  # the original
    looping.page.keyboard.press("b")
    expect_playing(looping, "A1")
    looping.page.keyboard.press("b")
    expect_playing(looping)


def test_arrow_keys_home_and_end_open_banks(looping: PadPage) -> None:
    page = looping.page
    page.get_by_test_id("bank-A").focus()
    for key, bank in (("ArrowRight", "B"), ("End", "J"), ("ArrowRight", "A"), ("ArrowLeft", "J")):
        page.keyboard.press(key)
        tab = page.get_by_test_id(f"bank-{bank}")
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(tab).to_have_attribute("tabindex", "0")
    page.keyboard.press("Home")
    expect(looping.pad("A1")).to_be_visible()


def test_keys_play_the_visible_bank(looping: PadPage) -> None:
    looping.page.get_by_test_id("bank-B").click()
    looping.expect_ready("B1")
    looping.page.keyboard.press("1")
    expect_playing(looping, "B1")
    looping.page.get_by_test_id("bank-A").click()
    expect(looping.page.locator(".screen-voices")).to_have_text("1 PLAYING")  # it goes on
    looping.stop()


def test_the_volume_and_the_help_are_reached(looping: PadPage) -> None:
    page = looping.page
    looping.face("A1").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("1")
    page.wait_for_timeout(150)
    assert looping.playing() == []  # a dialog is open
    page.get_by_test_id("close-help").click()
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    page.get_by_test_id("volume").fill("40")
    expect(page.get_by_test_id("volume")).to_have_value("40")


@pytest.fixture
def with_midi(pad_user: PadUser, context: BrowserContext, pad_errors: list[str]) -> PadPage:
    context.add_init_script(path=FAKE_MIDI)
    page = context.pages[0]
    kit = open_looping(pad_user, page)
    page.get_by_test_id("midi").click()
    expect(page.get_by_test_id("midi")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("midi")).to_have_attribute("title", "Sixteen pads")
    return kit


def send(kit: PadPage, status: int, note: int, velocity: int = 100) -> None:
    kit.page.evaluate("(bytes) => sendMidi(bytes)", [status, note, velocity])


def test_midi_channels_are_banks_and_notes_from_36_are_pads(with_midi: PadPage) -> None:
    send(with_midi, NOTE_ON, 36)
    expect_playing(with_midi, "A1")
    send(with_midi, NOTE_ON, 36, 0)  # note-off
    send(with_midi, NOTE_ON, 36)  # stops it: it toggles
    expect_playing(with_midi)

    voices = with_midi.page.locator(".screen-voices")

    def is_bank_b_playing() -> bool:  # its pads are read once MIDI is on
        send(with_midi, NOTE_ON + 1, 36)
        send(with_midi, NOTE_OFF + 1, 36)
        with_midi.page.wait_for_timeout(150)
        return voices.inner_text() == "1 PLAYING"

    until(is_bank_b_playing)
    assert with_midi.playing() == []  # no pad of the visible bank
    with_midi.stop()


def test_a_pad_learns_a_midi_note_and_keeps_it(with_midi: PadPage) -> None:
    page = with_midi.page
    with_midi.face("A2").click(button="right")
    page.get_by_test_id("menu-learn").click()
    expect(page.locator(".transport-note")).to_have_text("Play a note for pad A2.")
    send(with_midi, NOTE_ON + 9, 60)
    expect(page.locator(".transport-note")).to_have_text("")
    assert with_midi.playing() == []
    send(with_midi, NOTE_ON + 9, 60)
    expect_playing(with_midi, "A2")
    with_midi.stop()
    with_midi.open()
    with_midi.expect_ready("A1", "A2")
    page.get_by_test_id("midi").click()
    expect(page.get_by_test_id("midi")).to_have_attribute("aria-pressed", "true")
    send(with_midi, NOTE_ON + 9, 60)
    expect_playing(with_midi, "A2")
    with_midi.stop()
    page.get_by_test_id("forget-notes").click()
    expect(page.get_by_test_id("forget-notes")).to_have_count(0)
    send(with_midi, NOTE_ON + 9, 60)
    page.wait_for_timeout(150)
    assert with_midi.playing() == []


def test_a_refused_midi_permission_shows_a_sentence(kit: PadPage) -> None:
    kit.page.evaluate(
        "() => { Navigator.prototype.requestMIDIAccess ="
        " async () => { throw new DOMException('no', 'NotAllowedError'); }; }"
    )
    kit.page.get_by_test_id("midi").click()
    expect(kit.page.locator(".transport-note")).to_have_text(
        "Your browser blocked MIDI. Allow it in the site settings."
    )


@pytest.fixture
def phone(browser: Browser, base_url: str, pad_user: PadUser) -> Iterator[PadPage]:
    """The pad page with looping pads on a phone."""
    context = browser.new_context(
        base_url=base_url, viewport={"width": 390, "height": 844}, has_touch=True
    )
    context.set_default_timeout(15_000)
    kit = open_looping(pad_user, context.new_page())
    yield kit
    context.close()
    assert kit.problems == []


def touch(session: CDPSession, kind: str, **fingers: tuple[float, float]) -> None:
    """Send a touch event; in "touchEnd" the fingers are those that end."""
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers.values(), 1)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_several_fingers_play_at_once(phone: PadPage) -> None:
    for key in ("A1", "A2"):
        phone.change(key, settings={"loop": True, "gate": True})
    phone.page.wait_for_timeout(300)
    session = phone.page.context.new_cdp_session(phone.page)
    first, second = centre_of(phone.face("A1")), centre_of(phone.face("A2"))
    touch(session, "touchStart", first=first)
    touch(session, "touchStart", first=first, second=second)
    expect_playing(phone, "A1", "A2")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_playing(phone)


def test_a_finger_that_rests_moves_a_pad_and_opens_no_menu(phone: PadPage) -> None:
    session = phone.page.context.new_cdp_session(phone.page)
    (x, y), target = centre_of(phone.face("A1")), centre_of(phone.face("A6"))
    touch(session, "touchStart", first=(x, y))
    phone.page.wait_for_timeout(2 * HOLD_MS)
    expect(phone.page.get_by_test_id("pad-menu")).to_have_count(0)
    for part in (0.3, 0.6, 1.0):
        point = (x + part * (target[0] - x), y + part * (target[1] - y))
        touch(session, "touchMove", first=point)
    expect(phone.page.locator(".drag-ghost")).to_be_visible()
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.expect_names(A1="", A6="Velvet Kick")


def test_sounds_and_the_chosen_pad_open_as_sheets(phone: PadPage) -> None:
    page = phone.page
    drawer, inspector = page.get_by_test_id("drawer"), page.get_by_test_id("inspector")
    expect(drawer).not_to_be_visible()
    expect(inspector).not_to_be_visible()
    page.get_by_test_id("open-sounds").click()
    expect(drawer).to_be_in_viewport(ratio=0.9)
    phone.row("Studio Clap").get_by_test_id("put-next").click()
    phone.expect_names(A3="Studio Clap")
    page.get_by_test_id("open-pad").click()
    expect(drawer).not_to_be_visible()
    expect(inspector).to_be_in_viewport(ratio=0.9)
    expect(page.get_by_test_id("pad-name")).to_have_value("Studio Clap")
    page.get_by_test_id("open-pad").click()
    expect(inspector).not_to_be_visible()


def test_the_player_of_a_preview_is_below_the_sheet(phone: PadPage) -> None:
    page = phone.page
    page.get_by_test_id("open-sounds").click()
    phone.row("Studio Clap").locator(".mini-wave").tap()
    player, drawer = page.get_by_test_id("player"), page.get_by_test_id("drawer")
    expect(player).to_have_attribute("data-track", re.compile("."))
    page.wait_for_function(
        "([a, b]) => a.getBoundingClientRect().bottom <= b.getBoundingClientRect().top",
        arg=[drawer.element_handle(), player.element_handle()],
    )
    buttons = page.get_by_test_id("open-sounds").bounding_box()
    below = player.bounding_box()
    assert buttons
    assert below
    assert buttons["y"] + buttons["height"] <= below["y"]
    page.get_by_test_id("player-toggle").tap()


def test_nothing_is_wider_than_a_phone(phone: PadPage) -> None:
    wide = phone.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    for number in range(1, 17):
        expect(phone.pad(f"A{number}")).to_be_visible()
