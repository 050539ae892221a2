"""Rules of smart collections: validation, and the form in which they are stored.

Rules are `{"match": "all" | "any", "terms": [...]}`. A term is `{"field", "op", "value"}`, or rules
again, nested once. `OPERATORS` lists the fields, their operators and what parses the value.
`collection_filter` turns rules into SQL.
"""

import datetime as dt
import math
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.errors import ValidationFailed
from sp404_app.models import Kind, SampleStatus
from sp404_app.services.infra.text import clean_text
from sp404_app.services.library.search_terms import MAX_QUERY_LENGTH
from sp404_app.services.library.tags import MAX_TAG_LENGTH

MAX_TERMS = 50
MAX_VALUES = 30  # of one term that takes a list
MAX_LIKE_SAMPLES = 5  # of all terms: each is compared with all vectors of the library
MAX_DISTANCE = 1.0  # that of unrelated sounds
MAX_NUMBER = 1_000_000
MAX_RATING = 5
MAX_DAYS = 36_500

Parser = Callable[[object], Any]


class InvalidValue(ValueError):
    """A value of a term is invalid; the message says what to enter."""


@dataclass(frozen=True, slots=True)
class Like:
    """Samples that others must sound like, and the greatest distance, 0 to 1."""

    sample_ids: tuple[uuid.UUID, ...]
    max_distance: float


