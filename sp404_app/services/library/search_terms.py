"""Tokenise names for the search index, and parse search text into a tsquery.

Names and queries are split in the same way: letters from digits, numbers without leading zeros,
musical keys as one token. No stemming.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.audio.features.filename_key import strip_accents
from sp404_app.services.infra.text import fold
from sp404_app.services.library.heard_words import measured_tsquery, without_tempo
from sp404_app.services.library.key_words import IN_KEY_RE, KEY_RE, key_token

MAX_TERMS = 8
MAX_QUERY_LENGTH = 400
MAX_WORD_LENGTH = 40  # characters; PostgreSQL rejects lexemes over 2 kB
MAX_TEXT_LENGTH = 4000  # characters of all words of one sample

WORD_RE = re.compile(r"[^\W_]+")
PART_RE = re.compile(r"\d+|[^\W\d_]+")
CAMEL_CASE_RE = re.compile(r"(?<=[a-z])(?=[A-Z])")
# A search for one word of a set finds all of them.
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
class SearchTerm:
    """A word or key of a search text, and the tsquery expression that finds it.

    A known word is never taken for a misspelling: a key, or one that means a measurement.
    """

    text: str
    tsquery: str
    is_known: bool = False


def search_words(*texts: str) -> str:
    """Return the search words of texts, case-folded and without accents, separated by spaces.

    `Dusty_Break90bpm` gives "dusty break90bpm break 90 bpm": words whole and in parts. Numbers are
    added without leading zeros and keys such as "F#m" as one token, so that all spellings match.
    """
    found: dict[str, None] = {}
    for text in map(strip_accents, texts):
        found.update(
            dict.fromkeys(token for match in KEY_RE.finditer(text) if (token := key_token(match)))
        )
        for variant in dict.fromkeys((text, CAMEL_CASE_RE.sub(" ", text))):
            for whole in WORD_RE.findall(fold(variant)):
                found.update(dict.fromkeys(_word_forms(whole[:MAX_WORD_LENGTH])))
    return " ".join(found)[:MAX_TEXT_LENGTH]


def parse_terms(query: str) -> tuple[list[SearchTerm], list[SearchTerm]]:
    """Parse a search text into terms to include and terms to exclude (`-loud`).

    The extension of a pasted file name is ignored, as are "around 90" (see `heard_words`) and "in"
    before a key.
    """
    query = split_extension(without_tempo(query).strip())[0][:MAX_QUERY_LENGTH]
    pieces = IN_KEY_RE.sub("", strip_accents(query)).split()
    excluded = [piece for piece in pieces if _is_excluded(piece)]
    kept = " ".join(piece for piece in pieces if not _is_excluded(piece))
    return _split_terms(kept), _split_terms(" ".join(piece.lstrip("-") for piece in excluded))


def build_tsquery(query: str) -> str:
    """Return the tsquery of a search text. Its words are letters and digits, so it is valid."""
    included, excluded = parse_terms(query)
    return " & ".join(
        [term.tsquery for term in included] + [f"!{term.tsquery}" for term in excluded]
    )


def tempo_tsquery(number: str) -> str:
    """Return the tsquery of names that say a tempo, such as "88.5": its numbers and "bpm"."""
    return " & ".join([*(_strip_zeros(part) for part in PART_RE.findall(number)), "bpm:*"])


def list_synonyms(word: str) -> list[str]:
    """Return a word followed by its synonyms."""
    synonyms = next((words for words in SYNONYMS if word in words), set())
    return [word, *sorted(synonyms - {word})]


def similar_words(word: str, vocabulary: list[str]) -> list[str]:
    """Return up to five words within one edit (OSA distance), or two edits from six letters on."""
    if len(word) < 3:
        return []
    max_edits = 1 if len(word) < 6 else 2
    found = process.extract(word, vocabulary, scorer=OSA.distance, score_cutoff=max_edits, limit=5)
    return [match for match, _, _ in found]


def _is_excluded(piece: str) -> bool:
    return piece.startswith("-") and WORD_RE.search(piece) is not None


def _split_terms(text: str) -> list[SearchTerm]:
    """Return the keys and words of a text; words in quotes mean only themselves."""
    terms = [
        term
        for index, part in enumerate(text.split('"'))
        for term in _terms_of_part(part, is_quoted=index % 2 == 1)
    ]
    return terms[:MAX_TERMS]


def _terms_of_part(text: str, *, is_quoted: bool) -> Iterator[SearchTerm]:
    at = 0
    for match in KEY_RE.finditer(text):
        token = key_token(match)
        if token is None:
            continue
        for words in _split_words(text[at : match.start()]):
            yield _word_term(words, is_quoted=is_quoted)
        yield _key_term(match, token)
        at = match.end()
    for words in _split_words(text[at:]):
        yield _word_term(words, is_quoted=is_quoted)


def _split_words(text: str) -> list[list[str]]:
    """Return the folded words of a text, each followed by its letters, digits and camel parts."""
    return [
        [
            word[:MAX_WORD_LENGTH],
            *PART_RE.findall(fold(CAMEL_CASE_RE.sub(" ", whole))[:MAX_WORD_LENGTH]),
        ]
        for whole in WORD_RE.findall(text)
        for word in WORD_RE.findall(fold(whole))
    ]


def _word_term(words: list[str], *, is_quoted: bool) -> SearchTerm:
    """Match a word as a prefix, by its parts (`90bpm` is also "90" and "bpm"), or as measured."""
    word, *parts = words
    options = [f"{each}:*" for each in list_synonyms(word)]
    token = "" if is_quoted else measured_tsquery(word)
    if len(parts) > 1:
        whole_parts = [_any_of(_exact_options(part)) for part in parts[:-1]]
        options.append("(" + " & ".join([*whole_parts, _any_of(_prefix_options(parts[-1]))]) + ")")
    elif word.isdecimal():
        options = _prefix_options(word)
    return SearchTerm(word, _any_of([*options, token] if token else options), bool(token))


def _prefix_options(part: str) -> list[str]:
    exact = [_strip_zeros(part)] if part.isdecimal() else []
    return [*(f"{each}:*" for each in list_synonyms(part)), *exact]


def _exact_options(part: str) -> list[str]:
    return [_strip_zeros(part)] if part.isdecimal() else list_synonyms(part)


def _any_of(options: list[str]) -> str:
    return "(" + " | ".join(dict.fromkeys(options)) + ")"


def _word_forms(word: str) -> list[str]:
    parts = PART_RE.findall(word)
    forms = [word, *(parts if len(parts) > 1 else [])]
    return forms + [_strip_zeros(form) for form in forms if form.isdecimal()]


def _strip_zeros(number: str) -> str:
    return number.lstrip("0") or "0"


def _key_term(match: re.Match[str], token: str) -> SearchTerm:
    """Match a key; "Am" and "Bb" may also be the prefix of a word."""
    modes = [""] if match["m"] or match["mode"] else ["", "major", "minor"]
    options = [token + mode for mode in modes]
    if match["sign"] in {None, "b"} and not match["mode"]:
        options.append(f"{fold(match[0])}:*")
    return SearchTerm(match[0], _any_of(options), is_known=True)
