"""Draw the pad sheet as PDF."""

import io
from functools import lru_cache
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from sp404_app.services.cards.pad_sheet import Sheet
from sp404_app.services.cards.pad_sheet_layout import HEIGHT, WIDTH, Box, Page, lay_out
from sp404_app.services.cards.pad_sheet_text import Font, load_font

PRODUCER = "Crate 404"


def draw_pdf(sheet: Sheet, bank: str = "") -> bytes:
    """Return a PDF with a page for each bank with pads, or for one bank.

    The same sheet gives the same bytes: the file contains neither a date nor a random id.
    """
    for font in Font:
        pdfmetrics.registerFont(load_font(font))
    file = io.BytesIO()
    # Its own first font would be Helvetica, which is not embedded. The stubs state a wrong type.
    first: Any = Font.SANS.value
    canvas = Canvas(file, (WIDTH, HEIGHT), invariant=1, pageCompression=1, initialFontName=first)
    canvas.setTitle(f"{sheet.project} – pads")
    canvas.setAuthor(PRODUCER)
    canvas.setCreator(PRODUCER)
    canvas.setProducer(PRODUCER)
    canvas.setSubject(sheet.device.title)
    for page in lay_out(sheet, bank):
        _draw_page(canvas, page)
    canvas.save()
    return file.getvalue()


def _draw_page(canvas: Canvas, page: Page) -> None:
    canvas.bookmarkPage(page.outline)
    canvas.addOutlineEntry(page.outline, page.outline)
    for box in page.boxes:
        _draw_box(canvas, box)
    for text in page.texts:
        canvas.setFont(text.font.value, text.size)
        canvas.setFillColor(_colour(text.colour))
        canvas.drawString(text.x, HEIGHT - text.y, text.text)
    canvas.showPage()


def _draw_box(canvas: Canvas, box: Box) -> None:
    if box.fill:
        canvas.setFillColor(_colour(box.fill))
    if box.stroke:
        canvas.setStrokeColor(_colour(box.stroke))
        canvas.setLineWidth(box.line)
    bottom = HEIGHT - box.y - box.height
    kinds = {"stroke": int(bool(box.stroke)), "fill": int(bool(box.fill))}
    if box.radius:
        canvas.roundRect(box.x, bottom, box.width, box.height, box.radius, **kinds)
    else:
        canvas.rect(box.x, bottom, box.width, box.height, **kinds)


@lru_cache(maxsize=64)
def _colour(name: str) -> Color:
    return HexColor(name)
