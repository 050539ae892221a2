"""The tab of the bulk edit dialog that sets values: tempo, key, tags, note and others."""

from collections.abc import Sequence

import reflex as rx

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.edit_form import CLEAR, KEEP, ON, TagChip

KEY_OPTIONS = [("No key", CLEAR), *((key, key) for key in KEYS)]
KIND_OPTIONS = [("Loop", "loop"), ("One-shot", "one_shot")]
CLASS_OPTIONS = [
    ("No class", CLEAR),
    *((each.value.capitalize(), each.value) for each in SoundClass),
]
RATING_OPTIONS = [("Not rated", "0"), *(("★" * stars, str(stars)) for stars in range(1, 6))]
FAVOURITE_OPTIONS = [("Yes", ON), ("No", "off")]


def values_tab() -> rx.Component:
    """Fields that show the common value or "Mixed"; only what is touched is changed."""
    common = BulkEditState.common
    removes_notes = BulkEditState.values["clear_note"] == ON
    return rx.fragment(
        rx.el.p("Only what you change here is changed.", class_name="field-hint"),
        rx.el.div(
            _tempo(),
            _select("key", "Key", common.key, KEY_OPTIONS),
            _select("kind", "Kind", common.kind, KIND_OPTIONS),
            _select("sound_class", "Class", common.sound_class, CLASS_OPTIONS),
            _select("rating", "Rating", common.rating, RATING_OPTIONS),
            _select("favourite", "Favourite", common.favourite, FAVOURITE_OPTIONS),
            class_name="bulk-fields",
        ),
        _tags(),
        rx.el.div(
            rx.el.div(
                rx.el.label("Note", html_for="bulk-note", class_name="field-label"),
                rx.el.button(
                    "Remove notes",
                    type="button",
                    class_name=rx.cond(removes_notes, "chip on", "chip"),
                    aria_pressed=removes_notes,
                    on_click=BulkEditState.set_value("clear_note", rx.cond(removes_notes, "", ON)),
                    data_testid="bulk-clear_note",
                ),
                class_name="row",
            ),
            rx.el.textarea(
                id="bulk-note",
                rows=2,
                max_length=4000,
                class_name="input",
                placeholder=rx.cond(removes_notes, "All notes will be removed", common.note),
                default_value=BulkEditState.values["note"],
                on_change=lambda value: BulkEditState.set_value("note", value),
                data_testid="bulk-note",
            ),
            class_name="field",
        ),
    )


def _tempo() -> rx.Component:
    factor = BulkEditState.values["bpm_factor"]
    return rx.el.div(
        rx.el.label("Tempo", html_for="bulk-bpm", class_name="field-label"),
        rx.el.div(
            rx.el.input(
                id="bulk-bpm",
                class_name="input mono",
                input_mode="decimal",
                auto_complete="off",
                placeholder=BulkEditState.common.bpm,
                default_value=BulkEditState.values["bpm"],
                on_change=lambda value: BulkEditState.set_value("bpm", value),
                data_testid="bulk-bpm",
            ),
            *(
                rx.el.button(
                    text,
                    type="button",
                    class_name=rx.cond(factor == value, "chip on", "chip"),
                    aria_pressed=factor == value,
                    title=title,
                    on_click=BulkEditState.set_value(
                        "bpm_factor", rx.cond(factor == value, "", value)
                    ),
                    data_testid=f"bulk-bpm-{name}",
                )
                for text, value, name, title in (
                    ("÷ 2", "0.5", "half", "Half the tempo"),
                    ("× 2", "2", "double", "Double the tempo"),
                )
            ),
            class_name="bulk-tempo",
        ),
        class_name="field",
    )


def _select(
    field: str, label: str, common: rx.Var[str], options: Sequence[tuple[str, str]]
) -> rx.Component:
    """Select whose first option is the common value and leaves it as it is."""
    entered = BulkEditState.values[field]
    return rx.el.div(
        rx.el.label(label, html_for=f"bulk-{field}", class_name="field-label"),
        rx.el.select(
            rx.el.option(common, value=KEEP),
            *(rx.cond(common != text, rx.el.option(text, value=value)) for text, value in options),
            id=f"bulk-{field}",
            class_name="input",
            default_value=rx.cond(entered == "", KEEP, entered),
            on_change=lambda value: BulkEditState.set_value(field, value),
            data_testid=f"bulk-{field}",
        ),
        class_name="field",
    )


def _tags() -> rx.Component:
    return rx.el.div(
        rx.el.label("Tags", html_for="bulk-add_tags", class_name="field-label"),
        rx.cond(
            BulkEditState.tags.length() > 0,
            rx.el.div(rx.foreach(BulkEditState.tags, _tag), class_name="row wrap bulk-tags"),
        ),
        rx.el.input(
            id="bulk-add_tags",
            class_name="input",
            auto_complete="off",
            max_length=2000,
            placeholder="Add tags, separated by commas",
            default_value=BulkEditState.values["add_tags"],
            on_change=lambda value: BulkEditState.set_value("add_tags", value),
            data_testid="bulk-add_tags",
        ),
        rx.cond(
            BulkEditState.tags.length() > 0,
            rx.el.p(
                "Click a tag to add it to all sounds or to remove it. "
                "Tags with a dashed border are on some of them.",
                class_name="field-hint",
            ),
        ),
        class_name="field",
    )


def _tag(tag: TagChip) -> rx.Component:
    return rx.el.button(
        rx.match(tag.state, ("added", "+ "), ("removed", "− "), ""),
        tag.name,
        type="button",
        class_name=f"chip bulk-tag {tag.state}",
        title=tag.hint,
        aria_label=f"{tag.name}: {tag.hint}",
        on_click=BulkEditState.toggle_tag(tag.name),
        data_testid="bulk-common-tag",
    )
