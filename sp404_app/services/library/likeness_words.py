"""Searches in words for what sounds like a named sample: "like dusty break but faster"."""

import re
import uuid
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col

from sp404_app.models import Sample
from sp404_app.services.infra.text import fold
from sp404_app.services.library.search import (
    DEFERRED_COLUMNS,
    SampleQuery,
    matching_samples,
    search_window,
)
from sp404_app.services.library.search_terms import parse_terms

LIKE_RE: Final = re.compile(
    r"\s*like\s+(?P<name>.*?)(?:,?\s+but\b(?P<changes>.*))?\s*", re.IGNORECASE | re.DOTALL
)
# Limits of the list beside the sample: a field, the column of the sample, and its sign.
LIMITS: Final = {
    "faster": ("bpm_min", "bpm", 1),
    "slower": ("bpm_max", "bpm", -1),
    "longer": ("duration_min", "duration", 1),
    "shorter": ("duration_max", "duration", -1),
}
NO_WORD_RE: Final = re.compile(r"[\W_]+")
STEP: Final = 0.1  # BPM or seconds by which a sample differs at least
# Words whose positive form the search text understands (`heard_words`).
POSITIVE: Final = {
    "brighter": "bright", "darker": "dark", "cleaner": "clean", "noisier": "noisy",
    "dirtier": "dirty", "warmer": "warm", "punchier": "punchy", "softer": "soft",
    "louder": "loud", "quieter": "quiet",
}  # fmt: skip
FILLERS: Final = {"a", "an", "the", "and", "bit", "little", "lot", "much", "more", "also"}
MIN_NAME_LENGTH: Final = 2
MAX_CANDIDATES: Final = 50


@dataclass(frozen=True, slots=True)
class LikePhrase:
    """A phrase in parts: the named sample, limits beside it, and words that are searched."""

    name: str
    limits: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a phrase means in a library: the sample, fields of `SampleQuery`, and words."""

    sample_id: uuid.UUID
    limits: dict[str, float]
    words: str


def parse_like(text: str) -> LikePhrase | None:
    """Parse "like NAME but CHANGES"; return None for any other text.

    Changes that are not comparatives are words of the search: "like rhodes but in Am". "A" is a
    key, "a" is not.
    """
    match = LIKE_RE.fullmatch(text) if '"' not in text else None
    if match is None or len(name := match["name"].strip(" ,")) < MIN_NAME_LENGTH:
        return None
    pieces = [piece for piece in re.split(r"[\s,]+", match["changes"] or "") if piece]
    limits = tuple(dict.fromkeys(p.lower() for p in pieces if p.lower() in LIMITS))
    words = [
        POSITIVE.get(p.lower(), p)
        for p in pieces
        if p == "A" or p.lower() not in {*LIMITS, *FILLERS}
    ]
    return LikePhrase(name, limits, " ".join(words))


def find_likeness(
    session: Session, user_id: uuid.UUID, query: SampleQuery, text: str
) -> Likeness | None:
    """Return what a text means if it names a sample to compare with; else None.

    Plain words go on meaning plain words: a text that finds samples as it is names none.
    `query` gives the collection or the trash in which the text is searched.
    """
    phrase = parse_like(text)
    if phrase is None:
        return None
    plain = search_window(session, user_id, _with_text(query, text), 0, 1)
    if plain.total and not plain.corrected:
        return None
    included, excluded = parse_terms(phrase.name)
    if excluded or not included:
        return None
    sample = _find_named(session, user_id, _with_text(query, phrase.name))
    if sample is None:
        return None
    limits = dict(filter(None, (_limit(sample, word) for word in phrase.limits)))
    return Likeness(sample.id, limits, phrase.words)


def _with_text(query: SampleQuery, text: str) -> SampleQuery:
    return SampleQuery(q=text, trash=query.trash, collection=query.collection)


def _find_named(session: Session, user_id: uuid.UUID, query: SampleQuery) -> Sample | None:
    """Return the sample whose name fits best: among the shortest ones that the text finds."""
    corrected = search_window(session, user_id, query, 0, 1).corrected
    query = replace(query, q=corrected or query.q)
    shortest = (func.length(col(Sample.name)), col(Sample.id))
    matching = matching_samples(session, user_id, query).options(*DEFERRED_COLUMNS)
    found = session.exec(matching.order_by(*shortest).limit(MAX_CANDIDATES)).all()
    return min(found, key=lambda each: _distance_of_name(each.name, query.q), default=None)


def _distance_of_name(name: str, wanted: str) -> tuple[bool, bool, int]:
    """Sort names: those that begin with the wanted one first, then those that have it."""
    name, wanted = (NO_WORD_RE.sub(" ", fold(each)).strip() for each in (name, wanted))
    return not name.startswith(wanted), wanted not in name, len(name)


def _limit(sample: Sample, word: str) -> tuple[str, float] | None:
    """Return the field and value of a limit, None if the sample has no such measurement."""
    name, column, sign = LIMITS[word]
    value = getattr(sample, column)
    return None if value is None else (name, max(0.0, round(value + sign * STEP, 1)))
