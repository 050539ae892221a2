"""From a name to the words one would look for."""

import re
import unicodedata

from rapidfuzz import process
from rapidfuzz.distance import OSA

from sp404_app.audio.file_names import split_extension

MAX_TERMS = 8
MAX_NAME = 200
MAX_FILE_NAME = 255
MAX_PATH = 10_000
JOINERS = "\u200c\u200d"
BLANK = " " + JOINERS
INVISIBLE = {"Cc", "Cf", "Cs"}  # categories of Unicode
DRIVE = re.compile(r"[A-Za-z]:")
UNTITLED = "untitled"
MAX_WORD = 40  # letters; PostgreSQL refuses a word of more than 2 kB

# What owners call the same thing; a search for one finds all of its line.
SYNONYMS = [
    {"kick", "bd", "bassdrum", "kik"},
    {"snare", "sd", "snr"},
    {"hat", "hh", "hihat", "hats", "chh", "ohh"},
    {"clap", "cp", "clp"},
    {"cymbal", "cy", "crash", "ride"},
    {"perc", "percussion"},
    {"vocal", "vox", "voice", "acapella"},
    {"break", "breaks", "breakbeat"},
    {"bass", "sub", "808"},
    {"chord", "chords", "stab"},
    {"fx", "sfx", "effect"},
    {"guitar", "gtr"},
    {"synth", "syn"},
]


def words_of(*texts: str) -> str:
    """Return the lower-case words of some texts, split where people would: `Dusty_Break90bpm`."""
    found: dict[str, None] = {}
    for text in texts:
        folded = fold(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))
        for whole in re.findall(r"[^\W_]+", folded):
            word = whole[:MAX_WORD]
            found[word] = None
            parts = re.findall(r"\d+|[^\W\d_]+", word)
            found.update(dict.fromkeys(parts if len(parts) > 1 else []))
    return " ".join(found)[:4000]


def fold(text: str) -> str:
    """Return a text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


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


def wanted_and_unwanted(query: str) -> tuple[list[str], list[str]]:
    """Split what was typed into words to find and words (`-loud`) to leave out."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for piece in query[:400].split():
        target = unwanted if piece.startswith("-") else wanted
        target.extend(word[:MAX_WORD] for word in re.findall(r"[^\W_]+", fold(piece)))
    return wanted[:MAX_TERMS], unwanted[:MAX_TERMS]


def alternatives(word: str) -> list[str]:
    """Return a word and what means the same."""
    same = next((line for line in SYNONYMS if word in line), set())
    return [word, *sorted(same - {word})]


def near(word: str, vocabulary: list[str]) -> list[str]:
    """Return up to five words of a vocabulary within one or two slips of the finger."""
    if len(word) < 3:
        return []
    reach = 1 if len(word) < 6 else 2
    found = process.extract(word, vocabulary, scorer=OSA.distance, score_cutoff=reach, limit=5)
    return [match for match, _, _ in found]
