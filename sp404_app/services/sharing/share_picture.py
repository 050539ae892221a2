"""The picture that other sites show beside a link: the waveform of a sound, or the pads."""

import hashlib
import io
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from sp404_app.errors import NotFound
from sp404_app.services.cards.pad_sheet_text import Font, drawable
from sp404_app.services.infra import pictures, storage
from sp404_app.services.sharing.shared_content import SharedContent, SharedProject

WIDTH, HEIGHT = 1200, 630  # pixels, as Open Graph recommends
MARGIN: Final = 72
PAPER, INK, SOFT, ACCENT, RAISED = "#0b0b0c", "#f1efec", "#a3a1a0", "#ff8a3c", "#1a1a1d"
WAVE_TOP, WAVE_HEIGHT = 300, 220
GRID_SIDE, GRID_GAP = 390, 12
VERSION = 2  # increase it when the picture changes
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PROTECTED = SharedContent("protected", "Protected link", "", "")
KEPT_PICTURES: Final = 2  # of one link: a smart collection has another one after each change


def get_picture(user_id: uuid.UUID, share_id: uuid.UUID, content: SharedContent) -> bytes:
    """Return the picture of a link as PNG; it is drawn once and kept in the object store.

    Pictures of what the link showed before are deleted, except the last one.
    """
    key = pictures.picture_key(user_id, share_id, f"share-{picture_version(content)}.png")
    try:
        return storage.read_bytes(key)
    except NotFound:
        drawn = draw_picture(content)
        storage.save_bytes(drawn, key)
        pictures.delete_oldest_pictures(user_id, share_id, KEPT_PICTURES)
        return drawn


def picture_version(content: SharedContent) -> str:
    """Return 16 characters that change with what the picture shows."""
    return hashlib.sha256(f"{VERSION} {content!r}".encode()).hexdigest()[:16]


def draw_picture(content: SharedContent) -> bytes:
    """Draw the picture; the same content gives the same bytes."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    if content.project:
        _draw_pads(draw, content.project)
        _draw_text(draw, content, WIDTH - 3 * MARGIN - GRID_SIDE)
    else:
        _draw_wave(draw, _bars(content))
        _draw_text(draw, content, WIDTH - 2 * MARGIN)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw_text(draw: ImageDraw.ImageDraw, content: SharedContent, width: int) -> None:
    _draw_brand(draw)
    title = drawable(content.title, Font.SANS) or "Untitled"
    size = next((size for size in (72, 60, 48) if _width(title, size) <= width), 48)
    draw.text((MARGIN, 170), _shorten(title, size, width), INK, _font(Font.SANS, size))
    owner = drawable(content.owner, Font.SANS)
    if owner:
        draw.text((MARGIN, 266), _shorten(f"by {owner}", 30, width), SOFT, _font(Font.SANS, 30))


def _draw_brand(draw: ImageDraw.ImageDraw) -> None:
    """Draw the logo: nine pads, the middle one lit, and the name."""
    for pad in range(9):
        row, column = divmod(pad, 3)
        x, y = MARGIN + column * 16, 68 + row * 16
        draw.rounded_rectangle((x, y, x + 11, y + 11), 2, ACCENT if pad == 4 else "#78767a")
    draw.text((MARGIN + 64, 70), "Crate 404", INK, _font(Font.SANS, 34))


def _draw_wave(draw: ImageDraw.ImageDraw, bars: Sequence[float]) -> None:
    step = (WIDTH - 2 * MARGIN) / max(1, len(bars))
    middle = WAVE_TOP + WAVE_HEIGHT / 2 + 34
    for index, bar in enumerate(bars):
        half = max(2.0, bar * WAVE_HEIGHT / 2)
        x = MARGIN + index * step
        draw.rounded_rectangle((x, middle - half, x + step * 0.6, middle + half), 2, ACCENT)


def _draw_pads(draw: ImageDraw.ImageDraw, project: SharedProject) -> None:
    """Draw the first bank with pads: its colour where there is a sound."""
    bank = project.banks[0] if project.banks else None
    filled = {int(pad.key[1:]) for pad in bank.pads} if bank else set()
    rows = project.pads_per_bank // 4
    side = (GRID_SIDE - 3 * GRID_GAP) / 4
    left, top = WIDTH - MARGIN - GRID_SIDE, (HEIGHT - rows * (side + GRID_GAP) + GRID_GAP) / 2
    for index in range(project.pads_per_bank):
        row, column = divmod(index, 4)
        x, y = left + column * (side + GRID_GAP), top + row * (side + GRID_GAP)
        colour = bank.colour if bank and index + 1 in filled else RAISED
        draw.rounded_rectangle((x, y, x + side, y + side), 12, colour)


def _bars(content: SharedContent) -> list[float]:
    """Return heights from 0 to 1: of one sound, or of the first sounds of a collection in a row."""
    if content.wave:
        return [max(high, -low) for low, high in content.wave[::2]]
    letters = "".join(sound.bars for sound in content.sounds[:3])
    return [BASE64URL.find(letter) / 63 for letter in letters] or [0.0] * 96


def _shorten(text: str, size: int, width: int) -> str:
    if _width(text, size) <= width:
        return text
    while text and _width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _width(text: str, size: int) -> float:
    return _font(Font.SANS, size).getlength(text)


@lru_cache(maxsize=8)
def _font(font: Font, size: int) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(font.path), size, layout_engine=basic)
