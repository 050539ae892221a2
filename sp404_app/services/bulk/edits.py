"""The bulk edits that can be asked for, with validation, and their JSON form."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.errors import ValidationFailed
from sp404_app.services.bulk.replacement import compile_replacement
from sp404_app.services.cards.name_template import parse_template
from sp404_app.services.library.sample_update import Change
from sp404_app.services.library.tags import MAX_TAG_LENGTH, MAX_TAGS

MIN_PEAK_DBFS, MAX_PEAK_DBFS = -60.0, -0.1
MIN_LUFS, MAX_LUFS = -60.0, -5.0
TEMPO_FACTORS: Final = (0.5, 2.0)
ADD_TO_COLLECTION: Final = "add_to_collection"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameEdit:
    """Name sounds by a template of `services.cards.name_template`."""

    action: Literal["rename"] = "rename"
    template: str

    def __post_init__(self) -> None:
        """Check the template.

        Raises:
            InvalidTemplate: If it cannot be used.
        """
        parse_template(self.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceEdit:
    r"""Replace a text in names; with `is_regex`, `find` is a pattern and \1 names a group."""

    action: Literal["replace"] = "replace"
    find: str
    replacement: str = ""
    is_regex: bool = False
    match_case: bool = False

    def __post_init__(self) -> None:
        """Check the pattern and the replacement.

        Raises:
            ValidationFailed: With a message for the invalid field.
        """
        compile_replacement(
            self.find, self.replacement, is_regex=self.is_regex, match_case=self.match_case
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanEdit:
    """Remove tempo, key and version from names, as `services.bulk.name_cleaning` suggests."""

    action: Literal["clean"] = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetEdit:
    """Set values; None leaves a value as it is, "" or 0 clears it.

    `bpm_factor` is 2 or 0.5. Tempo, key, kind and class become the user's.
    """

    action: Literal["edit"] = "edit"
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    bpm: float | None = None
    bpm_factor: float | None = None
    key: str | None = None
    kind: str | None = None
    sound_class: str | None = None
    favourite: bool | None = None
    rating: int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            ValidationFailed: With a message for each invalid field, or if there is no change.
        """
        Change(bpm=self.bpm, key=self.key, kind=self.kind, rating=self.rating, note=self.note)
        faults = {
            "bpm_factor": self.bpm_factor is not None and self.bpm_factor not in TEMPO_FACTORS,
            "bpm": self.bpm is not None and self.bpm_factor is not None,
            "sound_class": bool(self.sound_class) and self.sound_class not in set(SoundClass),
            "add_tags": _has_invalid_tags(self.add_tags),
            "remove_tags": _has_invalid_tags(self.remove_tags),
        }
        messages = {
            "bpm_factor": "Use 2 or 0.5.",
            "bpm": "Set the tempo or multiply it, not both.",
            "sound_class": "Unknown class.",
            "add_tags": f"Use at most {MAX_TAGS} tags of {MAX_TAG_LENGTH} characters.",
            "remove_tags": f"Use at most {MAX_TAGS} tags of {MAX_TAG_LENGTH} characters.",
        }
        errors = {field: [messages[field]] for field, invalid in faults.items() if invalid}
        if errors:
            raise ValidationFailed("This change isn’t valid.", errors)
        if not _has_values(self):
            raise ValidationFailed("There is nothing to change.", {"changes": ["Set a value."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashEdit:
    """Move sounds to the trash."""

    action: Literal["delete"] = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreEdit:
    """Restore sounds from the trash."""

    action: Literal["restore"] = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class NormaliseEdit:
    """Add a copy of each sound at a level; `value` is in dBFS for a peak, or in LUFS."""

    action: Literal["normalise"] = "normalise"
    to: Literal["peak", "lufs"] = "peak"
    value: float = -1.0

    def __post_init__(self) -> None:
        """Check the level.

        Raises:
            ValidationFailed: If it is out of range.
        """
        low, high, unit = (
            (MIN_PEAK_DBFS, MAX_PEAK_DBFS, "dBFS")
            if self.to == "peak"
            else (MIN_LUFS, MAX_LUFS, "LUFS")
        )
        if not low <= self.value <= high:
            message = f"Enter a level from {low:g} to {high:g} {unit}."
            raise ValidationFailed("This level isn’t valid.", {"value": [message]})


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectEdit:
    """Append sounds to a manual collection, in the order of the person's list.

    `name` is the collection's when it was asked for, for the list of edits.
    """

    action: Literal["add_to_collection"] = ADD_TO_COLLECTION
    collection: uuid.UUID
    name: str = ""


NameEdit = RenameEdit | ReplaceEdit | CleanEdit
ValueEdit = NameEdit | SetEdit
BulkChange = ValueEdit | TrashEdit | RestoreEdit | NormaliseEdit | CollectEdit
ADAPTER: Final[TypeAdapter[BulkChange]] = TypeAdapter(
    Annotated[BulkChange, Field(discriminator="action")]
)


def parse_edit(values: Mapping[str, Any]) -> BulkChange:
    """Parse an edit given as JSON: its action and its parameters.

    Raises:
        ValidationFailed: If the action is unknown, or a parameter is unknown or invalid.
    """
    try:
        edit = ADAPTER.validate_python(dict(values))
    except ValidationError as error:
        faults = {str(each["loc"][-1]): [each["msg"]] for each in error.errors() if each["loc"]}
        raise ValidationFailed("This change isn’t valid.", faults) from error
    unknown = values.keys() - asdict(edit).keys()
    if unknown:
        raise ValidationFailed(
            "This change isn’t valid.", {str(name): ["Unknown field."] for name in unknown}
        )
    return edit


def edit_to_json(edit: BulkChange) -> dict[str, Any]:
    """Return an edit as JSON values, without those that are not set."""
    values = {name: value for name, value in asdict(edit).items() if value is not None}
    return {name: _to_json(value) for name, value in values.items()}


def describe_edit(edit: BulkChange) -> str:
    """Return what an edit does, in a few words: "Rename", "Set tempo and key"."""
    if isinstance(edit, SetEdit):
        return _describe_values(edit)
    if isinstance(edit, CollectEdit):
        return f"Add to “{edit.name[:60]}”" if edit.name else "Add to a collection"
    titles = {
        "rename": "Rename",
        "replace": "Find and replace",
        "clean": "Clean names",
        "delete": "Delete",
        "restore": "Restore",
        "normalise": "Normalise",
    }
    return titles[edit.action]


def _describe_values(edit: SetEdit) -> str:
    names = {
        "bpm": "tempo",
        "bpm_factor": "tempo",
        "key": "key",
        "kind": "kind",
        "sound_class": "class",
        "favourite": "favourite",
        "rating": "rating",
        "note": "note",
    }
    given = [name for field, name in names.items() if getattr(edit, field) is not None]
    given += ["tags"] if edit.add_tags or edit.remove_tags else []
    if given == ["tags"]:
        return "Change tags"
    *first, last = given
    return f"Set {', '.join(first)} and {last}" if first else f"Set {last}"


def _to_json(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _has_values(edit: SetEdit) -> bool:
    values = [value for name, value in asdict(edit).items() if name != "action"]
    return any(value is not None and value != () for value in values)


def _has_invalid_tags(names: tuple[str, ...]) -> bool:
    return len(names) > MAX_TAGS or any(len(name) > MAX_TAG_LENGTH for name in names)
