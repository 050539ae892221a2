"""The pad sheet: what it says of each pad, and that it is drawn the same every time."""

import hashlib
import io
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from sp404_app.devices.capabilities import MK2, SX, DeviceKind
from sp404_app.models import Sample
from sp404_app.models.columns import now
from sp404_app.services.cards.pad_sheet import Sheet, create_sheet, pad_options
from sp404_app.services.cards.pad_sheet_layout import (
    HEIGHT,
    WIDTH,
    Box,
    Text,
    channels,
    ink_on,
    lay_out,
)
from sp404_app.services.cards.pad_sheet_pdf import draw_pdf
from sp404_app.services.cards.pad_sheet_png import SCALE, draw_png
from sp404_app.services.cards.pad_sheet_text import Font, drawable, shorten, text_width, wrap
from sp404_app.services.projects.kit import Kit, PadContent
from tests.services.projects.kits import content, kit_with, sound

LETTER_WIDTH = 792.0
PRINTER_MARGIN = 18.0
COLOURS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def samples_of(kit: Kit, **fields: object) -> dict:
    """Return a measured sample for each pad of a kit."""
    return {pad.sample_id: sample_with(pad, **fields) for pad in kit.pads.values()}


def sample_with(pad: PadContent, **fields: object) -> Sample:
    sample = sound()
    measured = {"id": pad.sample_id, "bpm": 92.04, "key": "A minor", "thumbnail": "_" * 48}
    for name, value in (measured | fields).items():
        setattr(sample, name, value)
    return sample


def sheet_of(kit: Kit, **fields: object) -> Sheet:
    return create_sheet(kit, samples_of(kit, **fields))


def page_text(pdf: bytes, page: int = 0) -> str:
    return PdfReader(io.BytesIO(pdf)).pages[page].extract_text()


def test_a_pad_is_listed_with_tempo_key_and_length() -> None:
    pad = content("Rhodes Ä", start=24_000)
    (found,) = sheet_of(kit_with(B3=pad)).banks[1].pads
    assert (found.number, found.name, found.device_name) == (3, "Rhodes Ä", "Rhodes A")
    assert (found.bpm, found.key, found.length) == ("92", "Am 8A", "1.50 s")
    assert found.problem == ""


def test_tempo_and_key_are_those_at_which_the_pad_plays() -> None:
    pad = content(vinyl=True, pitch=3, speed=118.92)
    (found,) = sheet_of(kit_with(A1=pad)).banks[0].pads
    assert (found.bpm, found.key) == ("109.5", "Cm 5A")
    synced = sheet_of(kit_with(A1=content(bpm_sync=True))).banks[0].pads[0]
    assert synced.bpm == "90"


def test_a_bank_has_its_own_tempo_if_the_project_says_so() -> None:
    kit = kit_with()
    banks = tuple(dict(bank) | {"tempo": 141.5} for bank in kit.banks)
    assert sheet_of(replace(kit, banks=banks)).banks[4].tempo == "90"
    own = replace(kit, banks=banks, tempo_source="bank")
    assert sheet_of(own).banks[4].tempo == "141.5"


@pytest.mark.parametrize(
    ("settings", "badges"),
    [
        ({}, ("GATE",)),
        ({"gate": False}, ()),
        ({"gate": False, "one_shot": True}, ("ONE-SHOT",)),
        ({"loop": True, "play_mode": "reverse"}, ("GATE", "LOOP", "REVERSE")),
        ({"play_mode": "ping_pong"}, ("GATE", "PING-PONG")),
        ({"play_mode": "reverse_ping_pong"}, ("GATE", "REVERSE", "PING-PONG")),
        ({"mute_group": 3, "pad_link": 2}, ("GATE", "MUTE 3", "LINK 2")),
        ({"bus": "2"}, ("GATE", "BUS 2")),
        ({"bus": "dry", "bpm_sync": True}, ("GATE", "DRY", "SYNC")),
    ],
)
def test_options_are_badges(settings: dict, badges: tuple[str, ...]) -> None:
    assert pad_options(content(**settings), DeviceKind.MK2) == badges


def test_an_sx_has_only_the_badges_that_it_stores() -> None:
    pad = content(mute_group=3, bus="2", bpm_sync=True, lofi=True)
    assert pad_options(replace(pad, chops=(1, 2)), DeviceKind.SX) == ("GATE", "2 CHOPS", "LO-FI")


