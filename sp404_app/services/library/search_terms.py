"""From texts to the words they are found by, and from what was typed to a tsquery of them."""

import re
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_key import plain
from sp404_app.audio.features.musical_keys import PITCHES, camelot
from sp404_app.services.infra.text import fold

MAX_TERMS = 8
MAX_QUERY = 400
MAX_WORD = 40  # letters; PostgreSQL refuses a word of more than 2 kB
MAX_WORDS = 4000  # letters of all words of one sound

WORD = re.compile(r"[^\W_]+")
PARTS = re.compile(r"\d+|[^\W\d_]+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
KEY = re.compile(
    r"(?<![^\W_])(?P<pitch>[A-Ga-g])(?P<sign>#|b|[\s_-]?(?i:sharp|flat)(?![a-z]))?"
    r"(?:(?P<m>m)|[\s_-]?(?P<mode>(?i:major|minor|maj|min)))?(?![^\W_]|#)"
)

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


@dataclass(frozen=True, slots=True)
class Term:
    """One thing to look for: a `word` or the text of a key, and the `tsquery` that finds it."""

    text: str
    tsquery: str
    is_key: bool = False


def words_of(*texts: str) -> str:
    """Return the lower-case words of some texts, split where people would: `Dusty_Break90bpm`.

    Words are also kept whole, numbers also without leading zeros, and a key such as "F#m" also
    as one word, so that every way to write them finds them.
    """
    found: dict[str, None] = {}
    for text in map(plain, texts):
        found.update(dict.fromkeys(token for match in KEY.finditer(text) if (token := _key(match))))
        for variant in dict.fromkeys((text, CAMEL.sub(" ", text))):
            for whole in WORD.findall(fold(variant)):
                found.update(dict.fromkeys(_forms(whole[:MAX_WORD])))
    return " ".join(found)[:MAX_WORDS]


def key_words(key: str | None) -> str:
    """Return the words by which a key is found: "F#m", "minor", "11A"."""
    if not key:
        return ""
    tonic, mode = key.split()
    return f"{_token(PITCHES.index(tonic), mode)} {mode} {camelot(key).lower()}"


def terms(query: str) -> tuple[list[Term], list[Term]]:
    """Split what was typed into terms to find and terms (`-loud`) to leave out.

    The extension of a pasted file name is not looked for.
    """
    pieces = plain(split_extension(query.strip())[0][:MAX_QUERY]).split()
    left_out = [piece for piece in pieces if _is_left_out(piece)]
    kept = " ".join(piece for piece in pieces if not _is_left_out(piece))
    return _terms(kept), _terms(" ".join(piece.lstrip("-") for piece in left_out))


def tsquery(query: str) -> str:
    """Return a tsquery of prefixes; only letters and digits reach it, so it always parses."""
    wanted, unwanted = terms(query)
    return " & ".join([term.tsquery for term in wanted] + [f"!{term.tsquery}" for term in unwanted])


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


def _is_left_out(piece: str) -> bool:
    return piece.startswith("-") and WORD.search(piece) is not None


def _terms(text: str) -> list[Term]:
    found: list[Term] = []
    at = 0
    for match in KEY.finditer(text):
        token = _key(match)
        if token is None:
            continue
        found += map(_word_term, _typed(text[at : match.start()]))
        found.append(_key_term(match, token))
        at = match.end()
    found += map(_word_term, _typed(text[at:]))
    return found[:MAX_TERMS]


def _typed(text: str) -> list[list[str]]:
    """Return the folded words of a text, each with its parts: letters, digits, `DustyBreak`."""
    return [
        [word[:MAX_WORD], *PARTS.findall(fold(CAMEL.sub(" ", whole))[:MAX_WORD])]
        for whole in WORD.findall(text)
        for word in WORD.findall(fold(whole))
    ]


def _word_term(typed: list[str]) -> Term:
    """Find a word by its beginning, or by its parts: `90bpm` is also "90" and "bpm"."""
    word, *parts = typed
    options = [f"{each}:*" for each in alternatives(word)]
    if len(parts) > 1:
        apart = [_either(_exact(part)) for part in parts[:-1]]
        options.append("(" + " & ".join([*apart, _either(_begins(parts[-1]))]) + ")")
    elif word.isdecimal():
        options = _begins(word)
    return Term(word, _either(options))


def _begins(part: str) -> list[str]:
    exact = [_unpadded(part)] if part.isdecimal() else []
    return [*(f"{each}:*" for each in alternatives(part)), *exact]


def _exact(part: str) -> list[str]:
    return [_unpadded(part)] if part.isdecimal() else alternatives(part)


def _either(options: list[str]) -> str:
    return "(" + " | ".join(dict.fromkeys(options)) + ")"


def _forms(word: str) -> list[str]:
    parts = PARTS.findall(word)
    forms = [word, *(parts if len(parts) > 1 else [])]
    return forms + [_unpadded(form) for form in forms if form.isdecimal()]


def _unpadded(number: str) -> str:
    return number.lstrip("0") or "0"


def _key_term(match: re.Match[str], token: str) -> Term:
    """Find a key; "Am" and "Bb" may also be the beginning of a word."""
    modes = [""] if match["m"] or match["mode"] else ["", "major", "minor"]
    options = [token + mode for mode in modes]
    if match["sign"] in {None, "b"} and not match["mode"]:
        options.append(f"{fold(match[0])}:*")
    return Term(match[0], _either(options), is_key=True)


def _key(match: re.Match[str]) -> str | None:
    """Return the word of a key, None where a text is no key: "a", "am", "bb"."""
    sign = (match["sign"] or "").strip(" _-").lower()
    written_out = sign in {"#", "sharp", "flat"} or match["mode"]
    if not written_out and not (match["pitch"].isupper() and (sign or match["m"])):
        return None
    shift = {"": 0, "#": 1, "sharp": 1, "b": -1, "flat": -1}[sign]
    mode = "minor" if match["m"] or (match["mode"] or "").lower().startswith("min") else ""
    if match["mode"] and not mode:
        mode = "major"
    return _token((PITCHES.index(match["pitch"].upper()) + shift) % 12, mode)


def _token(pitch: int, mode: str) -> str:
    return f"key{PITCHES[pitch].lower().replace('#', 'sharp')}{mode}"
