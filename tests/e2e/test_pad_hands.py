"""Hands on the pad page: what fast players hold, press and type goes to the pad that they mean."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_projects import create, upload

NAMES = ("Kick", "Snare", "Hat")
MIDI = "() => {{ Navigator.prototype.requestMIDIAccess = {}; }}"
LONG_TOUCH_MS = 900  # a browser asks for the menu after half a second
SETTLED_MS = 1500  # pads of other banks are read again after a change


class Kit:
    """A project with three sounds on A1 to A3, opened in a tab."""

    def __init__(self, page: Page, folder: Path) -> None:
        upload(page, folder, *NAMES)
        listed = page.request.get("/api/samples").json()["samples"]
        ids = {each["name"]: each["id"] for each in listed}
        self.page = page
        self.project = create(page, "Night set", sample_ids=[ids[name] for name in NAMES])

    def open(self) -> None:
        self.page.goto(f"/projects/{self.project}")
        for key in ("A1", "A2", "A3"):
            expect(self.page.get_by_test_id(f"pad-{key}")).to_have_attribute(
                "data-state", "ready", timeout=60_000
            )

    def change(self, key: str, **settings: Any) -> None:
        """Change settings of a pad through the API."""
        origin = "/".join(self.page.url.split("/")[:3])
        answer = self.page.request.put(
            f"/api/projects/{self.project}/pads/{key[0]}/{key[1:]}",
            data={"settings": settings},
            headers={"If-Match": "*", "Origin": origin},
        )
        assert answer.ok, answer.text()

    def face(self, key: str) -> Any:
        return self.page.get_by_test_id(f"pad-{key}").locator(".pad-face")

    def expect_playing(self, count: int) -> None:
        text = f"{count} PLAYING" if count else ""
        expect(self.page.locator(".screen-voices")).to_have_text(text)


@pytest.fixture
def kit(page: Page, outbox: Outbox, tmp_path: Path) -> Iterator[Kit]:
    """A new user's kit; any error on the page fails the test."""
    found: list[str] = []
    PageMonitor(page, found.append)
    people.sign_in(page, people.sign_up(page, outbox))
    yield Kit(page, tmp_path)
    assert found == []


def test_a_loop_goes_on_while_another_bank_is_opened(kit: Kit) -> None:
    kit.change("A1", loop=True, gate=False)
    kit.open()
    kit.page.keyboard.press("1")
    kit.expect_playing(1)
    kit.page.get_by_test_id("bank-B").click()
    expect(kit.page.get_by_test_id("pad-B1")).to_be_visible()
    kit.page.wait_for_timeout(SETTLED_MS)
    kit.expect_playing(1)
    kit.page.get_by_test_id("bank-A").click()
    expect(kit.page.get_by_test_id("pad-A1")).to_be_visible()
    kit.page.wait_for_timeout(SETTLED_MS)
    kit.expect_playing(1)
    kit.page.keyboard.press("1")
    kit.expect_playing(0)


def test_keys_act_on_the_focused_pad_at_once_and_end_what_they_began(kit: Kit) -> None:
    kit.change("A3", loop=True, gate=True)
    kit.open()
    kit.face("A1").focus()
    keyboard = kit.page.keyboard
    for _ in range(2):
        keyboard.press("ArrowRight")
    keyboard.down(" ")
    expect(kit.page.get_by_test_id("pad-A3")).to_have_class("pad lit chosen sounding")
    keyboard.press("Tab")  # the focus leaves the pad while its key is down
    keyboard.up(" ")
    kit.expect_playing(0)
    kit.face("A3").focus()
    keyboard.press("PageDown")
    expect(kit.face("B3")).to_be_focused()
    keyboard.press("?")
    expect(kit.page.get_by_role("dialog", name="Keys")).to_be_visible()
    keyboard.press("Escape")
    expect(kit.page.get_by_role("dialog", name="Keys")).to_have_count(0)
    expect(kit.face("B3")).to_be_focused()


def test_a_menu_opens_where_it_was_asked_for_and_gives_the_focus_back(kit: Kit) -> None:
    kit.open()
    kit.face("A2").click(button="right", position={"x": 30, "y": 40})
    menu, pad = kit.page.get_by_test_id("pad-menu"), kit.face("A2").bounding_box()
    place = menu.bounding_box()
    assert place
    assert pad
    assert abs(place["x"] - pad["x"] - 30) < 2
    menu.get_by_test_id("menu-copy").click()
    expect(kit.face("A2")).to_be_focused()
    kit.page.keyboard.press("ArrowDown")
    kit.page.keyboard.press("Control+v")
    expect(kit.page.get_by_test_id("pad-A6").locator(".pad-name")).to_have_text("Snare")


def test_learning_a_note_can_be_cancelled_and_says_that_midi_is_blocked(kit: Kit) -> None:
    kit.open()
    kit.page.evaluate(MIDI.format("() => new Promise(() => {})"))
    kit.face("A2").click(button="right")
    kit.page.get_by_test_id("menu-learn").click()
    note = kit.page.locator(".transport-note")
    expect(note).to_have_text("Play a note for pad A2.")
    kit.page.get_by_test_id("cancel-learning").click()
    expect(note).to_have_text("")
    refuse = "async () => { throw new DOMException('no', 'NotAllowedError'); }"
    kit.page.evaluate(MIDI.format(refuse))
    kit.face("A2").click(button="right")
    kit.page.get_by_test_id("menu-learn").click()
    expect(note).to_have_text("Your browser blocked MIDI. Allow it in the site settings.")


def test_a_name_goes_to_the_pad_that_it_was_typed_for(kit: Kit) -> None:
    kit.open()
    kit.face("A1").click()
    field = kit.page.get_by_test_id("pad-name")
    expect(field).to_have_value("Kick")
    field.fill("Boom")
    kit.face("A2").click()
    expect(kit.page.get_by_test_id("pad-A1").locator(".pad-name")).to_have_text("Boom")
    expect(field).to_have_value("Snare")
    expect(kit.page.get_by_test_id("pad-A2").locator(".pad-name")).to_have_text("Snare")


def test_a_finger_holds_a_pad_as_long_as_it_wants(kit: Kit) -> None:
    kit.change("A2", loop=True, gate=True)
    kit.open()
    box = kit.face("A2").bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = kit.page.context.new_cdp_session(kit.page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
    kit.expect_playing(1)
    kit.page.wait_for_timeout(LONG_TOUCH_MS)
    kit.expect_playing(1)
    expect(kit.page.get_by_test_id("pad-menu")).to_have_count(0)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    kit.expect_playing(0)
