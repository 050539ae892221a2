"""Where everything is on a page of the pad sheet, in points from the top left corner.

The page is A4 landscape. All content is inside of what US Letter and A4 have in common, less the
margin that printers need, so it prints on both without scaling.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sp404_app.devices.capabilities import PAD_COLUMNS
from sp404_app.services.cards.pad_sheet import Sheet, SheetBank, SheetPad
from sp404_app.services.cards.pad_sheet_text import Font, drawable, shorten, text_width, wrap

WIDTH, HEIGHT = 841.89, 595.28
LEFT, RIGHT, TOP, BOTTOM = 46.0, 796.0, 33.0, 564.0
GRID_TOP, GRID_BOTTOM, GAP = 103.0, 549.0, 8.0
PADDING = 8.0
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CAP_HEIGHT = 0.71  # of the fonts, in parts of their size

INK, SOFT, FAINT, LINE, PAPER = "#1b1917", "#5f5a55", "#a09a93", "#d9d3cb", "#ffffff"
TINT, WAVE_SHADE = 0.07, 0.12  # parts of a bank's colour in a pad, and of black in its waveform
DARK_BELOW = 0.2  # luminance below which a colour needs white letters


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with round corners; `fill` and `stroke` are colours, or empty for none."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    fill: str = ""
    stroke: str = ""
    line: float = 0.0


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, its left end and baseline, in characters that its font has."""

    x: float
    y: float
    text: str
    font: Font
    size: float
    colour: str = INK


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows; texts lie above boxes. `outline` names it in the PDF."""

    outline: str
    boxes: tuple[Box, ...]
    texts: tuple[Text, ...]


Mark = Box | Text


def lay_out(sheet: Sheet, bank: str = "") -> Iterator[Page]:
    """Yield the page of one bank, or a page for each bank with pads."""
    printed = sheet.printed_banks(bank)
    for number, each in enumerate(printed, 1):
        place = f"{number} / {len(printed)}" if len(printed) > 1 else ""
        marks = [*_header(sheet, each), *_grid(sheet, each), *_footer(sheet, place)]
        yield Page(
            f"Bank {each.letter}",
            tuple(mark for mark in marks if isinstance(mark, Box)),
            tuple(mark for mark in marks if isinstance(mark, Text)),
        )


def _header(sheet: Sheet, bank: SheetBank) -> Iterator[Mark]:
    """Yield the bank's letter, the project with its tempo, and which banks are in use."""
    side = 56.0
    yield Box(LEFT, TOP, side, side, 9, fill=bank.colour)
    yield _centred(bank.letter, LEFT, TOP, side, 38, Font.SANS, ink_on(bank.colour))
    yield from _banks_in_use(sheet, bank)
    left, width = LEFT + side + 16, RIGHT - LEFT - side - 16 - 244
    title = drawable(sheet.project, Font.SANS) or "Untitled"
    yield Text(left, TOP + 27, shorten(title, Font.SANS, 24, width), Font.SANS, 24)
    name = drawable(bank.name, Font.MONO)
    named = "" if name in {"", bank.letter} else name
    facts = [sheet.device.title, f"{bank.tempo} BPM", named]
    line = "  ·  ".join(fact for fact in facts if fact)
    yield Text(left, TOP + 48, shorten(line, Font.MONO, 10, width), Font.MONO, 10, SOFT)


def _banks_in_use(sheet: Sheet, current: SheetBank) -> Iterator[Mark]:
    side, gap = 19.0, 4.0
    left = RIGHT - len(sheet.banks) * (side + gap) + gap
    for index, bank in enumerate(sheet.banks):
        x = left + index * (side + gap)
        colour = bank.colour if bank.pads else PAPER
        stroke = colour if bank.pads else LINE
        yield Box(x, TOP + 6, side, side, 4, colour, stroke, 0.8)
        ink = ink_on(bank.colour) if bank.pads else FAINT
        yield _centred(bank.letter, x, TOP + 6, side, 9, Font.MONO, ink)
        if bank == current:
            yield Box(x, TOP + 28.5, side, 2.2, 1.1, fill=INK)
    count = f"{len(current.pads)} of {sheet.device.pads_per_bank} pads"
    yield _right(count, RIGHT, TOP + 48, 8.5, SOFT)


def _grid(sheet: Sheet, bank: SheetBank) -> Iterator[Mark]:
    """Yield the pads in the order of the device, its first pad at the top left."""
    rows = sheet.device.pads_per_bank // PAD_COLUMNS
    width = (RIGHT - LEFT + GAP) / PAD_COLUMNS - GAP
    height = (GRID_BOTTOM - GRID_TOP + GAP) / rows - GAP
    pads = {pad.number: pad for pad in bank.pads}
    for index in range(sheet.device.pads_per_bank):
        row, column = divmod(index, PAD_COLUMNS)
        area = Box(LEFT + column * (width + GAP), GRID_TOP + row * (height + GAP), width, height, 8)
        pad = pads.get(index + 1)
        yield from _pad(area, pad, bank.colour) if pad else _empty_pad(area, index + 1)


