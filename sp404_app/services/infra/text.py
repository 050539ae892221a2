"""Clean, fold and sort names of samples, files and folders."""

import re
import unicodedata

from sp404_app.audio.features.file_extensions import split_extension

MAX_NAME = 200
MAX_FILE_NAME = 255
MAX_PATH = 10_000
JOINERS = "\u200c\u200d"
BLANK = " " + JOINERS
INVISIBLE = {"Cc", "Cf", "Cs"}  # categories of Unicode
DRIVE = re.compile(r"[A-Za-z]:")
UNTITLED = "untitled"
# Letters that Unicode does not decompose into a base letter and a mark.
BASE_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ð": "d", "æ": "ae", "œ": "oe",
     "þ": "th"}
)  # fmt: skip


def fold(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.casefold().translate(BASE_LETTERS)


def clean_text(text: str) -> str:
    """Return a text that PostgreSQL can store: without NUL characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def file_name(name: str) -> str:
    """Return a file name that can be shown and stored; a shortened one keeps its extension."""
    stem, extension = split_extension(_visible(name).rpartition("/")[2].strip(BLANK))
    if not stem.strip("."):
        return UNTITLED
    return stem[: MAX_FILE_NAME - len(extension)].strip(BLANK) + extension


def last_part(path: str) -> str:
    """Return what follows the last slash or backslash of a path."""
    return re.split(r"[/\\]", path)[-1]


def unescaped(name: str) -> str:
    """Decode the three characters that browsers escape in a multipart file name."""
    return re.sub("%(22|0A|0D)", lambda match: chr(int(match[1], 16)), name, flags=re.IGNORECASE)


def folder_parts(path: str) -> list[str]:
    r"""Return the folders of a path; drives, empty parts, `.` and `..` are resolved.

    Slashes and backslashes separate folders: `C:\Samples\..\Drums` gives `["Drums"]`.
    """
    found: list[str] = []
    parts = re.split(r"[/\\]", path[-MAX_PATH:])
    for part in parts[len(path) > MAX_PATH :]:  # of a path that was cut, drop the cut folder
        name = clean_name(part, "")
        if name == "..":
            del found[-1:]
        elif name not in {"", ".", "?"} and not (not found and DRIVE.fullmatch(name)):
            found.append(name)
    return found


def clean_name(text: str, fallback: str = UNTITLED) -> str:
    """Return a text as a name: one line without control characters, bounded, never empty."""
    return one_line(text)[:MAX_NAME].strip(BLANK) or fallback


def one_line(text: str) -> str:
    """Return a text on one line, without control characters, with single spaces."""
    return " ".join(_visible(text).split()).strip(BLANK)


def _visible(text: str) -> str:
    """Remove invisible characters: control and format characters, lone surrogates.

    The two zero-width joiners stay: Persian words and many emoji need them.
    """
    kept = "".join(
        char
        for char in re.sub(r"[^\S ]+", " ", text)
        if char in JOINERS or unicodedata.category(char) not in INVISIBLE
    )
    return unicodedata.normalize("NFC", kept)


def sort_key(name: str) -> str:
    """Return a sort key for natural order by code points: "kick2" comes before "Kick 10".

    Case and accents are ignored, numbers sort by value, all separators are equal. Names that
    begin with a symbol come first. The name itself is appended as a tie-breaker.
    """
    folded = fold(name).strip()
    symbols = folded[: re.search(r"[^\W_]|$", folded).start()].strip()  # type: ignore[union-attr]
    parts = re.findall(r"\d+|[^\W\d_]+", folded)
    words = " ".join(_padded(part) if part.isdecimal() else part for part in parts)
    first = "\x02" + symbols + words if symbols else words
    return first[:300] + "\x01" + name.casefold()[:MAX_NAME]


def _padded(number: str) -> str:
    """Return a number with its length in front, so that longer numbers sort later."""
    value = str(int(number))
    return f"{min(99, len(value)):02}{value}"