def test_a_pad_without_sound_says_why() -> None:
    kit = kit_with(A1=content())
    assert create_sheet(kit, {}).banks[0].pads[0].problem == "Sound missing"
    assert sheet_of(kit, deleted_at=now()).banks[0].pads[0].problem == "In the trash"


@pytest.mark.parametrize(
    ("seconds", "length"), [(0.05, "0.05 s"), (12.34, "12.3 s"), (90, "1:30"), (719.7, "12:00")]
)
def test_lengths(seconds: float, length: str) -> None:
    pad = replace(content(), frames=round(seconds * 48_000))
    assert sheet_of(kit_with(A1=pad)).banks[0].pads[0].length == length


def test_an_unknown_length_is_left_out() -> None:
    assert sheet_of(kit_with(A1=replace(content(), frames=None))).banks[0].pads[0].length == ""


def test_the_pdf_has_a_page_for_each_bank_with_pads() -> None:
    pdf = draw_pdf(sheet_of(kit_with(A1=content("Kick"), C7=content("Snare"), J16=content("Hat"))))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) == 3
    assert [name in page for name, page in zip(("Kick", "Snare", "Hat"), pages, strict=True)]
    assert "2 / 3" in pages[1]
    assert "1 of 16 pads" in pages[1]


def test_one_bank_can_be_printed_alone_even_if_it_is_empty() -> None:
    sheet = sheet_of(kit_with(A1=content("Kick"), C7=content("Snare")))
    assert "Snare" in page_text(draw_pdf(sheet, "C"))
    assert "0 of 16 pads" in page_text(draw_pdf(sheet, "D"))
    assert len(PdfReader(io.BytesIO(draw_pdf(sheet, "D"))).pages) == 1


def test_a_project_without_pads_has_the_page_of_bank_a() -> None:
    (page,) = lay_out(sheet_of(kit_with()))
    assert page.outline == "Bank A"


def test_pads_are_in_the_order_of_the_device() -> None:
    for device in (MK2, SX):
        names = {f"A{n}": content(f"P{n}x") for n in range(1, device.pads_per_bank + 1)}
        (page,) = lay_out(sheet_of(kit_with(device, **names)))
        where = {text.text: (text.y, text.x) for text in page.texts}
        in_order = sorted(names, key=lambda key: where[f"P{key[1:]}x"])
        assert in_order == list(names)
        rows = {y for text, (y, _) in where.items() if text.endswith("x")}
        assert len(rows) == device.pads_per_bank // 4


def test_the_file_says_what_it_is_and_has_no_date() -> None:
    pdf = draw_pdf(sheet_of(kit_with(A1=content())))
    found = PdfReader(io.BytesIO(pdf)).metadata
    assert found is not None
    assert (found.title, found.author) == ("Kit – pads", "Crate 404")
    assert found.creation_date is None or found.creation_date.year == 2000


DIGESTS = """
import hashlib
from tests.services.cards.test_pad_sheet import same_sheet
from sp404_app.services.cards.pad_sheet_pdf import draw_pdf
from sp404_app.services.cards.pad_sheet_png import draw_png
sheet = same_sheet()
print(hashlib.sha256(draw_pdf(sheet) + draw_png(sheet, "A")).hexdigest())
"""


def same_sheet() -> Sheet:
    """Return a sheet that is equal in every process."""
    return sheet_of(kit_with(A1=content("Кick ドラム"), B2=content(loop=True, mute_group=2)))


