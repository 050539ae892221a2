"""Text cells of CSV files, which no spreadsheet takes for a formula.

A spreadsheet runs a cell that begins with "=" or a sign (OWASP, "CSV Injection"), so such a text
gets an apostrophe in front. A text that already begins with one before such a character gets
another, so `read_cell` returns every text as it was.
"""

import re
from typing import Final

# The full-width signs are the ones of Japanese and Chinese keyboards, which Excel takes, too.
FORMULA: Final = re.compile(r"'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")


def write_cell(text: str) -> str:
    """Return a text as a cell that is no formula."""
    return f"'{text}" if FORMULA.match(text) else text


def read_cell(cell: str) -> str:
    """Return the text of a cell that `write_cell` or a person has written."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
