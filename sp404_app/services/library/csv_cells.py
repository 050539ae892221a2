"""Text cells of CSV files, which no spreadsheet takes for a formula.

A spreadsheet runs a cell that begins with "=" or a sign (OWASP, "CSV Injection"), so such a text
gets an apostrophe in front. A text that already begins with one before such a character gets
another, so `read_cell` returns every text as it was.

Where the comma separates decimals, a spreadsheet splits our lines at semicolons, and does not see
the quotes of a text within a line. So the same is done after each semicolon and line break.
"""

import re
from typing import Final

# The full-width signs are the ones of Japanese and Chinese keyboards, which Excel takes, too.
SIGNS: Final = r"=+\-@\uff1d\uff0b\uff0d\uff20"
FORMULA: Final = re.compile(rf"'*\s*[{SIGNS}\t\r\n]")
# The spaces exclude line breaks: no apostrophe is put into what is looked at here.
INNER_FORMULA: Final = rf"(?='*[^\S\r\n]*[{SIGNS}])"
INNER_START: Final = re.compile(rf"([;\r\n]){INNER_FORMULA}")
WRITTEN_INNER_START: Final = re.compile(rf"([;\r\n])'{INNER_FORMULA}")


def write_cell(text: str) -> str:
    """Return a text as a cell that is no formula."""
    cell = INNER_START.sub(r"\1'", text)
    return f"'{cell}" if FORMULA.match(text) else cell


def read_cell(cell: str) -> str:
    """Return the text of a cell that `write_cell` or a person has written."""
    text = cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
    return WRITTEN_INNER_START.sub(r"\1", text)
