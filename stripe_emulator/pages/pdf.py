"""Write one page of text as PDF 1.4 (ISO 32000-1) in Helvetica, a standard font."""

import zlib
from dataclasses import dataclass

WIDTH, HEIGHT = 595, 842
# Helvetica's character widths in 1/1000 em: those needed to right-align amounts.
CHAR_WIDTHS = {" ": 278, ",": 278, ".": 278, "-": 333, "$": 556, "A": 667, "m": 833, "t": 278}
DIGIT_WIDTH = 556


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; x and y are in points from the lower left corner."""

    x: float
    y: float
    text: str
    size: int = 11
    bold: bool = False
    right: bool = False

    def draw(self) -> str:
        """Return the PDF operators that draw the text."""
        width = sum(CHAR_WIDTHS.get(letter, DIGIT_WIDTH) for letter in self.text) * self.size / 1000
        x = self.x - width if self.right else self.x
        font = "F2" if self.bold else "F1"
        text = escape_pdf_string(self.text)
        return f"BT /{font} {self.size} Tf {x:.1f} {self.y:.1f} Td ({text}) Tj ET"


def escape_pdf_string(text: str) -> str:
    """Escape backslashes and parentheses in a PDF string."""
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def font_object(name: str) -> bytes:
    """Return the font object for a standard font, which is not embedded."""
    kind = f"/Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding"
    return f"<< {kind} >>".encode()


def write_pdf(texts: list[Text]) -> bytes:
    """Return the PDF file."""
    drawing = "\n".join(text.draw() for text in texts).encode("cp1252", errors="replace")
    packed = zlib.compress(drawing)
    head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    resources = "<< /Font << /F1 5 0 R /F2 6 0 R >> >>"
    page = f"/Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Contents 4 0 R"
    return assemble_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page {page} /Resources {resources} >>".encode(),
            head + packed + b"\nendstream",
            font_object("Helvetica"),
            font_object("Helvetica-Bold"),
        ]
    )


def assemble_file(objects: list[bytes]) -> bytes:
    """Number the objects and append the cross-reference table."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for place in places:
        out += f"{place:010d} 00000 n \n".encode()
    size = len(objects) + 1
    out += f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
