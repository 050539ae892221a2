"""What an edit makes of one sound: pure functions from values to new values."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sp404_app.errors import AppError
from sp404_app.models import Source
from sp404_app.services.bulk.edits import CleanEdit, RenameEdit, ReplaceEdit, SetEdit, ValueEdit
from sp404_app.services.bulk.name_cleaning import suggest_name
from sp404_app.services.bulk.replacement import compile_replacement
from sp404_app.services.bulk.sound_values import SOURCE_SUFFIX, SoundValues, Values
from sp404_app.services.cards.converted_names import NamedSound, template_values
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import fill_template, parse_template
from sp404_app.services.infra.text import clean_name, clean_text, sort_key
from sp404_app.services.library.tags import MAX_TAGS

MIN_BPM, MAX_BPM = 20.0, 999.0
BPM_DIGITS: Final = 2
EMPTY_NAME: Final = "The new name would be empty."

# Takes a sound and its index in the list; returns the values that differ, a source with its value.
ChangeSound = Callable[[SoundValues, int], Values]


class CannotChange(AppError):
    """One sound cannot be changed; the others can."""

    status, code = 422, "cannot_change"


def compile_edit(edit: ValueEdit, *, tag_names: Sequence[str] = ()) -> ChangeSound:
    """Return the function that an edit applies to each sound.

    `tag_names` are the tags to add in their stored spelling. The function raises `CannotChange`.
    """
    change = _name_change(edit) if not isinstance(edit, SetEdit) else _value_change(edit, tag_names)

    def change_sound(sound: SoundValues, index: int) -> Values:
        wanted = change(sound, index)
        differing = [field for field, value in wanted.items() if getattr(sound, field) != value]
        # A source is recorded with its value, so that an undo restores both or neither.
        described = [field.removesuffix(SOURCE_SUFFIX) for field in differing]
        return {field: wanted[field] for field in dict.fromkeys([*differing, *described])}

    return change_sound


def _name_change(edit: RenameEdit | ReplaceEdit | CleanEdit) -> ChangeSound:
    rename = _renaming(edit)

    def change(sound: SoundValues, index: int) -> Values:
        name = clean_name(rename(sound, index), "")
        if not name:
            raise CannotChange(EMPTY_NAME)
        return {"name": name}

    return change


def _renaming(edit: RenameEdit | ReplaceEdit | CleanEdit) -> Callable[[SoundValues, int], str]:
    if isinstance(edit, RenameEdit):
        template = parse_template(edit.template)
        return lambda sound, index: fill_template(
            template, template_values(_named_sound(sound), index, DownloadFormat.WAV)
        )
    if isinstance(edit, ReplaceEdit):
        replace = compile_replacement(
            edit.find, edit.replacement, is_regex=edit.is_regex, match_case=edit.match_case
        )
        return lambda sound, _: replace(sound.name)
    return lambda sound, _: suggest_name(sound.name, sound.bpm, sound.key)


def _named_sound(sound: SoundValues) -> NamedSound:
    return NamedSound(sound.name, sound.folder, sound.bpm, sound.key, sound.sound_class)


def _value_change(edit: SetEdit, tag_names: Sequence[str]) -> ChangeSound:
    fixed = _fixed_values(edit)
    removed = {name.casefold() for name in edit.remove_tags}
    is_tempo_only = not (fixed or tag_names or removed)

    def change(sound: SoundValues, _: int) -> Values:
        values = dict(fixed)
        # A sound without a tempo, as most one-shots are, gets the other values.
        if edit.bpm_factor is not None and (sound.bpm is not None or is_tempo_only):
            values |= {"bpm": _multiply(sound.bpm, edit.bpm_factor), "bpm_source": Source.USER}
        if tag_names or removed:
            values["tags"] = _change_tags(sound.tags, tag_names, removed)
        return values

    return change


def _fixed_values(edit: SetEdit) -> Values:
    """Return the values that are the same for all sounds; "" and 0 clear a value."""
    values: dict[str, Any] = {}
    for field in ("bpm", "key", "kind", "sound_class"):
        if (value := getattr(edit, field)) is not None:
            values |= {field: value or None, f"{field}_source": Source.USER}
    for field in ("favourite", "rating"):
        if (value := getattr(edit, field)) is not None:
            values[field] = value
    if edit.note is not None:
        values["note"] = clean_text(edit.note)
    return values


def _multiply(bpm: float | None, factor: float) -> float:
    if bpm is None:
        raise CannotChange("It has no tempo.")
    product = round(bpm * factor, BPM_DIGITS)
    if not MIN_BPM <= product <= MAX_BPM:
        raise CannotChange(f"Its tempo would be {product:g} BPM. Tempos are from 20 to 999.")
    return product


def _change_tags(tags: Sequence[str], added: Sequence[str], removed: set[str]) -> list[str]:
    kept = [tag for tag in tags if tag.casefold() not in removed]
    wanted = list(dict.fromkeys([*kept, *added]))
    if len(wanted) > max(MAX_TAGS, len(tags)):
        raise CannotChange(f"It would have more than {MAX_TAGS} tags.")
    if wanted == list(tags):
        return list(tags)
    return sorted(wanted, key=sort_key)