@dataclass(frozen=True, slots=True)
class Term:
    """One condition; `value` is what the parser of its field and operator returns."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Rules:
    """Conditions of which a sample must meet all, or any."""

    match: str
    terms: "tuple[Term | Rules, ...]"

    def leaf_terms(self) -> Iterator[Term]:
        """Yield the conditions of these rules and of the nested ones."""
        for term in self.terms:
            if isinstance(term, Rules):
                yield from term.leaf_terms()
            else:
                yield term


def parse_rules(value: object) -> Rules:
    """Return rules that a client sent or that are stored. Ownership of ids is not checked here.

    Raises:
        ValidationFailed: If they are invalid; details name the place, as in `rules.terms.2.value`.
    """
    rules = _parse_group(value, "rules", can_nest=True)
    terms = list(rules.leaf_terms())
    if len(terms) > MAX_TERMS:
        _refuse("rules", f"Use at most {MAX_TERMS} rules.")
    likes = (len(term.value.sample_ids) for term in terms if term.field == "like")
    if sum(likes) > MAX_LIKE_SAMPLES:
        _refuse("rules", f"Compare with at most {MAX_LIKE_SAMPLES} sounds.")
    return rules


def rules_to_json(rules: Rules) -> dict[str, Any]:
    """Return rules as they are stored and sent; `parse_rules` is the inverse."""
    terms = [
        rules_to_json(term) if isinstance(term, Rules) else _term_to_json(term)
        for term in rules.terms
    ]
    return {"match": rules.match, "terms": terms}


def _term_to_json(term: Term) -> dict[str, Any]:
    return {"field": term.field, "op": term.op, "value": _value_to_json(term.value)}


def _value_to_json(value: Any) -> Any:
    if isinstance(value, Like):
        return {"sample_ids": list(map(str, value.sample_ids)), "max_distance": value.max_distance}
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def _parse_group(value: object, path: str, *, can_nest: bool) -> Rules:
    if not isinstance(value, dict) or set(value) != {"match", "terms"}:
        _refuse(path, "Send rules as {match, terms}.")
    match, terms = value["match"], value["terms"]
    if match not in ("all", "any"):
        _refuse(f"{path}.match", "Choose all or any.")
    if not isinstance(terms, list | tuple) or not terms:
        _refuse(f"{path}.terms", "Add at least one rule.")
    if len(terms) > MAX_TERMS:
        _refuse(f"{path}.terms", f"Use at most {MAX_TERMS} rules.")
    parsed = (
        _parse_term(term, f"{path}.terms.{number}", can_nest=can_nest)
        for number, term in enumerate(terms)
    )
    return Rules(match, tuple(parsed))


def _parse_term(term: object, path: str, *, can_nest: bool) -> Term | Rules:
    if isinstance(term, dict) and "terms" in term:
        if not can_nest:
            _refuse(path, "Rules can be nested only once.")
        return _parse_group(term, path, can_nest=False)
    if not isinstance(term, dict) or set(term) != {"field", "op", "value"}:
        _refuse(path, "Send a rule as {field, op, value}.")
    field, op = term["field"], term["op"]
    if not isinstance(field, str) or field not in OPERATORS:
        _refuse(f"{path}.field", f"Choose one of {', '.join(OPERATORS)}.")
    if not isinstance(op, str) or op not in OPERATORS[field]:
        _refuse(f"{path}.op", f"Choose one of {', '.join(OPERATORS[field])}.")
    try:
        return Term(field, op, OPERATORS[field][op](term["value"]))
    except InvalidValue as error:
        _refuse(f"{path}.value", str(error))


def _refuse(path: str, message: str) -> NoReturn:
    raise ValidationFailed(message, {path: [message]})


def _number(low: float, high: float, *, whole: bool = False) -> Parser:
    def parse(value: object) -> float:
        is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        # Compared before the conversion: an integer may be too large for a float.
        if not is_number or not low <= value <= high:  # type: ignore[operator]
            raise InvalidValue(f"Enter a number from {low:,g} to {high:,.0f}.")
        return value if whole else float(value)  # type: ignore[return-value, arg-type]

    return parse


def _range_of(parse_end: Parser) -> Parser:
    def parse(value: object) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise InvalidValue("Enter the lower and the upper end.")
        low, high = map(parse_end, value)
        if low > high:
            raise InvalidValue("The lower end is above the upper end.")
        return low, high

    return parse


def _choice(options: frozenset[str]) -> Parser:
    def parse(value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise InvalidValue("Unknown value.")
        return str(value)

    return parse


def _list_of(parse_item: Parser, most: int = MAX_VALUES) -> Parser:
    def parse(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= most:
            raise InvalidValue(f"Choose 1 to {most} values.")
        return tuple(dict.fromkeys(map(parse_item, value)))

    return parse


def _text(max_length: int) -> Parser:
    def parse(value: object) -> str:
        text = clean_text(value).strip() if isinstance(value, str) else ""
        if not 1 <= len(text) <= max_length:
            raise InvalidValue(f"Enter 1 to {max_length} characters.")
        return text

    return parse


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("Choose true or false.")
    return value


def _id(value: object) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InvalidValue("Send an id.") from error


def _day(value: object) -> dt.date:
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InvalidValue("Enter a date like 2026-05-31.") from error


def _like(value: object) -> Like:
    if not isinstance(value, dict) or set(value) != {"sample_ids", "max_distance"}:
        raise InvalidValue("Send {sample_ids, max_distance}.")
    ids = _list_of(_id, MAX_LIKE_SAMPLES)(value["sample_ids"])
    distance = _number(0, MAX_DISTANCE)(value["max_distance"])
    return Like(ids, math.fabs(distance))  # no negative zero


def _options(one: Parser) -> dict[str, Parser]:
    return {"is": one, "is_not": one, "any_of": _list_of(one)}


def _bounds(number: Parser) -> dict[str, Parser]:
    return {"at_least": number, "at_most": number, "between": _range_of(number)}


_tags = _list_of(_text(MAX_TAG_LENGTH))
_days = _number(1, MAX_DAYS, whole=True)
_rating = _number(0, MAX_RATING, whole=True)
OPERATORS: dict[str, dict[str, Parser]] = {
    "q": {"matches": _text(MAX_QUERY_LENGTH)},
    "bpm": _bounds(_number(0, MAX_NUMBER)),
    "key": _options(_choice(frozenset(KEYS))),
    "compatible_key": {"is": _choice(frozenset(KEYS))},
    "kind": _options(_choice(frozenset(Kind))),
    "sound_class": _options(_choice(frozenset(SoundClass))),
    "tag": {"all_of": _tags, "any_of": _tags, "none_of": _tags},
    "duration": _bounds(_number(0, MAX_NUMBER)),  # seconds
    "favourite": {"is": _yes_or_no},
    "rating": {"is": _rating, **_bounds(_rating)},
    "status": _options(_choice(frozenset(SampleStatus))),
    "added": {"within_days": _days, "before_days": _days, "since": _day, "before": _day},
    "copies": {"is": _yes_or_no},
    "collection": {"is": _id, "is_not": _id},
    "like": {"near": _like},
}
