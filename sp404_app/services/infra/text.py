"""Names of sounds, files and folders: cleaned, folded, and in order."""

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
# Letters that Unicode does not take apart into a letter and a mark.
LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ð": "d", "æ": "ae", "œ": "oe",
     "þ": "th"}
)  # fmt: skip


def fold(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.casefold().translate(LETTERS)


def clean_text(text: str) -> str:
    """Return a text that the database can keep: without zero bytes and half characters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def file_name(name: str) -> str:
    """Return a file's name fit to be shown and kept; a long one keeps its extension."""
    stem, extension = split_extension(_visible(name).rpartition("/")[2].strip(BLANK))
    if not stem.strip("."):
        return UNTITLED
    return stem[: MAX_FILE_NAME - len(extension)].strip(BLANK) + extension


def last_part(path: str) -> str:
    """Return what follows the last slash or backslash of a path."""
    return re.split(r"[/\\]", path)[-1]


def unescaped(name: str) -> str:
    """Return a name without the three escapes that browsers put into a multipart header."""
    return re.sub("%(22|0A|0D)", lambda match: chr(int(match[1], 16)), name, flags=re.IGNORECASE)


def folder_parts(path: str) -> list[str]:
    r"""Return the folders of a path, without drives, empty parts and steps up or down.

    Slashes and backslashes separate them: `C:\Samples\..\Drums` is one folder, `Drums`.
    """
    found: list[str] = []
    parts = re.split(r"[/\\]", path[-MAX_PATH:])
    for part in parts[len(path) > MAX_PATH :]:  # the first one is cut
        name = clean_name(part, "")
        if name == "..":
            del found[-1:]
        elif name not in {"", ".", "?"} and not (not found and DRIVE.fullmatch(name)):
            found.append(name)
    return found


def clean_name(text: str, fallback: str = UNTITLED) -> str:
    """Return a text fit to be shown on one line: no control characters, bounded, not empty."""
    return one_line(text)[:MAX_NAME].strip(BLANK) or fallback


def one_line(text: str) -> str:
    """Return a text without control characters, half characters and white space in a row."""
    return " ".join(_visible(text).split()).strip(BLANK)


def _visible(text: str) -> str:
    """Return a text without what cannot be seen: controls, directions, half characters.

    The two joiners stay, as Persian words and many emoji are written with them.
    """
    kept = "".join(
        char
        for char in re.sub(r"[^\S ]+", " ", text)
        if char in JOINERS or unicodedata.category(char) not in INVISIBLE
    )
    return unicodedata.normalize("NFC", kept)


def sort_key(name: str) -> str:
    """Return what names are sorted by, character by character: "kick2" before "Kick 10".

    Letters count without case and accents, numbers by their value, all separators as one space.
    Names that begin with a symbol come first. The name itself follows, for names that are alike.
    """
    folded = fold(name).strip()
    symbols = folded[: re.search(r"[^\W_]|$", folded).start()].strip()  # type: ignore[union-attr]
    parts = re.findall(r"\d+|[^\W\d_]+", folded)
    spoken = " ".join(_padded(part) if part.isdecimal() else part for part in parts)
    first = "\x02" + symbols + spoken if symbols else spoken
    return first[:300] + "\x01" + name.casefold()[:MAX_NAME]


def _padded(number: str) -> str:
    """Return a number with its length in front, so that more digits come later."""
    value = str(int(number))
    return f"{min(99, len(value)):02}{value}"