def _empty_pad(area: Box, number: int) -> Iterator[Mark]:
    yield Box(area.x, area.y, area.width, area.height, area.radius, stroke=LINE, line=0.8)
    side = 21.0
    x, y = area.x + PADDING, area.y + PADDING
    yield _centred(str(number), x, y, side, 11, Font.MONO, FAINT)


def _pad(area: Box, pad: SheetPad, colour: str) -> Iterator[Mark]:
    fill, stroke = (PAPER, FAINT) if pad.problem else (mix(PAPER, colour, TINT), INK)
    yield Box(area.x, area.y, area.width, area.height, area.radius, fill, stroke, 0.9)
    side, x, right = 21.0, area.x + PADDING, area.x + area.width - PADDING
    top, bottom = area.y + PADDING, area.y + area.height - PADDING
    yield Box(x, top, side, side, 4.5, fill=colour)
    yield _centred(str(pad.number), x, top, side, 11, Font.MONO, ink_on(colour))
    wave_height = max(side, area.height - 85)
    yield from _wave(pad.wave, x + side + 9, right, top, wave_height, mix(colour, INK, WAVE_SHADE))
    yield from _names(pad, x, top + wave_height + 15.5, right - x)
    yield from _facts(pad, x, right, bottom - 17.5)
    yield from _badges(pad.options, x, right, bottom - 11)


def _wave(
    bars: str, left: float, right: float, top: float, height: float, colour: str
) -> Iterator[Box]:
    """Yield the bars of a waveform, each with a gap as wide as itself."""
    step = (right - left) / max(1, len(bars))
    for index, bar in enumerate(bars):
        size = max(0.8, (BASE64URL.find(bar) / 63) * height)
        yield Box(left + index * step, top + (height - size) / 2, step * 0.55, size, 0, colour)


def _names(pad: SheetPad, x: float, y: float, width: float) -> Iterator[Text]:
    """Yield the name in up to two lines, then the device's name of it if that differs."""
    name = drawable(pad.name, Font.SANS) or pad.device_name
    lines = wrap(name, Font.SANS, 12.5, width)
    for index, line in enumerate(lines):
        yield Text(x, y + 13.5 * index, line, Font.SANS, 12.5)
    if pad.device_name != pad.name:
        shown = shorten(drawable(pad.device_name, Font.MONO), Font.MONO, 6.8, width)
        yield Text(x, y + 13.5 * (len(lines) - 1) + 9, shown, Font.MONO, 6.8, SOFT)


def _facts(pad: SheetPad, x: float, right: float, y: float) -> Iterator[Text]:
    tempo = f"{pad.bpm} BPM" if pad.bpm else ""
    facts = "  ".join(fact for fact in (pad.problem or tempo, pad.key) if fact)
    room = right - x - text_width(pad.length, Font.MONO, 8.2) - 6
    yield Text(x, y, shorten(facts, Font.MONO, 8.2, room), Font.MONO, 8.2)
    yield _right(pad.length, right, y, 8.2)


def _badges(options: tuple[str, ...], x: float, right: float, y: float) -> Iterator[Mark]:
    """Yield the options that fit in one row, then how many do not."""
    size, height, inset = 6.2, 11.0, 3.2
    for index, option in enumerate(options):
        rest = f"+{len(options) - index}"
        width = text_width(option, Font.MONO, size) + 2 * inset
        is_last = index == len(options) - 1
        room = 0.0 if is_last else text_width(rest, Font.MONO, size) + 5
        if x + width + room > right:
            yield Text(x + 1, y + 7.8, rest, Font.MONO, size, SOFT)
            return
        yield Box(x, y, width, height, 3, PAPER, INK, 0.6)
        yield Text(x + inset, y + 7.8, option, Font.MONO, size)
        x += width + 3.2


def _footer(sheet: Sheet, place: str) -> Iterator[Text]:
    rate = f"{sheet.device.rate / 1000:g} kHz"
    yield Text(LEFT, BOTTOM, f"Crate 404  ·  {rate}, 16 bit", Font.MONO, 7, FAINT)
    yield _right(place, RIGHT, BOTTOM, 7, FAINT)


def _centred(
    text: str, x: float, y: float, side: float, size: float, font: Font, colour: str
) -> Text:
    """Return a text in the middle of a square."""
    left = x + (side - text_width(text, font, size)) / 2
    return Text(left, y + (side + CAP_HEIGHT * size) / 2, text, font, size, colour)


def _right(text: str, right: float, y: float, size: float, colour: str = INK) -> Text:
    """Return a text that ends at `right`."""
    return Text(right - text_width(text, Font.MONO, size), y, text, Font.MONO, size, colour)


def mix(first: str, second: str, part: float) -> str:
    """Return a colour with a part of another one; colours are "#rrggbb"."""
    pairs = zip(channels(first), channels(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in pairs)


def ink_on(colour: str) -> str:
    """Return the colour of letters that are readable on a colour, also when printed in grey."""
    red, green, blue = ((each / 255) ** 2.2 for each in channels(colour))
    is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK_BELOW
    return PAPER if is_dark else INK


def channels(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue from 0 to 255 of "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
