"""Draw a page of the pad sheet as PNG."""

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from sp404_app.services.cards.pad_sheet import Sheet
from sp404_app.services.cards.pad_sheet_layout import (
    HEIGHT,
    PAPER,
    WIDTH,
    Box,
    Text,
    lay_out,
)
from sp404_app.services.cards.pad_sheet_text import Font, text_width

SCALE = 2.5  # pixels per point
OVERSAMPLING = 2  # Pillow draws shapes without antialiasing


def draw_png(sheet: Sheet, bank: str) -> bytes:
    """Return the page of one bank, 2,105 × 1,488 pixels. The same sheet gives the same bytes."""
    page = next(lay_out(sheet, bank))
    size = (round(WIDTH * SCALE) * OVERSAMPLING, round(HEIGHT * SCALE) * OVERSAMPLING)
    large = Image.new("RGB", size, PAPER)
    shapes = ImageDraw.Draw(large)
    for box in page.boxes:
        _draw_box(shapes, box)
    image = large.reduce(OVERSAMPLING)
    letters = ImageDraw.Draw(image)
    for text in page.texts:
        _draw_text(letters, text)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _draw_box(draw: ImageDraw.ImageDraw, box: Box) -> None:
    scale = SCALE * OVERSAMPLING
    grown = box.line / 2  # Pillow draws the line inside of the box, a PDF on its edge
    edges = (
        round((box.x - grown) * scale),
        round((box.y - grown) * scale),
        round((box.x + box.width + grown) * scale) - 1,
        round((box.y + box.height + grown) * scale) - 1,
    )
    draw.rounded_rectangle(
        edges,
        (box.radius + grown) * scale,
        box.fill or None,
        box.stroke or None,
        round(box.line * scale),
    )


def _draw_text(draw: ImageDraw.ImageDraw, text: Text) -> None:
    """Draw letter by letter: a whole line would be spaced by whole pixels."""
    font = _load_font(text.font, text.size)
    x, y = text.x * SCALE, text.y * SCALE
    for char in text.text:
        draw.text((x, y), char, text.colour, font, anchor="ls")
        x += text_width(char, text.font, text.size) * SCALE


@lru_cache(maxsize=32)
def _load_font(font: Font, size: float) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(font.path), size * SCALE, layout_engine=basic)