def test_a_sheet_gives_the_same_bytes_in_any_time_zone_and_hash_seed() -> None:
    sheet = same_sheet()
    expected = hashlib.sha256(draw_pdf(sheet) + draw_png(sheet, "A")).hexdigest()
    for zone, seed in (("Pacific/Auckland", "1"), ("America/New_York", "2")):
        environment = os.environ | {
            "TZ": zone,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(Path.cwd()),
        }
        command = [sys.executable, "-c", DIGESTS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


def full_kit(name: str) -> Kit:
    """Return a kit with every badge and the longest names on all 160 pads."""
    busy = {
        "loop": True, "play_mode": "reverse_ping_pong", "mute_group": 10, "pad_link": 10,
        "bus": "dry", "bpm_sync": True,
    }  # fmt: skip
    pad = replace(content(name, **busy), chops=tuple(range(16)), frames=16 * 60 * 48_000)
    return replace(
        kit_with(**{f"{bank}{n}": pad for bank in "ABCDEFGHIJ" for n in range(1, 17)}), name=name
    )


@pytest.mark.parametrize("name", ["W" * 200, "a b " * 50, "ドラムループ" * 30, "i", "⁉️", "Ж" * 200])
def test_everything_is_inside_of_what_a4_and_letter_print(name: str) -> None:
    left = (WIDTH - LETTER_WIDTH) / 2 + PRINTER_MARGIN
    pages = list(lay_out(sheet_of(full_kit(name))))
    assert len(pages) == 10
    for mark in (*pages[0].boxes, *pages[0].texts):
        width = mark.width if isinstance(mark, Box) else text_width(mark.text, mark.font, mark.size)
        assert left <= mark.x
        assert mark.x + width <= WIDTH - left
        top = mark.y if isinstance(mark, Box) else mark.y - mark.size
        bottom = mark.y + mark.height if isinstance(mark, Box) else mark.y
        assert top >= PRINTER_MARGIN
        assert bottom <= HEIGHT - PRINTER_MARGIN


@pytest.mark.parametrize("name", ["W" * 200, "a b " * 50, "ドラムループ" * 30])
def test_no_text_of_a_pad_touches_another(name: str) -> None:
    page = next(lay_out(sheet_of(full_kit(name))))
    columns: dict[float, list[Text]] = {}
    for text in page.texts:
        columns.setdefault(text.x, []).append(text)
    for texts in columns.values():
        for above, below in itertools.pairwise(texts):
            assert below.y - above.y >= below.size or below.y < above.y


@given(st.text(), st.sampled_from(Font), st.floats(20, 300))
def test_every_text_can_be_drawn_and_fits(text: str, font: Font, width: float) -> None:
    shown = drawable(text, font)
    lines = wrap(shown, font, 12, width)
    assert len(lines) <= 2
    for line in (*lines, shorten(shown, font, 12, width)):
        assert text_width(line, font, 12) <= width


def test_names_keep_their_letters_or_are_spelled_in_latin() -> None:
    assert drawable("Žluťoučký Ночь", Font.SANS) == "Žluťoučký Ночь"
    assert drawable("Ночь 🔥", Font.MONO) == "Noch' :fire:"
    assert drawable("ドラム", Font.SANS) == "doramu"
    assert drawable("\u202ee\u0301 \x00\n ok", Font.SANS) == "é ok"


def test_a_name_breaks_at_a_space_or_behind_a_hyphen() -> None:
    assert wrap("Rhodes Chord Cm9", Font.SANS, 12, 70) == ["Rhodes", "Chord Cm9"]
    assert wrap("Rhodes-Chordcm9", Font.SANS, 12, 70) == ["Rhodes-", "Chordcm9"]
    first, second = wrap("a" * 50, Font.SANS, 12, 70)
    assert second.endswith("…")
    assert len(first) > 5


@given(COLOURS)
def test_letters_on_any_colour_are_readable(colour: str) -> None:
    def luminance(name: str) -> float:
        red, green, blue = (
            each / 255 / 12.92 if each < 11 else ((each / 255 + 0.055) / 1.055) ** 2.4
            for each in channels(name)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(colour), luminance(ink_on(colour))))
    assert (high + 0.05) / (low + 0.05) >= 4  # WCAG asks 3 of large letters


def test_the_png_shows_the_same_page() -> None:
    sheet = sheet_of(kit_with(B1=content("Kick")))
    image = Image.open(io.BytesIO(draw_png(sheet, "B")))
    assert (image.size, image.mode) == ((2105, 1488), "RGB")
    page = next(lay_out(sheet, "B"))
    tile = page.boxes[0]
    corner = image.getpixel((round((tile.x + 8) * SCALE), round((tile.y + 8) * SCALE)))
    assert corner == channels(sheet.banks[1].colour)
    title = next(text for text in page.texts if text.text == "Kit")
    width = text_width("Kit", title.font, title.size)
    area = (title.x, title.y - title.size, title.x + width, title.y)
    letters = image.crop(tuple(round(edge * SCALE) for edge in area)).convert("L")
    assert letters.getextrema() == (pytest.approx(25, abs=2), 255)
