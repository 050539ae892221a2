"""The pads of a shared project: tabs of the banks, and the pads of each, to be played."""

import re
from typing import Final

from sp404_app.api.share_page.markup import Html, element
from sp404_app.api.share_page.sounds import mini_wave
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.services.sharing.shared_content import SharedBank, SharedPad, SharedProject

KEYS: Final = "1234QWERASDFZXCV"
COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
NO_COLOUR: Final = "#8d8a88"


def pad_player(project: SharedProject) -> Html:
    """Return the tabs and the pads of all banks that have some; the first bank is visible."""
    if not project.banks:
        return element("p", "This project has no pads yet.", class_="muted")
    return element(
        "section",
        element(
            "div",
            *(_tab(bank, is_open=index == 0) for index, bank in enumerate(project.banks)),
            class_="share-tabs",
            role="tablist",
            aria_label="Banks",
        ),
        *(_bank(project, bank, is_open=index == 0) for index, bank in enumerate(project.banks)),
        element(
            "div",
            element("p", "Play with the mouse, by touch, or with the keys 1234, QWER, ASDF, ZXCV."),
            element("button", "Stop", type="button", id="share-stop", class_="button small"),
            class_="share-pad-foot muted",
        ),
        class_="share-pads",
    )


def pad_data(project: SharedProject, path: str) -> dict[str, object]:
    """Return what the script needs to play the pads."""
    return {
        "id": path,
        "url": path,
        "rate": project.rate,
        "voices": project.voices,
        "padsPerBank": project.pads_per_bank,
        "defaults": dict(DEFAULTS),
        "pads": [
            {
                "key": pad.key,
                "version": pad.version,
                "frames": pad.frames,
                "channels": pad.channels,
                "settings": pad.settings,
            }
            for bank in project.banks
            for pad in bank.pads
        ],
    }


def _tab(bank: SharedBank, *, is_open: bool) -> Html:
    return element(
        "button",
        bank.letter,
        type="button",
        role="tab",
        class_="bank-tab dense on" if is_open else "bank-tab dense",
        style=_colour(bank),
        title=bank.name or None,
        aria_selected="true" if is_open else "false",
        aria_controls=f"bank-{bank.letter}",
        aria_label=f"Bank {bank.letter}",
        tabindex=0 if is_open else -1,
        data_bank=bank.letter,
    )


def _bank(project: SharedProject, bank: SharedBank, *, is_open: bool) -> Html:
    pads = {int(pad.key[1:]): pad for pad in bank.pads}
    kind = "pads" if project.pads_per_bank == len(KEYS) else "pads pads-sx"
    return element(
        "div",
        *(_pad(number, pads.get(number)) for number in range(1, project.pads_per_bank + 1)),
        id=f"bank-{bank.letter}",
        role="tabpanel",
        aria_label=f"Bank {bank.letter}",
        class_=kind,
        style=_colour(bank),
        hidden=not is_open,
        data_bank_panel=bank.letter,
    )


def _pad(number: int, pad: SharedPad | None) -> Html:
    top = element(
        "span",
        element("span", number, class_="pad-number"),
        element("kbd", KEYS[number - 1], class_="pad-key"),
        class_="pad-top",
    )
    if pad is None:
        return element(
            "div",
            element("div", top, class_="pad-face"),
            class_="pad empty-pad",
            aria_hidden="true",
        )
    face = element(
        "button",
        top,
        mini_wave(pad.bars, "pad-wave"),
        element("span", element("bdi", pad.name), class_="pad-name"),
        type="button",
        class_="pad-face",
        aria_label=f"Pad {pad.key}, {pad.name}",
        aria_pressed="false",
        data_pad=pad.key,
    )
    return element("div", face, class_="pad lit")


def _colour(bank: SharedBank) -> str:
    """Return the bank's colour as a style; anything that is no colour is replaced."""
    colour = bank.colour.lower()
    return f"--bank: {colour if COLOUR.fullmatch(colour) else NO_COLOUR}"
