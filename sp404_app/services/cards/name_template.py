"""Names of files by a template: "{bank}{pad} {name} {bpm} {key} {class} {n:03}".

A field without a value disappears with the text of its word: "{name} {bpm}BPM" names a sound
without a tempo "Kick". If only some fields of a word have no value, the separators before them
disappear: "{name}_{bpm}" becomes "Kick".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sp404_app.errors import ValidationFailed

FIELDS: Final = ("bank", "pad", "name", "bpm", "key", "class", "n")
DEFAULT_TEMPLATE: Final = "{name} {bpm} {key}"
MAX_TEMPLATE_LENGTH: Final = 200
SEPARATORS: Final = "_-+,.="
PART = re.compile(r"\{(?P<field>[^{}]*)\}|(?P<text>[^{}]+)|(?P<brace>[{}])")
NUMBER_FORMAT = re.compile(r"0([1-6])")


@dataclass(frozen=True, slots=True)
class Field:
    """A field; a number is filled with zeros to `digits`."""

    name: str
    digits: int = 0


Word = tuple[Field | str, ...]
Template = tuple[Word, ...]
NAME_ONLY: Final[Template] = ((Field("name"),),)


class InvalidTemplate(ValidationFailed):
    """A template cannot be used."""

    def __init__(self, message: str) -> None:
        super().__init__(message, {"template": [message]})


def parse_template(text: str) -> Template:
    """Return the words of a template; an empty one names files by the sound's name.

    Raises:
        InvalidTemplate: If a field is unknown, a brace has no partner, or the text is too long.
    """
    if len(text) > MAX_TEMPLATE_LENGTH:
        raise InvalidTemplate(f"Use at most {MAX_TEMPLATE_LENGTH} characters.")
    words: list[list[Field | str]] = [[]]
    for part in PART.finditer(text):
        if part["brace"]:
            raise InvalidTemplate(f"“{part['brace']}” stands alone. Write fields as {{name}}.")
        if part["field"] is not None:
            words[-1].append(_parse_field(part["field"]))
            continue
        first, *others = re.split(r"\s+", part["text"])
        words[-1].append(first)
        words += [[other] for other in others]
    given = tuple(tuple(part for part in word if part != "") for word in words)
    return tuple(word for word in given if word) or NAME_ONLY


def fill_template(template: Template, values: Mapping[str, str]) -> str:
    """Return the template with the values of its fields; "" if none has one."""
    return " ".join(filter(None, (_fill_word(word, values) for word in template)))


def _parse_field(text: str) -> Field:
    name, colon, number_format = text.partition(":")
    if name not in FIELDS:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise InvalidTemplate(f"{{{name[:40]}}} is not a field. Use {known}.")
    digits = NUMBER_FORMAT.fullmatch(number_format)
    if colon and (name != "n" or not digits):
        raise InvalidTemplate(f"{{{text[:40]}}}: only {{n}} takes a number of digits, as {{n:03}}.")
    return Field(name, int(digits[1]) if digits else 0)


def _fill_word(word: Word, values: Mapping[str, str]) -> str:
    fields = [part for part in word if isinstance(part, Field)]
    if fields and not any(values[field.name] for field in fields):
        return ""
    filled, is_after_gap = "", False
    for part in word:
        text = values[part.name].zfill(part.digits) if isinstance(part, Field) else part
        if isinstance(part, Field) and not values[part.name]:
            filled, is_after_gap = filled.rstrip(SEPARATORS), True
            continue
        filled += text.lstrip(SEPARATORS) if is_after_gap and not filled else text
        is_after_gap = False
    return filled
