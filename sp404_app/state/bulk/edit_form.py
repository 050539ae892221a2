"""The form of the bulk edit dialog: what it shows, and the edit that its fields describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sp404_app.errors import ValidationFailed
from sp404_app.services.bulk.common_values import CommonValue, CommonValues
from sp404_app.services.bulk.edits import (
    BulkChange,
    CleanEdit,
    NormaliseEdit,
    RenameEdit,
    ReplaceEdit,
    SetEdit,
)
from sp404_app.services.cards.name_template import DEFAULT_TEMPLATE
from sp404_app.state import validation
from sp404_app.state.rows import format_tempo

TABS: Final = ("values", "rename", "replace", "clean", "normalise")
# Choices of a select: the value stays, or is cleared.
KEEP, CLEAR = "keep", "clear"
ON = "on"
MIXED: Final = "Mixed"
NO_VALUE: Final = {
    "bpm": "No tempo",
    "key": "No key",
    "kind": "No kind",
    "sound_class": "No class",
    "rating": "Not rated",
    "note": "No note",
    "favourite": "No",
}
KIND_NAMES: Final = {"loop": "Loop", "one_shot": "One-shot"}
LEVELS: Final = {"peak": "-1", "lufs": "-14"}  # suggested for each kind of level
# In a fixed order, because the built pages contain the defaults.
FIELDS: Final = (
    "bpm", "bpm_factor", "key", "kind", "sound_class", "rating", "favourite", "note",
    "clear_note", "add_tags", "template", "find", "replacement", "is_regex", "match_case",
    "to", "level",
)  # fmt: skip
DEFAULTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(FIELDS, ""),
    "template": DEFAULT_TEMPLATE,
    "to": "peak",
    "level": LEVELS["peak"],
}


@dataclass(frozen=True, slots=True)
class CommonView:
    """What the fields show before they are touched: the common value, "Mixed", or "No key"."""

    bpm: str = ""
    key: str = ""
    kind: str = ""
    sound_class: str = ""
    rating: str = ""
    favourite: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class TagChip:
    """A tag of the sounds; `state` is "all", "some", "added" or "removed"."""

    name: str
    state: str
    hint: str


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name that changes, or the reason why it cannot."""

    id: str
    before: str
    after: str
    problem: str
    is_accepted: bool = True


def common_view(found: CommonValues) -> CommonView:
    """Return how common values are shown."""
    return CommonView(**{name: _shown(name, value) for name, value in found.fields.items()})


def _shown(name: str, common: CommonValue) -> str:
    if common.is_mixed:
        return MIXED
    if not common.value:
        return NO_VALUE[name]
    if name == "bpm":
        return format_tempo(common.value)
    if name == "rating":
        return "★" * common.value
    if name == "favourite":
        return "Yes"
    return KIND_NAMES.get(common.value, str(common.value)[:200])


def tag_chips(found: CommonValues, added: Sequence[str], removed: Sequence[str]) -> list[TagChip]:
    """Return the tags of the sounds and those that are added."""
    chips = []
    for tag in found.tags:
        has_all = tag.samples >= found.count
        state = "all" if has_all else "some"
        hint = "All sounds have it" if has_all else f"{tag.samples:,} of {found.count:,} have it"
        if tag.name in removed:
            state, hint = "removed", "It will be removed"
        elif tag.name in added:
            state, hint = "added", "All will have it"
        chips.append(TagChip(tag.name, state, hint))
    return chips


def next_tag_state(found: CommonValues, name: str, added: list[str], removed: list[str]) -> None:
    """Change a tag to its next state: of some, all, none; of all, none. Then as it was."""
    counts = {tag.name: tag.samples for tag in found.tags}
    if name in removed:
        removed.remove(name)
    elif name in added:
        added.remove(name)
        removed.append(name)
    elif counts.get(name, 0) < found.count:
        added.append(name)
    else:
        removed.append(name)


def build_edit(
    tab: str, values: Mapping[str, str], added: Sequence[str] = (), removed: Sequence[str] = ()
) -> BulkChange:
    """Return the edit that the touched fields of a tab describe.

    Raises:
        ValidationFailed: If a value is invalid, or nothing was touched.
    """
    given = {**DEFAULTS, **values}
    if tab == "rename":
        if not given["template"].strip():
            raise ValidationFailed("Enter a template.")
        return RenameEdit(template=given["template"])
    if tab == "replace":
        return ReplaceEdit(
            find=given.get("find", ""),
            replacement=given.get("replacement", ""),
            is_regex=given.get("is_regex") == ON,
            match_case=given.get("match_case") == ON,
        )
    if tab == "clean":
        return CleanEdit()
    if tab == "normalise":
        level = validation.parse_number(given["level"])
        if level is None:
            raise ValidationFailed("Enter a level.")
        return NormaliseEdit(to="lufs" if given["to"] == "lufs" else "peak", value=level)
    return _build_set_edit(values, added, removed)


def _build_set_edit(
    values: Mapping[str, str], added: Sequence[str], removed: Sequence[str]
) -> SetEdit:
    typed = [name.strip() for name in values.get("add_tags", "").split(",")]
    changes: dict[str, Any] = {
        "add_tags": tuple(dict.fromkeys([*added, *filter(None, typed)])),
        "remove_tags": tuple(removed),
    }
    for field in ("key", "kind", "sound_class"):
        if (value := values.get(field, KEEP)) != KEEP:
            changes[field] = "" if value == CLEAR else value
    if (rating := values.get("rating", KEEP)) != KEEP:
        changes["rating"] = int(validation.parse_number(rating) or 0)
    if (favourite := values.get("favourite", KEEP)) != KEEP:
        changes["favourite"] = favourite == ON
    if values.get("bpm", "").strip():
        changes["bpm"] = validation.parse_number(values["bpm"])
    if values.get("bpm_factor"):
        changes["bpm_factor"] = validation.parse_number(values["bpm_factor"])
    if values.get("note", "").strip() or values.get("clear_note") == ON:
        changes["note"] = values.get("note", "")
    return SetEdit(**changes)
