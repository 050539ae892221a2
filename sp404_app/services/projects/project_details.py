"""Names, tempos and bank settings of a project: parse what a person enters."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from sp404_app.devices.capabilities import BANKS
from sp404_app.errors import ValidationFailed
from sp404_app.services.infra.text import clean_name
from sp404_app.services.projects.kit import Kit, parse_bank

TEMPO_RANGE_BPM = (40.0, 200.0)
TEMPO_SOURCES = ("project", "bank")
MAX_VOLUME = 127
MAX_BANK_NAME = 60
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def apply_details(kit: Kit, changes: Mapping[str, object]) -> Kit:
    """Return a kit with other name, tempo, tempo source and banks; what is not named stays.

    `banks` are `{"bank": "A", …}` with what changes of name, colour, tempo, volume and protect.

    Raises:
        ValidationFailed: If a value is invalid or unknown; details name the field.
    """
    fields: dict[str, Any] = {}
    for field, value in changes.items():
        match field:
            case "name":
                fields["name"] = clean_name(parse_text(value, field), kit.name)
            case "tempo":
                fields["tempo"] = parse_tempo(value, field)
            case "tempo_source":
                fields["tempo_source"] = _parse_tempo_source(value, field)
            case "banks":
                fields["banks"] = _change_banks(kit, value)
            case _:
                _refuse(ascii(field)[1:-1][:60], "This field does not exist.")
    return replace(kit, **fields)


def parse_tempo(value: object, field: str = "tempo") -> float:
    """Return a tempo in BPM, with two decimals.

    Raises:
        ValidationFailed: If it is not a number from 40 to 200.
    """
    low, high = TEMPO_RANGE_BPM
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        _refuse(field, f"Choose a tempo from {low:g} to {high:g} BPM.")
    return round(float(value), 2)


def clamp_tempo(tempo: float) -> float:
    """Return a tempo in the range of the devices, with two decimals."""
    low, high = TEMPO_RANGE_BPM
    return low if math.isnan(tempo) else round(min(max(tempo, low), high), 2)


def _change_banks(kit: Kit, changes: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(changes, list | tuple):
        _refuse("banks", "Banks are a list.")
    banks = list(kit.banks)
    for change in changes:
        if not isinstance(change, Mapping):
            _refuse("banks", "A bank is an object.")
        index = parse_bank(change.get("bank"))
        banks[index] = {**banks[index], **_parse_bank_change(change), "bank": BANKS[index]}
    return tuple(banks)


def _parse_bank_change(change: Mapping[str, object]) -> dict[str, object]:
    parsed: dict[str, object] = {}
    for field, value in change.items():
        if field == "bank":
            continue
        if field not in BANK_PARSERS:
            _refuse(f"banks.{ascii(field)[1:-1][:60]}", "This field does not exist.")
        parsed[field] = BANK_PARSERS[field](value, f"banks.{field}")
    return parsed


def _parse_bank_name(value: object, field: str) -> str:
    return clean_name(parse_text(value, field), "")[:MAX_BANK_NAME].strip()


def parse_text(value: object, field: str) -> str:
    """Return a text.

    Raises:
        ValidationFailed: If it is none.
    """
    if not isinstance(value, str):
        _refuse(field, "This must be text.")
    return value


def _parse_tempo_source(value: object, field: str) -> str:
    if not isinstance(value, str) or value not in TEMPO_SOURCES:
        _refuse(field, f"Choose one of: {', '.join(TEMPO_SOURCES)}.")
    return value


def _parse_colour(value: object, field: str) -> str:
    if not isinstance(value, str) or not COLOUR.fullmatch(value):
        _refuse(field, "Choose a colour, as in #ff6b3d.")
    return value.lower()


def _parse_volume(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VOLUME:
        _refuse(field, f"Choose a value from 0 to {MAX_VOLUME}.")
    return value


def _parse_switch(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        _refuse(field, "This must be true or false.")
    return value


def _refuse(field: str, message: str) -> NoReturn:
    raise ValidationFailed(message, {field: [message]})


BANK_PARSERS: dict[str, Callable[[object, str], object]] = {
    "name": _parse_bank_name,
    "colour": _parse_colour,
    "tempo": parse_tempo,
    "volume": _parse_volume,
    "protect": _parse_switch,
}
