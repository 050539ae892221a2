"""Pads played by the computer keyboard and by MIDI controllers."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.components.pad_page import Pads, PadServer, constant

FAKE_MIDI = """
window.midiAccess = {inputs: new Map(), outputs: new Map(), onstatechange: null};
window.addInput = (name, state = "connected") => {
  const input = Object.assign(new EventTarget(), {id: name, name, state, onmidimessage: null});
  input.send = (...data) => {
    const event = Object.assign(new Event("midimessage"), {data: Uint8Array.from(data)});
    input.onmidimessage?.(event);
  };
  midiAccess.inputs.set(name, input);
  midiAccess.onstatechange?.(new Event("statechange"));
  return input;
};
Navigator.prototype.requestMIDIAccess = async () => midiAccess;
"""
REFUSE_MIDI = """() => {
  Navigator.prototype.requestMIDIAccess = async () => { throw new DOMException("", "%s"); };
}"""


def playing(pads: Pads) -> set[str]:
    return set(pads.snapshot()["playing"])


def wait_playing(pads: Pads, *keys: str) -> None:
    pads.wait_for(
        "(keys) => [...engine.getSnapshot().playing].sort().join() === keys",
        ",".join(sorted(keys)),
    )


@pytest.fixture
def bank(pads: Pads) -> Pads:
    """Gated loops on all pads of bank A, and on B1 and B2."""
    for key in [f"A{number}" for number in range(1, 17)] + ["B1", "B2"]:
        pads.add(key, constant(4800, 100), one_shot=False, gate=True, loop=True)
    pads.open()
    pads.wait_ready("B1", "B2")
    pads.page.evaluate(
        """async () => {
          window.keys = await import("/pad_keys.js");
          window.compared = 0;
          keys.setKeyboard({bank: "A", padCount: 16, compare: () => { compared += 1; }});
          keys.setKeysActive(true);
          window.detach = keys.listenToKeys();
          document.querySelector("#grid").focus();
        }"""
    )
    return pads


def test_the_four_rows_of_keys_are_pads_1_to_16(bank: Pads) -> None:
    codes = bank.page.evaluate("keys.KEY_CODES")
    assert codes == [
        *("Digit1", "Digit2", "Digit3", "Digit4", "KeyQ", "KeyW", "KeyE", "KeyR"),
        *("KeyA", "KeyS", "KeyD", "KeyF", "KeyZ", "KeyX", "KeyC", "KeyV"),
    ]
    for number, code in enumerate(codes, start=1):
        bank.page.keyboard.down(code)
        wait_playing(bank, f"A{number}")
        bank.page.keyboard.up(code)
        wait_playing(bank)


def test_several_keys_sound_at_once_and_escape_stops_them(bank: Pads) -> None:
    for code in ("Digit1", "KeyQ", "KeyV"):
        bank.page.keyboard.down(code)
    wait_playing(bank, "A1", "A5", "A16")
    bank.page.keyboard.press("Escape")
    wait_playing(bank)


def test_a_held_key_does_not_start_its_pad_again(bank: Pads) -> None:
    bank.page.keyboard.down("KeyQ")
    wait_playing(bank, "A5")
    before = bank.page.evaluate("engine.padPosition('A5')")
    bank.page.evaluate("window.presses = 0; engine.subscribe(() => { presses += 1; })")
    bank.page.keyboard.down("KeyQ")  # an automatic repetition
    bank.page.wait_for_timeout(100)
    assert before is not None
    assert playing(bank) == {"A5"}
    bank.page.keyboard.up("KeyQ")
    wait_playing(bank)


@pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta", "Shift"])
def test_keys_with_a_modifier_do_not_play(bank: Pads, modifier: str) -> None:
    bank.page.keyboard.down(modifier)
    bank.page.keyboard.down("KeyX")
    bank.page.keyboard.up("KeyX")
    bank.page.keyboard.up(modifier)
    bank.page.wait_for_timeout(100)
    assert playing(bank) == set()


def test_keys_in_a_text_field_do_not_play(bank: Pads) -> None:
    bank.page.locator("#text").focus()
    bank.page.keyboard.type("1qaz")
    assert playing(bank) == set()
    assert bank.page.locator("#text").input_value() == "1qaz"


def test_keys_play_only_while_the_grid_has_focus(bank: Pads) -> None:
    bank.page.keyboard.down("KeyQ")
    wait_playing(bank, "A5")
    bank.page.evaluate("keys.setKeysActive(false)")
    wait_playing(bank)
    bank.page.keyboard.up("KeyQ")
    bank.page.keyboard.press("KeyW")
    assert playing(bank) == set()


def test_a_key_releases_the_pad_that_it_pressed_also_after_a_change_of_bank(bank: Pads) -> None:
    bank.page.keyboard.down("Digit1")
    wait_playing(bank, "A1")
    bank.page.evaluate("keys.setKeyboard({bank: 'B'})")
    bank.page.keyboard.down("Digit2")
    wait_playing(bank, "A1", "B2")
    bank.page.keyboard.up("Digit1")
    wait_playing(bank, "B2")
    bank.page.keyboard.up("Digit2")
    wait_playing(bank)


def test_an_sx_has_no_fourth_row(bank: Pads) -> None:
    bank.page.evaluate("keys.setKeyboard({padCount: 12})")
    assert bank.page.evaluate("keys.padOfCode('KeyF')") == "A12"
    assert bank.page.evaluate("keys.padOfCode('KeyZ')") is None


def test_b_compares_and_detached_keys_do_nothing(bank: Pads) -> None:
    bank.page.keyboard.press("KeyB")
    assert bank.page.evaluate("compared") == 1
    bank.page.evaluate("detach()")
    bank.page.keyboard.press("KeyB")
    assert bank.page.evaluate("compared") == 1


# MIDI


@pytest.fixture
def controller(bank: Pads) -> Pads:
    bank.page.evaluate(FAKE_MIDI)
    bank.page.evaluate(
        """() => {
          window.saved = [];
          midi.onMapping((mapping) => saved.push(mapping));
          window.input = addInput("Grid 16");
          return midi.enableMidi();
        }"""
    )
    return bank


def send(pads: Pads, *data: int) -> None:
    pads.page.evaluate("(data) => input.send(...data)", data)


def midi_state(pads: Pads) -> dict[str, Any]:
    return pads.snapshot()["midi"]


def test_channels_are_banks_and_notes_are_pads(controller: Pads) -> None:
    assert midi_state(controller)["state"] == "on"
    assert midi_state(controller)["devices"] == ["Grid 16"]
    send(controller, 0x90, 36, 100)
    wait_playing(controller, "A1")
    send(controller, 0x90, 51, 100)
    send(controller, 0x91, 37, 100)
    wait_playing(controller, "A1", "A16", "B2")
    send(controller, 0x80, 36, 0)
    send(controller, 0x90, 51, 0)  # note-on with velocity 0 is note-off
    send(controller, 0x81, 37, 64)
    wait_playing(controller)


@pytest.mark.parametrize(
    "data", [(0x90, 35, 9), (0x90, 52, 9), (0x9A, 36, 9), (0xB0, 36, 9), (0xF8,), ()]
)
def test_other_messages_play_nothing(controller: Pads, data: tuple[int, ...]) -> None:
    send(controller, *data)
    controller.page.wait_for_timeout(100)
    assert playing(controller) == set()


def test_a_pad_learns_its_note(controller: Pads) -> None:
    controller.page.evaluate("midi.learnPad('A7')")
    assert midi_state(controller)["learning"] == "A7"
    send(controller, 0x99, 60, 100)
    assert midi_state(controller)["learning"] is None
    assert midi_state(controller)["mapping"] == {"10:60": "A7"}
    assert playing(controller) == set()  # the learned note itself does not play
    send(controller, 0x99, 60, 100)
    wait_playing(controller, "A7")
    send(controller, 0x89, 60, 0)
    controller.page.evaluate("midi.learnPad('A7')")
    send(controller, 0x90, 36, 100)
    assert midi_state(controller)["mapping"] == {"1:36": "A7"}
    assert controller.page.evaluate("saved") == [{"10:60": "A7"}, {"1:36": "A7"}]
    controller.page.evaluate("midi.forgetNotes()")
    assert controller.page.evaluate("saved.at(-1)") == {}
    wait_playing(controller)


def test_a_stored_mapping_is_checked(controller: Pads) -> None:
    stored = {"1:36": "A2", "0:36": "A1", "1:128": "A1", "1:37": "K1", "x": "A1", "2:1": 7}
    controller.page.evaluate("(stored) => midi.setMapping(stored)", stored)
    assert midi_state(controller)["mapping"] == {"1:36": "A2"}
    controller.page.evaluate("midi.setMapping(null)")
    assert midi_state(controller)["mapping"] == {}


def test_controllers_come_and_go(controller: Pads) -> None:
    controller.page.evaluate("window.second = addInput('Keys 25')")
    assert midi_state(controller)["devices"] == ["Grid 16", "Keys 25"]
    controller.page.evaluate("second.send(0x90, 40, 99)")
    wait_playing(controller, "A5")
    controller.page.evaluate(
        "second.state = 'disconnected'; midiAccess.onstatechange(new Event('statechange'))"
    )
    wait_playing(controller)
    assert midi_state(controller)["devices"] == ["Grid 16"]


def test_a_soft_note_is_quieter(controller: Pads) -> None:
    controller.record()
    send(controller, 0x90, 36, 64)
    wait_playing(controller, "A1")
    controller.wait_heard(20)
    assert controller.recorded()[10, 0] == round(100 * (64 / 127) ** 2)


@pytest.mark.parametrize(
    ("script", "state", "sentence"),
    [
        (
            REFUSE_MIDI % "NotAllowedError",
            "refused",
            "Your browser blocked MIDI. Allow it in the site settings.",
        ),
        (
            REFUSE_MIDI % "InvalidStateError",
            "failed",
            "MIDI didn’t start. Close other programs that use your controller and try again.",
        ),
        (
            "delete Navigator.prototype.requestMIDIAccess",
            "unsupported",
            "Your browser has no MIDI. Use Chrome, Edge or Firefox.",
        ),
        (
            "Object.defineProperty(window, 'isSecureContext', {value: false})",
            "unsupported",
            "MIDI needs a secure connection. Open this page with https://.",
        ),
    ],
)
def test_without_midi_the_user_is_told_why(
    pads: Pads, script: str, state: str, sentence: str
) -> None:
    pads.page.evaluate(script)
    pads.page.evaluate("midi.enableMidi()")
    assert midi_state(pads)["state"] == state
    assert midi_state(pads)["error"] == sentence


def test_a_refusal_of_this_browser_leads_to_a_sentence(
    pad_browser: Browser, pad_server: PadServer
) -> None:
    page = pad_browser.new_page()
    page.goto(pad_server.url)
    page.wait_for_function("() => Boolean(window.midi)")
    page.evaluate("midi.enableMidi()")
    assert "blocked MIDI" in Pads(page, pad_server).snapshot()["midi"]["error"]
    page.close()
