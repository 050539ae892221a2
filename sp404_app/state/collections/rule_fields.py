"""What the rule editor offers: the fields of `collection_rules.OPERATORS`, in words."""

from collections.abc import Iterable
from typing import Any

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass

Options = list[dict[str, str]]


def _options(values: Iterable[str]) -> Options:
    return [{"value": str(value), "label": str(value)} for value in values]


def _op(op: str, label: str, control: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "label": label, "control": control, **more}


def _bounds(unit: str = "") -> list[dict[str, Any]]:
    return [
        _op("between", "from – to", "range", unit=unit),
        _op("at_least", "at least", "number", unit=unit),
        _op("at_most", "at most", "number", unit=unit),
    ]


def _choices(options: Options) -> list[dict[str, Any]]:
    return [
        _op("is", "is", "choice", options=options),
        _op("is_not", "is not", "choice", options=options),
        _op("any_of", "is one of", "choices", options=options),
    ]


def _field(field: str, label: str, *ops: dict[str, Any]) -> dict[str, Any]:
    return {"field": field, "label": label, "ops": list(ops)}


_KEYS = _options(KEYS)
_KINDS: Options = [
    {"value": "loop", "label": "loop"},
    {"value": "one_shot", "label": "one-shot"},
]
_STATUSES: Options = [
    {"value": "ready", "label": "ready"},
    {"value": "analysing", "label": "analysing"},
    {"value": "queued", "label": "queued"},
    {"value": "failed", "label": "failed"},
    {"value": "waiting_for_quota", "label": "monthly limit reached"},
]
# `control` is one of the controls of `components/rule_editor.jsx`.
RULE_FIELDS: list[dict[str, Any]] = [
    _field("q", "Search text", _op("matches", "matches", "text")),
    _field(
        "tag",
        "Tags",
        _op("all_of", "include all of", "tags"),
        _op("any_of", "include any of", "tags"),
        _op("none_of", "include none of", "tags"),
    ),
    _field("bpm", "Tempo", *_bounds("BPM")),
    _field("key", "Key", *_choices(_KEYS)),
    _field("compatible_key", "Compatible key", _op("is", "with", "choice", options=_KEYS)),
    _field("kind", "Kind", *_choices(_KINDS)),
    _field("sound_class", "Class", *_choices(_options(SoundClass))),
    _field("duration", "Length", *_bounds("s")),
    _field("favourite", "Favourite", _op("is", "is", "yesno")),
    _field("rating", "Rating", *_bounds(), _op("is", "is", "number")),
    _field(
        "added",
        "Added",
        _op("within_days", "in the last", "days", unit="days"),
        _op("before_days", "more than", "days", unit="days ago"),
        _op("since", "since", "date"),
        _op("before", "before", "date"),
    ),
    _field("status", "Status", *_choices(_STATUSES)),
    _field("copies", "Has copies", _op("is", "is", "yesno")),
    _field(
        "collection",
        "Collection",
        _op("is", "is", "choice", options=[]),
        _op("is_not", "is not", "choice", options=[]),
    ),
    _field("like", "Sounds like", _op("near", "", "like")),
]
